//! The JSON schema of the file of declared collections: what editors complete and check, from the same table as the
//! reader. What it cannot say (a name that is there twice, an alias that is also a collection) only the reader finds.

use serde_json::{Map, Value as Json, json};

use crate::IndexType;
use crate::file::{OF_COLLECTION, OF_SOURCE};
use crate::parameter::{Kind, NONE, Parameter, Scope, join, keys, parameter, parameters};

/// What a collection or an alias may be called, in the schema's regular expressions: see the reader's `check_name`.
const NAME: &str = r#"^[^<>:"/\\|?*\u0000-\u001f\u007f-\u009f]{1,255}$"#;

/// The schema, for JSON Schema's draft 7, which editors know best.
#[must_use]
pub fn json_schema() -> Json {
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Qdrant collections, as dbops reads them",
        "type": "object",
        "additionalProperties": false,
        "required": ["version", "collections"],
        "properties": {
            "version": { "const": 1 },
            "collections": {
                "description": "The collections by name.",
                "type": ["object", "null"],
                "propertyNames": { "pattern": NAME },
                "additionalProperties": { "$ref": "#/definitions/collection" },
            },
        },
        "definitions": {
            "collection": collection(),
            "vector": section(Scope::Vector, ""),
            "sparse_vector": section(Scope::SparseVector, ""),
            "payload_index": { "anyOf": IndexType::ALL.map(payload_index) },
        },
    })
}

fn collection() -> Json {
    let mut collection = section(Scope::Collection, "");
    // One that says nothing has no vector.
    collection["type"] = json!("object");
    let named = |what: &str| {
        let each = json!({ "$ref": what });
        json!({ "type": "object", "propertyNames": { "minLength": 1 }, "additionalProperties": each })
    };
    let some = |mut schema: Json| {
        schema["minProperties"] = json!(1);
        schema
    };
    let vector = "#/definitions/vector";
    let mut sparse = named("#/definitions/sparse_vector");
    collection["anyOf"] = json!([
        { "required": ["vectors"] },
        { "required": ["sparse_vectors"], "properties": { "sparse_vectors": some(sparse.clone()) } },
    ]);
    sparse["type"] = json!(["object", "null"]);
    let own = [
        json!({ "description": "The name that applications use.", "type": "string", "pattern": NAME }),
        json!({
            "description": "The dense vectors: one without a name, or a map of names to such entries.",
            "anyOf": [{ "$ref": vector }, some(named(vector))],
        }),
        sparse,
        json!({
            "description": "Payload path to index.",
            "type": ["object", "null"],
            "propertyNames": { "pattern": r"\S" },
            "additionalProperties": { "$ref": "#/definitions/payload_index" },
        }),
        source(),
    ];
    for (key, schema) in OF_COLLECTION.into_iter().zip(own) {
        collection["properties"][key] = schema;
    }
    collection
}

/// `from`. Whether each vector has its column only the reader tells.
fn source() -> Json {
    let name = |about: &str| json!({ "description": about, "type": "string", "minLength": 1 });
    let names = json!({ "type": "array", "minItems": 1, "items": { "type": "string", "minLength": 1 } });
    let columns = |about: &str, keys: Json| {
        let column = json!({ "type": "string", "minLength": 1 });
        json!({ "description": about, "type": ["object", "null"], "propertyNames": keys, "additionalProperties": column })
    };
    let path = json!({ "pattern": r"^(?!_dbops(\.|$))[^.]+(\.[^.]+)*$" });
    let own = [
        name("The PostgreSQL target that has the table."),
        name("The table's schema; public unless it is given."),
        name("The table or view."),
        json!({ "description": "The column or columns that tell rows apart.", "anyOf": [name("A column."), names] }),
        name("The column of the vector without a name."),
        columns("Name of a vector to column.", json!({ "minLength": 1 })),
        columns("Path in the payload to column.", path),
        name("The column with the time of a row's last change."),
    ];
    let properties: Map<_, _> = OF_SOURCE.into_iter().map(str::to_owned).zip(own).collect();
    json!({
        "description": "The table that the points come from, for `dbops qdrant sync`.",
        "type": "object",
        "additionalProperties": false,
        "required": ["target", "table", "key"],
        "properties": properties,
    })
}

fn payload_index(index_type: IndexType) -> Json {
    let mut index = section(Scope::PayloadIndex(index_type), "");
    index["type"] = json!("object");
    index["required"] = json!(["type"]);
    index["properties"]["type"] = json!({ "const": index_type.name() });
    if index_type == IndexType::Integer {
        let off = json!({ "const": false });
        index["not"] = json!({ "required": ["lookup", "range"], "properties": { "lookup": off, "range": off } });
    }
    index
}

/// A map with what may stand below `prefix`.
fn section(scope: Scope, prefix: &str) -> Json {
    let mut properties = Map::new();
    for key in keys(scope, prefix) {
        let path = join(prefix, key);
        let schema = match (parameter(scope, &path), keys(scope, &path).is_empty()) {
            (Some(choice), false) => chosen(scope, choice),
            (Some(parameter), true) => value(parameter),
            (None, _) => section(scope, &path),
        };
        properties.insert(key.to_owned(), schema);
    }
    let required: Vec<_> = parameters(scope)
        .filter(|parameter| parameter.is_required)
        .filter_map(|parameter| match parameter.path.rsplit_once('.') {
            Some((parent, name)) => Some(name).filter(|_| parent == prefix),
            None => Some(parameter.path).filter(|_| prefix.is_empty()),
        })
        .collect();
    // A map of which all is commented out is no mistake, unless something has to be in it.
    let kind = if required.is_empty() { json!(["object", "null"]) } else { json!("object") };
    json!({ "type": kind, "additionalProperties": false, "required": required, "properties": properties })
}

fn chosen(scope: Scope, choice: &Parameter) -> Json {
    let mut map = section(scope, choice.path);
    map["type"] = json!("object");
    map["minProperties"] = json!(1);
    map["maxProperties"] = json!(1);
    json!({ "description": sentence(choice.about), "anyOf": [{ "const": NONE }, map] })
}

fn value(parameter: &Parameter) -> Json {
    let mut schema = match parameter.kind {
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Integer { least, most: u64::MAX } => json!({ "type": "integer", "minimum": least }),
        Kind::Integer { least, most } => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::Float { least, most } => json!({ "type": "number", "minimum": least, "maximum": most }),
        Kind::Word(_) | Kind::Name(_) | Kind::Choice(_) => json!({ "enum": parameter.kind.words() }),
        Kind::Set([]) => json!({ "type": "array", "uniqueItems": true, "items": { "type": "string", "minLength": 1 } }),
        Kind::Set(words) => json!({ "type": "array", "uniqueItems": true, "items": { "enum": words } }),
        Kind::PerVector(limit) => json!({
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": false,
                "required": [limit],
                "properties": { limit: { "type": "integer", "minimum": 1 } },
            },
        }),
        Kind::Text => json!({ "type": "string", "minLength": 1 }),
    };
    schema["description"] = json!(sentence(parameter.about));
    schema
}

fn sentence(about: &str) -> String {
    let mut letters = about.chars();
    letters.next().map(|first| format!("{}{}.", first.to_uppercase(), letters.as_str())).unwrap_or_default()
}
