//! The REST interface, with plain requests: the form of its answers, and what it refuses. `python.rs` tests what it does.

use serde_json::{Value as Json, json};

use crate::harness::{Server, create, fill, fresh};

/// The status and the body of the answer.
fn send(server: &Server, request: &str, body: &str) -> (u16, Json) {
    let (head, answer) = server.http(request, "Content-Type: application/json\r\n", body.as_bytes());
    let status = head.split(' ').nth(1).unwrap_or_else(|| panic!("{request}: {head}")).parse().unwrap();
    let json = serde_json::from_slice(&answer)
        .unwrap_or_else(|error| panic!("{request}: {error}: {}", String::from_utf8_lossy(&answer)));
    (status, json)
}

/// The result of a request that is done.
fn result(server: &Server, request: &str, body: &Json) -> Json {
    let (status, mut answer) = send(server, request, &body.to_string());
    assert_eq!((status, &answer["status"]), (200, &json!("ok")), "{request} {body}: {answer}");
    assert!(answer["time"].is_f64(), "{answer}");
    answer["result"].take()
}

/// Checks that a request is refused in Qdrant's form.
fn refused(server: &Server, request: &str, body: &str, status: u16, text: &str) {
    let (found, answer) = send(server, request, body);
    let message = answer["status"]["error"].as_str().unwrap_or_else(|| panic!("{request} {body}: {found} {answer}"));
    assert_eq!(found, status, "{request} {body}: {answer}");
    assert!(message.contains(text), "{request} {body}: {message}");
    assert_eq!((&answer["result"], answer["time"].is_f64()), (&Json::Null, true), "{answer}");
}

#[tokio::test]
async fn answers_have_the_form_of_qdrant() {
    let (_directory, server, client) = fresh();
    create(&client, "c").await;
    fill(&client, "c").await;
    let path = "/collections/c";
    assert_eq!(result(&server, "GET /collections", &json!({})), json!({ "collections": [{ "name": "c" }] }));
    assert_eq!(result(&server, &format!("GET {path}/exists"), &json!({})), json!({ "exists": true }));
    let hits = result(
        &server,
        &format!("POST {path}/points/query"),
        &json!({ "query": [0.1, 0.0, 0.0, 0.0], "limit": 1, "with_vector": true, "with_payload": ["n"] }),
    );
    // A score of 32 bits has the digits of one.
    assert_eq!(
        hits,
        json!({ "points": [
            { "id": 10, "version": hits["points"][0]["version"], "score": 1.0, "payload": { "n": 10 },
              "vector": [10.0, 1.0, 0.0, 0.0] },
        ] })
    );
    let (_, text) =
        server.http(&format!("POST {path}/points/search"), "", br#"{"vector": [0.3, 0, 0, 0], "limit": 1}"#);
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains(r#""score":3.0"#), "{text}");

    let point = result(&server, &format!("GET {path}/points/3"), &json!({}));
    assert_eq!((&point["id"], &point["vector"]), (&json!(3), &json!([3.0, 1.0, 0.0, 0.0])));
    let page = result(&server, &format!("POST {path}/points/scroll"), &json!({ "limit": 2, "with_payload": false }));
    assert_eq!(page, json!({ "points": [{ "id": 1 }, { "id": 2 }], "next_page_offset": 3 }));
    assert_eq!(
        result(&server, &format!("POST {path}/points/count"), &json!({ "exact": false })),
        json!({ "count": 10 })
    );
    let updated = result(&server, &format!("POST {path}/points/delete?wait=true"), &json!({ "points": [3] }));
    assert_eq!(updated["status"], "completed");
    refused(&server, &format!("GET {path}/points/3"), "", 404, "3");
    assert_eq!(result(&server, &format!("DELETE {path}"), &json!({})), json!(true));
    assert_eq!(result(&server, &format!("DELETE {path}"), &json!({})), json!(false));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let (_directory, server, client) = fresh();
    create(&client, "c").await;
    fill(&client, "c").await;
    let nested = |levels: usize, open: &str, core: &str, close: &str| {
        format!("{}{core}{}", open.repeat(levels), close.repeat(levels))
    };
    let deep_payload = nested(40, r#"{"a":"#, "1", "}");
    let deep_point = format!(r#"{{"points": [{{"id": 1, "vector": [1, 0, 0, 0], "payload": {deep_payload}}}]}}"#);
    let deep_filter = format!(r#"{{"filter": {}}}"#, nested(2000, r#"{"must": ["#, "", "]}"));
    let cases = [
        ("PUT /collections/c/points", "", "no JSON object"),
        ("PUT /collections/c/points", "[[], null, null, null, null]", "no JSON object"),
        ("PUT /collections/c/points", "{", "JSON"),
        ("PUT /collections/c/points", "[]", "no JSON object"),
        ("PUT /collections/c/points", "{\"points\": [], \"poinst\": []}", "unknown field `poinst`"),
        ("PUT /collections/c/points", "{\"points\": [], \"batch\": {\"ids\": [], \"vectors\": []}}", "either"),
        ("PUT /collections/c/points", r#"{"points": [{"id": -1, "vector": [1, 0, 0, 0]}]}"#, "-1"),
        ("PUT /collections/c/points", r#"{"points": [{"id": 1.5, "vector": [1, 0, 0, 0]}]}"#, "not a valid point ID"),
        ("PUT /collections/c/points", r#"{"points": [{"id": "x", "vector": [1, 0, 0, 0]}]}"#, "not a valid point ID"),
        ("PUT /collections/c/points", r#"{"points": [{"id": 1, "vector": [1, 0, 0]}]}"#, "expected dim: 4, got 3"),
        ("PUT /collections/c/points", r#"{"points": [{"id": 1, "vector": [1, 0, 0, null]}]}"#, "expected a vector"),
        ("PUT /collections/c/points", r#"{"points": [{"id": 1, "vector": [1, 0, 0, 1e39]}]}"#, "finite"),
        ("PUT /collections/c/points", r#"{"points": [{"id": 1, "vector": [1, 0, 0, 1e999]}]}"#, "JSON"),
        ("PUT /collections/c/points", r#"{"points": [{"id": 1, "vector": {"a": [1]}}]}"#, "a"),
        ("PUT /collections/c/points", r#"{"points": [{"id": 1}]}"#, "vector"),
        (
            "PUT /collections/c/points",
            r#"{"batch": {"ids": [1, 2], "vectors": [[1, 0, 0, 0]]}}"#,
            "1 vectors for 2 points",
        ),
        (
            "PUT /collections/c/points",
            r#"{"points": [{"id": 1, "vector": [1, 0, 0, 0], "payload": {"n": 18446744073709551615}}]}"#,
            "18446744073709551615",
        ),
        ("PUT /collections/c/points", deep_point.as_str(), "levels deep"),
        ("PUT /collections/c/points?wait=yes", "{\"points\": []}", "wait"),
        ("PUT /collections/c/points?wiat=true", "{\"points\": []}", "wiat"),
        ("POST /collections/c/points/delete", "{}", "must be provided"),
        ("POST /collections/c/points/delete", r#"{"points": [1], "filter": {}}"#, "not both"),
        ("POST /collections/c/points/delete", r#"{"filter": {"must": [{"key": "n", "rnage": {"gt": 0}}]}}"#, "rnage"),
        ("POST /collections/c/points/delete", r#"{"filter": {"must": [{"key": "n"}]}}"#, "says nothing"),
        ("POST /collections/c/points/count", deep_filter.as_str(), "JSON"),
        ("POST /collections/c/points/payload", r#"{"payload": [], "points": [1]}"#, "JSON"),
        ("POST /collections/c/points/payload", r#"{"payload": {"a": 1}, "points": [1], "key": "a..b"}"#, "a..b"),
        ("POST /collections/c/points/batch", r#"{"operations": [{"upset": {}}]}"#, "upset"),
        ("POST /collections/c/points/batch", r#"{"operations": [{"delete": {"points": [1]}, "x": 1}]}"#, "JSON"),
        ("POST /collections/c/points/scroll", r#"{"limit": 0}"#, "must be 1 or larger"),
        ("POST /collections/c/points/scroll", r#"{"limit": -1}"#, "-1"),
        ("POST /collections/c/points/scroll", r#"{"with_payload": {"includes": ["a"]}}"#, "include"),
        ("POST /collections/c/points/scroll", r#"{"order_by": {"key": "n", "form": 1}}"#, "form"),
        ("POST /collections/c/points/query", r#"{"query": {"nearst": [1, 0, 0, 0]}}"#, "query"),
        ("POST /collections/c/points/query", r#"{"query": [1, 0, 0, 0], "limt": 3}"#, "limt"),
        ("POST /collections/c/points/query", r#"{"query": [1, 0, 0, 0], "params": {"hnsw": 3}}"#, "hnsw"),
        ("POST /collections/c/points/query", r#"{"query": {"fusion": "sum"}, "prefetch": []}"#, "sum"),
        ("POST /collections/c/points/query", r#"{"query": [1, 0, 0, 0], "prefetch": [{"quary": 1}]}"#, "quary"),
        ("POST /collections/c/points/query", r#"{"query": [1, 0, 0, 0], "with_vector": ["none"]}"#, "none"),
        ("POST /collections/c/points/query", r#"{"query": "no uuid"}"#, "not a valid point ID"),
        ("POST /collections/c/points/search", r#"{"vector": [1, 0, 0, 0]}"#, "limit"),
        ("POST /collections/c/facet", r#"{"key": "city"}"#, "city"),
        ("POST /collections/c/facet", r#"{"key": "city", "limit": 0}"#, "must be 1 or larger"),
        ("PUT /collections/c/index", r#"{"field_name": "n", "field_schema": "number"}"#, "type of an index"),
        ("PUT /collections/c/index", r#"{"field_name": "n"}"#, "infer type"),
        ("PUT /collections/c/index", r#"{"field_name": "n", "field_schema": {"type": "uuid", "lookup": true}}"#, ""),
        ("PUT /collections/d", r#"{"vectors": {"size": 4, "distance": "cosine"}}"#, "cosine"),
        ("PUT /collections/d", r#"{"vectors": {"size": 0, "distance": "Dot"}}"#, "between 1 and 65536"),
        ("PUT /collections/d", r#"{"vectors": {"size": 4, "distance": "Dot", "on_dsik": true}}"#, "on_dsik"),
        ("PUT /collections/d", r#"{"vectors": {"v": {"size": "4", "distance": "Dot"}}}"#, "vectors"),
        ("PUT /collections/d", r#"{"vectors": {"size": 4, "distance": "Dot"}, "hnsw_config": {"n": 1}}"#, "`n`"),
        ("PUT /collections/a%2Fb", r#"{"vectors": {"size": 4, "distance": "Dot"}}"#, "cannot contain"),
        ("PATCH /collections/c", r#"{"vectors": {"none": {"on_disk": true}}}"#, "none"),
        ("PATCH /collections/c", r#"{"quantization_config": "disabled"}"#, "Disabled"),
        ("POST /collections/aliases", r#"{"actions": [{"make_alias": {}}]}"#, "make_alias"),
        ("PUT /collections/c/snapshots/recover", r#"{"location": 1}"#, "JSON"),
    ];
    for (request, body, text) in cases {
        refused(&server, request, body, 400, text);
    }
    let all = result(&server, "POST /collections/c/points/scroll", &json!({ "limit": u64::MAX, "with_vector": true }));
    let expected: Vec<Json> = (1..=10).map(|n| json!([f64::from(n), 1.0, 0.0, 0.0])).collect();
    let found: Vec<Json> = all["points"].as_array().unwrap().iter().map(|point| point["vector"].clone()).collect();
    assert_eq!(found, expected);
    assert_eq!(result(&server, "GET /collections", &json!({})), json!({ "collections": [{ "name": "c" }] }));
}

/// As deep as JSON may be nested, neither filters nor prefetches take long or end the server.
#[tokio::test]
async fn deep_requests_are_answered() {
    let (_directory, server, client) = fresh();
    create(&client, "c").await;
    fill(&client, "c").await;
    for (what, open, close, levels) in [
        ("filter", r#"{"must": "#, "}", 125),
        ("filter", r#"{"must_not": {"must_not": "#, "}}", 62),
        ("filter", r#"{"must": ["#, "]}", 62),
        ("filter", r#"{"should": [{"must": "#, "}]}", 41),
        ("prefetch", r#"{"query": {"fusion": "rrf"}, "prefetch": ["#, "]}", 62),
    ] {
        let nested = |levels: usize| format!("{}{{}}{}", open.repeat(levels), close.repeat(levels));
        let query = if what == "prefetch" { r#"{"fusion": "rrf"}"# } else { "null" };
        let request = format!(r#"{{"query": {query}, "{what}": {}}}"#, nested(levels));
        let (status, answer) = send(&server, "POST /collections/c/points/query", &request);
        assert_eq!(status, 200, "{what} {open}: {answer}");
        assert_eq!(answer["result"]["points"].as_array().map(Vec::len), Some(10), "{what} {open}: {answer}");
        let deeper = format!(r#"{{"{what}": {}}}"#, nested(levels * 2));
        refused(&server, "POST /collections/c/points/query", &deeper, 400, "recursion limit exceeded");
    }
    let prefetches = r#"{"query": {"fusion": "rrf"}, "prefetch": "#;
    let deep = format!("{}{{}}{}", prefetches.repeat(100), "}".repeat(100));
    refused(&server, "POST /collections/c/points/query", &deep, 400, "exceeds max depth");
}

#[tokio::test]
async fn vectors_are_added_beside_points() {
    let (_directory, server, client) = fresh();
    result(&server, "PUT /collections/n", &json!({ "vectors": { "first": { "size": 2, "distance": "Dot" } } }));
    let point = json!({ "points": [{ "id": 1, "vector": { "first": [1.0, 2.0] } }] });
    result(&server, "PUT /collections/n/points?wait=true", &point);
    let path = "/collections/n/vectors";
    let pages = json!({ "dense": {
        "size": 2, "distance": "Cosine", "datatype": "float16", "multivector_config": { "comparator": "max_sim" },
    } });
    let added = result(&server, &format!("PUT {path}/pages?wait=true"), &pages);
    assert_eq!(added["status"], "completed");
    result(&server, &format!("PUT {path}/words"), &json!({ "sparse": { "modifier": "idf" } }));
    // Again, the same.
    result(&server, &format!("PUT {path}/pages"), &pages);
    let params = result(&server, "GET /collections/n", &json!({}))["config"]["params"].take();
    assert_eq!(params["vectors"]["pages"]["multivector_config"], json!({ "comparator": "max_sim" }));
    assert_eq!(params["sparse_vectors"]["words"]["modifier"], "idf");
    let given = json!({ "points": [{ "id": 1, "vector": {
        "pages": [[3.0, 4.0], [0.0, 1.0]], "words": { "indices": [7], "values": [2.0] },
    } }] });
    result(&server, "PUT /collections/n/points/vectors?wait=true", &given);
    let point = result(&server, "GET /collections/n/points/1", &json!({}));
    assert_eq!(point["vector"]["words"], json!({ "indices": [7], "values": [2.0] }));
    assert_eq!(point["vector"]["pages"].as_array().map(Vec::len), Some(2), "{point}");

    for (request, body, status, text) in [
        ("pages", r#"{"sparse": {}}"#, 400, "there is another vector called `pages`"),
        ("first", r#"{"dense": {"size": 3, "distance": "Dot"}}"#, 400, "there is another vector called `first`"),
        ("x", r#"{"dense": {"size": 0, "distance": "Dot"}}"#, 400, "it must be between 1 and 65536"),
        ("x", r#"{"dense": {"size": 3, "distance": "Dot", "on_disk": true}}"#, 400, "on_disk"),
        ("x", "{}", 400, "expected"),
    ] {
        refused(&server, &format!("PUT {path}/{request}"), body, status, text);
    }
    refused(&server, "PUT /collections/none/vectors/x", r#"{"sparse": {}}"#, 404, "doesn't exist");
    create(&client, "unnamed").await;
    refused(
        &server,
        "PUT /collections/unnamed/vectors/x",
        r#"{"dense": {"size": 3, "distance": "Dot"}}"#,
        400,
        "no name",
    );
    refused(&server, "DELETE /collections/n/vectors/words", "", 501, "not implemented by the embedded server");
}

#[tokio::test]
async fn what_is_not_there_is_said_to_be() {
    let (_directory, server, client) = fresh();
    for request in ["GET /collections/c", "GET /collections/c/aliases", "GET /collections/c/points/1"] {
        refused(&server, request, "", 404, "Collection `c` doesn't exist!");
    }
    let absent = "not implemented by the embedded server";
    for request in [
        "GET /telemetry",
        "GET /cluster",
        "GET /snapshots",
        "POST /snapshots",
        "PUT /collections",
        "GET /collections/c/cluster",
        "POST /collections/c/points/recommend",
        "POST /collections/c/points/query/groups",
        "POST /collections/c/points/search/matrix/pairs",
        "PUT /collections/c/shards",
    ] {
        refused(&server, request, "", 501, absent);
    }
    create(&client, "c").await;
    for (request, body) in [
        ("PUT /collections/c/points", r#"{"points": [{"id": 1, "vector": {"text": "a", "model": "m"}}]}"#),
        ("PUT /collections/c/points", r#"{"points": [{"id": 1, "vector": {"v": {"text": "a", "model": "m"}}}]}"#),
        ("PUT /collections/c/points", r#"{"batch": {"ids": [1], "vectors": [{"image": "a", "model": "m"}]}}"#),
        ("PUT /collections/c/points", r#"{"points": [], "update_mode": "update_only"}"#),
        ("POST /collections/c/points/query", r#"{"query": {"text": "a", "model": "m"}}"#),
        ("POST /collections/c/points/query", r#"{"query": {"nearest": {"object": 1, "model": "m"}}}"#),
        ("POST /collections/c/points/count", r#"{"shard_key": "a"}"#),
        ("PUT /collections/c/snapshots/recover", r#"{"location": "https://example.com/s", "api_key": "k"}"#),
    ] {
        refused(&server, request, body, 501, absent);
    }
    assert_eq!(result(&server, "POST /collections/c/points/count", &json!({})), json!({ "count": 0 }));
}

#[test]
fn bodies_have_a_limit() {
    let (_directory, server, _client) = fresh();
    let body = " ".repeat(32 * 1024 * 1024 + 1);
    refused(&server, "POST /collections/c/points/count", &body, 413, "larger than 32 MiB");
}
