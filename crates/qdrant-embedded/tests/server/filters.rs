//! Filters: each kind of condition, with and without payload indexes.

use qdrant_client::Qdrant;
use qdrant_client::qdrant::r#match::MatchValue;
use qdrant_client::qdrant::{
    Condition, CountPointsBuilder, CreateFieldIndexCollectionBuilder, DatetimeRange, FieldCondition, FieldType, Filter,
    GeoBoundingBox, GeoLineString, GeoPoint, GeoPolygon, GeoRadius, Match, Range, RepeatedIntegers, RepeatedStrings,
    ScrollPointsBuilder, SliceCondition, Timestamp, ValuesCount, condition::ConditionOneOf, point_id::PointIdOptions,
};
use tonic::Code;

use crate::harness::{create, fill, fresh, refusal};

fn cases() -> Vec<(&'static str, Filter, Vec<u64>)> {
    let city = |name: &str| Condition::matches("city", name.to_owned());
    let value = |key: &str, value: MatchValue| {
        field(FieldCondition { r#match: Some(Match { match_value: Some(value) }), ..on(key) })
    };
    let strings =
        |values: &[&str]| RepeatedStrings { strings: values.iter().map(|value| (*value).to_owned()).collect() };
    let from = |gte: f64| Condition::range("n", Range { gte: Some(gte), ..Default::default() });
    let point = |lon: f64, lat: f64| GeoPoint { lon, lat };
    let line = |points: &[(f64, f64)]| GeoLineString {
        points: points.iter().map(|(lon, lat)| GeoPoint { lon: *lon, lat: *lat }).collect(),
    };
    // 1 February 2024.
    let february = Timestamp { seconds: 1_706_745_600, nanos: 0 };
    let person = |name: &str, age: f64| {
        Filter::must([
            Condition::matches("name", name.to_owned()),
            Condition::range("age", Range { gte: Some(age), ..Default::default() }),
        ])
    };
    vec![
        ("nothing", Filter::default(), (1..=10).collect()),
        ("keyword", Filter::must([city("Berlin")]), vec![1, 4]),
        ("integer", Filter::must([Condition::matches("n", 3)]), vec![3]),
        ("bool", Filter::must([Condition::matches("open", true)]), vec![1, 3]),
        ("text", Filter::must([Condition::matches_text("text", "brown")]), vec![1, 3]),
        ("any text", Filter::must([value("text", MatchValue::TextAny("bears sleep".into()))]), vec![2, 3]),
        ("any keyword", Filter::must([value("city", MatchValue::Keywords(strings(&["Paris", "Madrid"])))]), vec![2, 5]),
        (
            "any integer",
            Filter::must([value("n", MatchValue::Integers(RepeatedIntegers { integers: vec![2, 9, 77] }))]),
            vec![2, 9],
        ),
        (
            "except keyword",
            Filter::must([value("city", MatchValue::ExceptKeywords(strings(&["Berlin"])))]),
            vec![2, 3, 5],
        ),
        (
            "except integer",
            Filter::must([value("n", MatchValue::ExceptIntegers(RepeatedIntegers { integers: (1..9).collect() }))]),
            vec![9, 10],
        ),
        ("element of a list", Filter::must([Condition::matches("tags[]", "b".to_owned())]), vec![1]),
        ("path", Filter::must([Condition::matches("metadata.source", "web".to_owned())]), vec![10]),
        (
            "range",
            Filter::must([Condition::range("price", Range { gt: Some(1.5), lte: Some(3.5), ..Default::default() })]),
            vec![2, 3],
        ),
        (
            "range of times",
            Filter::must([Condition::datetime_range(
                "when",
                DatetimeRange { gte: Some(february), ..Default::default() },
            )]),
            vec![2, 3],
        ),
        ("ids", Filter::must([Condition::has_id([1, 5, 99])]), vec![1, 5]),
        ("no ids", Filter::must([Condition::has_id(Vec::<u64>::new())]), vec![]),
        ("empty", Filter::must([Condition::is_empty("tags"), from(3.0)]), (3..=10).collect()),
        ("null", Filter::must([Condition::is_null("nothing")]), vec![4]),
        (
            "is_empty of a field",
            Filter::must([field(FieldCondition { is_empty: Some(false), ..on("tags") })]),
            vec![1, 2],
        ),
        ("is_null of a field", Filter::must([field(FieldCondition { is_null: Some(true), ..on("nothing") })]), vec![4]),
        (
            "number of values",
            Filter::must([Condition::values_count("tags", ValuesCount { gte: Some(2), ..Default::default() })]),
            vec![1],
        ),
        ("vector", Filter::must([Condition::has_vector("")]), (1..=10).collect()),
        ("must not", Filter::must_not([city("Berlin"), from(6.0)]), vec![2, 3, 5]),
        ("should", Filter::should([city("Paris"), Condition::matches("n", 7)]), vec![2, 7]),
        ("min should", Filter::min_should(2, [city("Berlin"), from(4.0), from(5.0)]), vec![4, 5, 6, 7, 8, 9, 10]),
        (
            "filter within a filter",
            Filter::must([
                Filter::should([city("Berlin"), city("Paris")]).into(),
                Filter::must_not([from(4.0)]).into(),
            ]),
            vec![1, 2],
        ),
        ("nested", Filter::must([Condition::nested("people", person("Ann", 50.0))]), vec![5]),
        (
            "radius",
            Filter::must([Condition::geo_radius("at", GeoRadius { center: Some(point(2.3, 48.8)), radius: 20_000.0 })]),
            vec![2],
        ),
        (
            "box",
            Filter::must([Condition::geo_bounding_box(
                "at",
                GeoBoundingBox { top_left: Some(point(-1.0, 52.0)), bottom_right: Some(point(3.0, 48.0)) },
            )]),
            vec![2, 3],
        ),
        (
            "polygon",
            Filter::must([Condition::geo_polygon(
                "at",
                GeoPolygon {
                    exterior: Some(line(&[(10.0, 50.0), (10.0, 55.0), (15.0, 55.0), (15.0, 50.0), (10.0, 50.0)])),
                    interiors: vec![],
                },
            )]),
            vec![1],
        ),
    ]
}

#[tokio::test]
async fn each_condition_finds_its_points() {
    let (_directory, _server, client) = fresh();
    create(&client, "c").await;
    fill(&client, "c").await;
    let check = async |phase: &str| {
        for (case, filter, expected) in cases() {
            assert_eq!(matching(&client, filter.clone()).await, expected, "{case}, {phase}");
            let count = client.count(CountPointsBuilder::new("c").filter(filter)).await.unwrap().result.unwrap().count;
            assert_eq!(count, expected.len() as u64, "{case}, {phase}");
        }
    };
    check("without indexes").await;
    for (name, field_type) in [
        ("city", FieldType::Keyword),
        ("n", FieldType::Integer),
        ("price", FieldType::Float),
        ("open", FieldType::Bool),
        ("at", FieldType::Geo),
        ("when", FieldType::Datetime),
        ("text", FieldType::Text),
        ("tags[]", FieldType::Keyword),
        ("metadata.source", FieldType::Keyword),
        ("people[].name", FieldType::Keyword),
        ("nothing", FieldType::Keyword),
    ] {
        let request = CreateFieldIndexCollectionBuilder::new("c", name, field_type).wait(true);
        client.create_field_index(request).await.unwrap();
    }
    check("with indexes").await;
}

#[tokio::test]
async fn nonsense_is_refused() {
    let (_directory, _server, client) = fresh();
    create(&client, "c").await;
    fill(&client, "c").await;
    let matches = |value| field(FieldCondition { r#match: Some(Match { match_value: value }), ..on("n") });
    let nan = Range { gt: Some(f64::NAN), ..Default::default() };
    let far = DatetimeRange { gt: Some(Timestamp { seconds: i64::MAX, nanos: 0 }), ..Default::default() };
    let nowhere = GeoRadius { center: Some(GeoPoint { lon: 1000.0, lat: 0.0 }), radius: 1.0 };
    let open = GeoPolygon { exterior: Some(GeoLineString { points: vec![GeoPoint::default()] }), interiors: vec![] };
    let bad_id = qdrant_client::qdrant::PointId { point_id_options: Some(PointIdOptions::Uuid("x".into())) };
    let both =
        FieldCondition { range: Some(Range::default()), datetime_range: Some(DatetimeRange::default()), ..on("n") };
    let cases = [
        ("empty condition", Condition { condition_one_of: None }, Code::InvalidArgument),
        ("condition without a test", field(on("n")), Code::InvalidArgument),
        ("match without a value", matches(None), Code::InvalidArgument),
        ("path", Condition::matches("a..b", 1), Code::InvalidArgument),
        ("range", Condition::range("n", nan), Code::InvalidArgument),
        ("time", Condition::datetime_range("when", far), Code::InvalidArgument),
        ("place", Condition::geo_radius("at", nowhere), Code::InvalidArgument),
        ("no center", Condition::geo_radius("at", GeoRadius::default()), Code::InvalidArgument),
        ("polygon", Condition::geo_polygon("at", open), Code::InvalidArgument),
        ("id", Condition::has_id([bad_id]), Code::InvalidArgument),
        ("two ranges", field(both), Code::InvalidArgument),
        ("prefix", matches(Some(MatchValue::Prefix("a".into()))), Code::Unimplemented),
        ("substring", matches(Some(MatchValue::Substring("a".into()))), Code::Unimplemented),
        (
            "slice",
            Condition { condition_one_of: Some(ConditionOneOf::Slice(SliceCondition { total: 2, index: 0 })) },
            Code::Unimplemented,
        ),
    ];
    for (case, condition, expected) in cases {
        let request = CountPointsBuilder::new("c").filter(Filter::must([condition]));
        let (code, message) = refusal(client.count(request).await);
        assert_eq!(code, expected, "{case}: {message}");
    }
    assert_eq!(matching(&client, Filter::default()).await.len(), 10, "the server is still well");
}

fn field(condition: FieldCondition) -> Condition {
    Condition { condition_one_of: Some(ConditionOneOf::Field(condition)) }
}

fn on(key: &str) -> FieldCondition {
    FieldCondition { key: key.to_owned(), ..Default::default() }
}

async fn matching(client: &Qdrant, filter: Filter) -> Vec<u64> {
    let request = ScrollPointsBuilder::new("c").filter(filter).limit(100).with_payload(false);
    let points = client.scroll(request).await.unwrap().result;
    let number = |point: qdrant_client::qdrant::RetrievedPoint| match point.id.unwrap().point_id_options.unwrap() {
        PointIdOptions::Num(number) => number,
        PointIdOptions::Uuid(uuid) => panic!("{uuid}"),
    };
    points.into_iter().map(number).collect()
}
