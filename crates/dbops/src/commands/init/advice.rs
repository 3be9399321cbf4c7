//! What is left to the user, and the commands to go on with.

use std::path::Path;

use super::draft::{Draft, Origin};
use crate::commands::Context;
use crate::config::find_from;

/// What is left to the user. Databases that were to be adopted may be `empty`.
pub(super) fn advise(context: &Context, root: &Path, drafts: &[Draft], empty: &[&str]) {
    let ui = &context.ui;
    for draft in drafts {
        let name = &draft.name;
        if draft.has_password() {
            let variable = draft.variable_for("PASSWORD");
            ui.status(format!("{name}: its password was written nowhere: set {variable}, for example in .env"));
        }
        if draft.is_guess {
            let variable = &draft.variable;
            ui.status(format!("{name}: its URL is made up: set {variable}, for example in .env, or correct `url`"));
        }
    }
    let is_here = *root == context.environment.working_directory;
    if context.environment.path("DBOPS_CONFIG").is_some() {
        ui.warn("DBOPS_CONFIG is set, and names the configuration that dbops goes on using: unset it to use this one");
    } else if let Some(hidden) = root.parent().and_then(find_from) {
        let here = if is_here { "here".into() } else { format!("in {}", context.environment.shown(root)) };
        ui.warn(format!("{here} and below, dbops finds the new configuration now, and not {}", hidden.display()));
    }
    let place = if is_here { String::new() } else { format!(" in {}", context.environment.shown(root)) };
    let [first, second] = next(drafts, empty);
    ui.status(format!("next{place}: `{first}`, then `{second}`"));
}

/// The commands to go on with.
fn next(drafts: &[Draft], empty: &[&str]) -> [String; 2] {
    let postgres: Vec<_> = drafts.iter().filter(|draft| !draft.origin.is_qdrant()).collect();
    let which = match postgres[..] {
        [first, _, ..] => format!(" -t {}", first.name),
        _ => String::new(),
    };
    let is_any = |is_so: fn(&Origin) -> bool| {
        let mut origins =
            drafts.iter().filter(|draft| !empty.contains(&draft.name.as_str())).map(|draft| &draft.origin);
        origins.any(is_so)
    };
    if is_any(|origin| matches!(origin, Origin::Alembic(_) | Origin::Database)) {
        ["dbops migrate current".into(), "dbops schema drift".into()]
    } else if is_any(|origin| matches!(origin, Origin::Collections)) {
        ["dbops qdrant plan".into(), "dbops qdrant status".into()]
    } else if !empty.is_empty() || is_any(|origin| matches!(origin, Origin::Postgres)) {
        let revision = format!("dbops migrate revision --autogenerate -m \"create the first tables\"{which}");
        ["dbops doctor".into(), revision]
    } else {
        ["dbops doctor".into(), "dbops qdrant plan".into()]
    }
}
