//! The text of a new configuration.

use dbops_qdrant::yaml_quoted;

use super::draft::{Draft, Origin};

/// Where a target's declared schema comes from.
#[derive(Debug, Clone)]
pub(super) enum Schema {
    /// `NAME/schema.sql`.
    File,
    /// A program and its arguments.
    Command(Vec<String>),
}

const HEAD: &str = "\
# The configuration of dbops. `dbops init` wrote it; it is yours to change.
#
# dbops finds this file by itself when started in this project or below it.
# `dbops config check` reads it and says what is wrong, with the line.
#
# - Paths are relative to this file.
# - ${NAME} is an environment variable and ${NAME:-text} one with a default. A
#   .env file in the working directory is read too; the environment wins.
# - The value of a variable can be in a file as well, the one that the variable
#   NAME_FILE names. Keep passwords out of this file.

version: 1

# What dbops looks after. `-t NAME` picks one on the command line, and without it
# a command acts on all that it can act on.
targets:
";

const TAIL: &str = "
backup:
  # Where backup sets go: a folder, or s3://BUCKET/PREFIX, gs://BUCKET/PREFIX,
  # az://CONTAINER/PREFIX with the variables of their own tools. A folder on the
  # same machine is for development: it is lost with the machine.
  repository: ${DBOPS_BACKUP_REPOSITORY:-../.dbops/backups}
  # What `dbops backup prune` keeps: the last three, and the newest of each of the
  # last 7 days, 5 weeks and 12 months.
  retention: { keep_last: 3, keep_daily: 7, keep_weekly: 5, keep_monthly: 12 }
";

/// The configuration of these targets, each with its schema.
pub(super) fn text(drafts: &[Draft], schemas: &[Option<Schema>]) -> String {
    let mut text = HEAD.to_owned();
    for (draft, schema) in drafts.iter().zip(schemas) {
        let default = draft.default.as_ref().map(|default| format!(":-{default}")).unwrap_or_default();
        let (name, variable) = (&draft.name, &draft.variable);
        let kind = if draft.origin.is_qdrant() { "qdrant" } else { "postgres" };
        text.push_str(&format!("\n  {name}:\n    kind: {kind}\n    url: ${{{variable}{default}}}\n"));
        text.push_str(&if draft.origin.is_qdrant() { qdrant(draft) } else { postgres(draft, schema.as_ref()) });
    }
    text.push_str(TAIL);
    text
}

fn postgres(draft: &Draft, schema: Option<&Schema>) -> String {
    let (name, password) = (&draft.name, draft.variable_for("PASSWORD"));
    let revisions = match draft.origin {
        Origin::Alembic(_) => "# The revisions, imported from Alembic: both go on from one another's rows.",
        _ => "# The revisions: how the database gets from one state to the next.",
    };
    let schema = match schema {
        Some(Schema::File) => {
            format!("    # The declared schema: what the revisions have to lead to.\n    schema: {name}/schema.sql\n")
        }
        Some(Schema::Command(words)) => {
            let words: Vec<_> = words.iter().map(|text| word(text)).collect();
            let words = words.join(", ");
            format!("    # The declared schema: what the models say.\n    schema: {{command: [{words}]}}\n")
        }
        None => format!(
            "    # A declared schema is what the revisions have to lead to: `dbops schema dump {name}`\n    \
             # prints a beginning.\n    # schema: {name}/schema.sql\n"
        ),
    };
    format!(
        "    # For a URL without one; ~/.pgpass works too.\n    password: ${{{password}:-}}\n    \
         # The container that the server runs in, for where there is no psql or pg_dump.\n    # container: NAME\n    \
         {revisions}\n    versions: {name}/versions\n{schema}"
    )
}

fn qdrant(draft: &Draft) -> String {
    let (name, port, key) = (&draft.name, draft.variable_for("GRPC_PORT"), draft.variable_for("API_KEY"));
    format!(
        "    grpc_port: ${{{port}:-6334}}\n    # Empty: the server asks for no key.\n    api_key: ${{{key}:-}}\n    \
         # container: NAME\n    # What is on the server, as declared.\n    collections: {name}/collections.yaml\n"
    )
}

/// A word of a command, as YAML and the expansion of variables take it.
fn word(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '.' | '/'))
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'));
    if is_plain { text.to_owned() } else { yaml_quoted(&text.replace('$', "$$")) }
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn words_are_read_as_they_are_written() {
        let plain = ["python3", "../.venv/bin/python", "/usr/bin/python3.12"];
        assert_eq!(plain.map(word), plain);
        // Among them an é of two characters.
        for text in
            ["", "a b", "-m", "cafe\u{301}/ini", "it's \"so\": #1", "a\\b", "tab\t, line\n", "1", "\u{7f}", "😀"]
        {
            assert_eq!(serde_yaml::from_str::<Vec<String>>(&format!("[{}]", word(text))).expect(text), [text]);
        }
        assert_eq!(word("$HOME/a"), "\"$$HOME/a\"");
    }
}
