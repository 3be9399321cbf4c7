//! `environment.md`: the variables that dbops reads, and those that it passes on.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::{agree, code, table};
use crate::environment::{FOR_PROGRAMS, FOR_TERMINAL, VARIABLES};

#[test]
fn the_page_of_variables() {
    let rows = VARIABLES.map(|(name, meaning)| vec![code(name), meaning.to_owned()]);
    let list = |names: &[&str]| names.iter().map(|name| code(name)).collect::<Vec<_>>().join(", ");
    agree(
        "environment.md",
        &format!(
            "# Environment variables\n\nA file `.env` in the working directory stands in for variables that are not set. An \
             empty variable is as one that is not set.\n\n{}\n\
             The configuration names further ones, as in `${{DATABASE_URL:-postgresql://localhost/app}}`: see [Configuration](configuration.md).\n\n\
             ## What programs get\n\n\
             pg_dump, pg_restore and psql get these variables where they are set, and no others: any other may hold a URL with a \
             password.\n\n{}.\n\n\
             `dbops shell` also passes on what concerns the terminal.\n\n{}.\n\n\
             Hooks around a backup, and the program that prints a declared schema, are yours: they get all variables.",
            table(&["variable", "meaning"], rows),
            list(&FOR_PROGRAMS),
            list(&FOR_TERMINAL),
        ),
    );
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    files.into_iter().chain(folders.iter().flat_map(|folder| sources(folder))).collect()
}

/// The names that stand in a call of one of the functions that read a variable.
fn read_in(text: &str) -> BTreeSet<String> {
    let calls = ["environment.text(\"", "environment.path(\"", "environment.get(\"", "text_or_file(\""];
    let own = ["self.text(\"", "self.path(\"", "self.get(\"", " path(\"", "(path(\""];
    let after = calls.iter().chain(&own).flat_map(|call| text.split(call).skip(1));
    let names = after.filter_map(|rest| rest.split_once('"')).map(|(name, _)| name);
    let is_variable = |name: &&str| name.len() > 1 && name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    names.filter(is_variable).map(ToOwned::to_owned).collect()
}

#[test]
fn every_variable_that_is_read_is_described() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut read = BTreeSet::new();
    for path in sources(&own).into_iter().chain([own.join("../../postgres/src/programs.rs")]) {
        read.extend(read_in(&fs::read_to_string(path).expect("a source file")));
    }
    assert!(read.contains("DBOPS_CONFIG") && read.contains("DBOPS_PG_BIN") && read.contains("VIRTUAL_ENV"), "{read:?}");
    for name in read {
        assert!(
            VARIABLES.iter().any(|(known, _)| *known == name),
            "{name} is read and not in `environment::VARIABLES`"
        );
    }
}
