//! The shape of JSON documents: their keys in the order in which they are printed, and what the values are.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// Keys of maps whose own keys are data: names of labels, of fields of a payload, and the like.
const MAPS: [&str; 4] = ["labels", "vectors", "payload_indexes", "extensions"];

/// What was seen at one place.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    /// `string`, `time`, `integer`, `number`, `boolean`, `null`.
    plain: BTreeSet<&'static str>,
    items: Option<Box<Shape>>,
    fields: Option<Vec<Field>>,
    map: Option<Box<Shape>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    key: String,
    shape: Shape,
    /// Whether it was left out somewhere.
    optional: bool,
}

impl Shape {
    fn plain(kind: &'static str) -> Self {
        Self { plain: [kind].into(), ..Self::default() }
    }

    /// How many kinds of values there are.
    fn count(&self) -> usize {
        let others = [self.items.is_some(), self.fields.is_some(), self.map.is_some()];
        self.plain.len() + others.into_iter().filter(|is_there| *is_there).count()
    }

    /// Takes in what was seen elsewhere at the same place.
    pub(super) fn merge(&mut self, other: Self) {
        self.plain.extend(other.plain);
        merge_boxed(&mut self.items, other.items);
        merge_boxed(&mut self.map, other.map);
        match (&mut self.fields, other.fields) {
            (Some(own), Some(fields)) => merge_fields(own, fields),
            (own @ None, fields) => *own = fields,
            (Some(_), None) => {}
        }
    }

    /// The same of a map whose keys are data.
    fn into_map(self) -> Self {
        let Some(fields) = self.fields else { return self };
        let mut values = Self::default();
        for field in fields {
            values.merge(field.shape);
        }
        Self { map: Some(Box::new(values)), fields: None, ..self }
    }

    /// As types are written in TypeScript.
    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let mut kinds: Vec<String> = Vec::new();
        kinds.extend(self.fields.as_ref().map(|fields| Object(fields, depth).to_string()));
        kinds.extend(self.map.as_ref().map(|values| format!("{{ [name]: {} }}", At(values, depth))));
        kinds.extend(self.items.as_ref().map(|items| match items.count() {
            1 => format!("{}[]", At(items, depth)),
            _ => format!("({})[]", At(items, depth)),
        }));
        kinds.extend(self.plain.iter().filter(|kind| **kind != "null").map(ToString::to_string));
        kinds.extend(self.plain.contains("null").then(|| "null".into()));
        f.write_str(if kinds.is_empty() { "nothing" } else { "" })?;
        f.write_str(&kinds.join(" | "))
    }
}

fn merge_boxed(own: &mut Option<Box<Shape>>, other: Option<Box<Shape>>) {
    match (own, other) {
        (Some(own), Some(other)) => own.merge(*other),
        (own @ None, other) => *own = other,
        (Some(_), None) => {}
    }
}

fn merge_fields(own: &mut Vec<Field>, others: Vec<Field>) {
    for field in &mut *own {
        field.optional |= !others.iter().any(|other| other.key == field.key);
    }
    let mut place = 0;
    for other in others {
        if let Some(index) = own.iter().position(|field| field.key == other.key) {
            own[index].optional |= other.optional;
            own[index].shape.merge(other.shape);
            place = index + 1;
        } else {
            own.insert(place, Field { optional: true, ..other });
            place += 1;
        }
    }
}

struct At<'a>(&'a Shape, usize);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(f, self.1)
    }
}

struct Object<'a>(&'a [Field], usize);

impl fmt::Display for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(fields, depth) = self;
        let indent = "  ".repeat(depth + 1);
        writeln!(f, "{{")?;
        for Field { key, shape, optional } in *fields {
            let mark = if *optional { "?" } else { "" };
            writeln!(f, "{indent}{key}{mark}: {}", At(shape, depth + 1))?;
        }
        write!(f, "{}}}", "  ".repeat(*depth))
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Seen)
    }
}

struct Seen;

impl<'de> Visitor<'de> for Seen {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::plain("null"))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape::plain("boolean"))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Shape, E> {
        Ok(Shape::plain("integer"))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Shape, E> {
        Ok(Shape::plain("integer"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::plain("number"))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Shape, E> {
        let is_time = text.parse::<jiff::Timestamp>().is_ok();
        if is_time && !text.ends_with('Z') {
            return Err(E::custom(format!("{text} is a time, and not in UTC")));
        }
        Ok(Shape::plain(if is_time { "time" } else { "string" }))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Shape, A::Error> {
        let mut shape = Shape::default();
        while let Some(item) = items.next_element::<Shape>()? {
            shape.merge(item);
        }
        Ok(Shape { items: Some(Box::new(shape)), ..Shape::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Shape, A::Error> {
        let mut fields = Vec::new();
        while let Some((key, shape)) = entries.next_entry::<String, Shape>()? {
            let shape = if MAPS.contains(&key.as_str()) { shape.into_map() } else { shape };
            fields.push(Field { key, shape, optional: false });
        }
        Ok(Shape { fields: Some(fields), ..Shape::default() })
    }
}

#[test]
fn shapes_are_those_of_all_that_was_seen() {
    let cases = [
        (&["1", "null"][..], "integer | null"),
        (&["[]"], "(nothing)[]"),
        (&["[]", "[true]"], "boolean[]"),
        (&[r#"["a", null]"#], "(string | null)[]"),
        (
            &[r#"{"b": 1, "a": []}"#, r#"{"b": 0.5, "c": "2026-01-02T03:04:05Z"}"#],
            "{\n  b: integer | number\n  c?: time\n  a?: (nothing)[]\n}",
        ),
        (&[r#"[{"a": {"b": null}}, {"a": null}]"#], "{\n  a: {\n    b: null\n  } | null\n}[]"),
        (&[r#"{"labels": {"x": "y", "z": "w"}}"#, r#"{"labels": {}}"#], "{\n  labels: { [name]: string }\n}"),
    ];
    for (documents, expected) in cases {
        let mut shapes = documents.iter().map(|text| serde_json::from_str::<Shape>(text).expect(text));
        let first = shapes.next().expect("a document");
        let all = shapes.fold(first, |mut all, shape| {
            all.merge(shape);
            all
        });
        assert_eq!(all.to_string(), expected, "{documents:?}");
    }
    let local = serde_json::from_str::<Shape>(r#""2026-01-02T03:04:05+01:00""#).expect_err("a local time").to_string();
    assert!(local.contains("not in UTC"), "{local}");
}
