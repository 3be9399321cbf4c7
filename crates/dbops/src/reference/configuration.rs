//! `configuration.md`: every key of `dbops.yaml`, as the JSON schema describes it, which a test compares with the reader.

use serde_json::Value as Json;

use super::{agree, code, table};
use crate::config::json_schema;

#[test]
fn the_page_of_keys() {
    let schema = json_schema();
    let properties = &schema["properties"];
    let target = &properties["targets"]["additionalProperties"];
    let mut page = format!(
        "# Configuration\n\n{}\n\n`dbops config check` says whether a file can be used, `dbops config show` what dbops makes of it, \
         and `dbops config schema` prints this page's contents for editors. A variable that is not set and has no default is an \
         error; `$$` stands for a dollar sign. Where `NAME` is not set, its value is looked for in the file that `NAME_FILE` \
         names.\n",
        schema["description"].as_str().expect("a description")
    );
    let sections = [
        ("At the top", &schema, ""),
        ("A PostgreSQL target", &target["else"], "targets.NAME."),
        ("A Qdrant target", &target["then"], "targets.NAME."),
        ("Backups", &properties["backup"], "backup."),
        ("Lint rules", &properties["lint"], "lint."),
    ];
    for (title, schema, path) in sections {
        let mut rows = Vec::new();
        collect(schema, path, &mut rows);
        page.push_str(&format!("\n## {title}\n\n"));
        page.push_str(&table(&["key", "what it may be", "default", "meaning"], rows));
    }
    page.push_str(
        "\nThe names of rules are in [Lint rules](lint-rules.md).\n\n## Health checks\n\n`health.CHECK` has the keys `warning` and \
         `critical`, from where on the check warns, and `severity`, the most that a finding counts as: `ok`, `warning` or \
         `critical`. `health.skip` is a list of checks that are left out. The checks, their units and their own limits are in \
         [Health checks](health-checks.md).\n\nThe file of declared collections is described in [Qdrant](../qdrant.md).\n",
    );
    agree("configuration.md", &page);
}

/// A row for each key, the required ones first, and below a map those of the map. Parts with a section of their own are
/// left to it.
fn collect(schema: &Json, path: &str, rows: &mut Vec<Vec<String>>) {
    let Some(properties) = schema["properties"].as_object() else { return };
    let is_required = |key: &str| schema["required"].as_array().is_some_and(|keys| keys.iter().any(|it| it == key));
    let mut keys: Vec<_> = properties.iter().collect();
    // Their order depends on how serde_json was built.
    keys.sort_by_key(|(key, _)| (!is_required(key), key.as_str()));
    for (key, property) in keys {
        if property["properties"].is_object() && !path.is_empty() {
            collect(property, &format!("{path}{key}."), rows);
        } else {
            let default = match &property["default"] {
                Json::Null if is_required(key) => "(required)".into(),
                Json::Null => String::new(),
                Json::String(text) => code(text),
                other => code(&other.to_string()),
            };
            let about = property["description"].as_str().unwrap_or_default().to_owned();
            rows.push(vec![code(&format!("{path}{key}")), kind(property), default, about]);
        }
    }
}

/// What a value may be, in words.
fn kind(schema: &Json) -> String {
    if !schema["const"].is_null() {
        return code(schema["const"].as_str().map_or_else(|| schema["const"].to_string(), ToOwned::to_owned).as_str());
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let kinds: Vec<_> = choices.iter().map(kind).filter(|kind| !kind.is_empty()).collect();
        // A number may be written as a text; that there may be nothing goes without saying.
        let is_number = kinds.iter().any(|kind| kind == "number");
        let mut kinds: Vec<_> = kinds.into_iter().filter(|kind| !is_number || kind != "text").collect();
        kinds.dedup();
        return kinds.join(" or ");
    }
    let names = match &schema["type"] {
        Json::Array(names) => names.iter().filter_map(Json::as_str).collect(),
        Json::String(name) => vec![name.as_str()],
        _ => Vec::new(),
    };
    let word = |name: &&str| match *name {
        "string" => "text",
        "integer" | "number" => "number",
        "array" => "list",
        "object" => "map",
        _ => "",
    };
    names.iter().map(word).find(|word| !word.is_empty()).unwrap_or_default().to_owned()
}
