//! What is left to the user, and the commands to go on with.

use std::path::Path;

use super::draft::{Draft, Origin};
use crate::commands::Context;

/// What is left to the user.
pub(super) fn advise(context: &Context, root: &Path, drafts: &[Draft]) {
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
    if context.environment.path("DBOPS_CONFIG").is_some() {
        ui.warn("DBOPS_CONFIG is set, and names the configuration that dbops goes on using: unset it to use this one");
    }
    let is_here = *root == context.environment.working_directory;
    let place = if is_here { String::new() } else { format!(" in {}", context.environment.shown(root)) };
    let [first, second] = next(drafts);
    ui.status(format!("next{place}: `{first}`, then `{second}`"));
}

/// The commands to go on with.
fn next(drafts: &[Draft]) -> [String; 2] {
    let postgres: Vec<_> = drafts.iter().filter(|draft| !draft.origin.is_qdrant()).collect();
    let which = match postgres[..] {
        [first, _, ..] => format!(" -t {}", first.name),
        _ => String::new(),
    };
    let is_any = |is_so: fn(&Origin) -> bool| drafts.iter().any(|draft| is_so(&draft.origin));
    if is_any(|origin| matches!(origin, Origin::Alembic(_) | Origin::Database)) {
        ["dbops migrate current".into(), "dbops schema drift".into()]
    } else if is_any(|origin| matches!(origin, Origin::Collections)) {
        ["dbops qdrant plan".into(), "dbops qdrant status".into()]
    } else if is_any(|origin| matches!(origin, Origin::Postgres)) {
        let revision = format!("dbops migrate revision --autogenerate -m \"create the first tables\"{which}");
        ["dbops doctor".into(), revision]
    } else {
        ["dbops doctor".into(), "dbops qdrant plan".into()]
    }
}
