//! What is shown at a terminal: as wide as it is, in colours unless they are not wanted, and nothing but data when quiet.

use dbops_testbed::create_database;

use crate::project::{Project, Run, execute};
use crate::stack::Stack;

/// Commands that show something and change nothing, with the exit code that they have after `migrate` and `backup`.
const READING: [(&str, i32); 29] = [
    ("status", 0),
    ("config check", 0),
    ("config show", 0),
    ("doctor", 0),
    ("migrate current", 0),
    ("migrate heads", 0),
    ("migrate branches", 0),
    ("migrate history -t bot_db", 0),
    ("migrate history --verbose -t bot_db", 0),
    ("migrate history --graph -t bot_db", 0),
    ("migrate check", 0),
    ("migrate lint", 0),
    ("migrate lint --list", 0),
    ("migrate upgrade head --dry-run -t bot_db", 0),
    ("schema show bot_db users", 0),
    ("schema drift", 0),
    ("schema diff --from bot_db --to declared:bot_db", 0),
    ("backup list", 0),
    ("backup show latest", 0),
    ("backup verify", 0),
    ("backup prune --dry-run --keep-last 1", 0),
    ("health", 0),
    ("health -v", 0),
    ("health --list", 0),
    ("qdrant status", 0),
    ("qdrant plan", 0),
    ("qdrant alias list", 0),
    ("qdrant snapshot list", 0),
    ("qdrant shards list", 0),
];

/// As at a terminal of so many columns, which gets both streams.
fn at_terminal(project: &Project, columns: u32, line: &str) -> Run {
    project.shell(&format!("script -qec 'stty rows 24 cols {columns}; export TERM=xterm; {line}' /dev/null </dev/null"))
}

fn stack() -> Stack {
    let stack = Stack::start();
    stack.project.ok(&["migrate"]);
    stack.project.ok(&["backup"]);
    stack.project.ok(&["qdrant", "snapshot", "create"]);
    stack
}

/// Text without what steers the terminal: colours, and the line that is drawn over and over.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if character == '\u{1b}' {
            rest.by_ref().skip(1).find(char::is_ascii_alphabetic);
        } else {
            plain.push(character);
        }
    }
    plain
}

#[test]
fn what_is_shown_fits_80_columns_and_quiet_leaves_the_data() {
    let stack = stack();
    let project = &stack.project;
    let mut too_wide = Vec::new();
    for (line, code) in READING {
        let arguments: Vec<_> = line.split(' ').collect();
        let loud = project.run(&arguments);
        assert_eq!(loud.code, code, "dbops {line}: {loud}");
        if !arguments.contains(&"-v") && !arguments.contains(&"--verbose") {
            let quiet = project.run(&[&arguments[..], &["-q"]].concat());
            assert_eq!((quiet.code, quiet.stderr.as_str()), (code, ""), "dbops {line} -q: {quiet}");
            assert_eq!(quiet.stdout.lines().count(), loud.stdout.lines().count(), "dbops {line} -q: {quiet}\n{loud}");
        }
        assert!(!loud.to_string().contains('\u{1b}'), "colours in a pipe: dbops {line}: {loud}");

        let shown = at_terminal(project, 80, &format!("dbops --no-progress {line}"));
        for shown in plain(&shown.stdout).lines() {
            // A name in one piece, such as a path, may be longer than a line.
            let is_one_word = shown.split_whitespace().any(|word| word.chars().count() > 50);
            if shown.trim_end().chars().count() > 80 && !is_one_word {
                too_wide.push(format!("dbops {line}: {shown}"));
            }
        }
    }
    assert!(too_wide.is_empty(), "{}", too_wide.join("\n"));
}

#[test]
fn colours_are_there_where_they_are_wanted() {
    let stack = stack();
    let project = &stack.project;
    let cases = [
        ("dbops health", true),
        ("NO_COLOR=1 dbops health", false),
        ("NO_COLOR=0 dbops health", false),
        ("dbops --color never health", false),
        ("NO_COLOR=1 dbops --color always health", true),
        ("TERM=dumb dbops health", false),
        ("dbops health | cat", false),
        ("dbops --color always health | cat", true),
    ];
    for (line, is_coloured) in cases {
        let shown = at_terminal(project, 80, &line.replacen("dbops", "dbops --no-progress", 1));
        assert_eq!(shown.code, 0, "{line}: {shown}");
        assert_eq!(shown.stdout.contains("\u{1b}["), is_coloured, "{line}: {shown:?}");
    }
    // A usage error goes the same way.
    let shown = at_terminal(project, 80, "NO_COLOR=1 dbops no-such-command");
    assert!(shown.stdout.contains("unrecognized subcommand") && !shown.stdout.contains("\u{1b}["), "{shown:?}");
}

/// Names and comments that set the terminal's title, clear it, colour it or ring its bell.
#[test]
fn a_terminal_obeys_nothing_that_a_database_says() {
    let url = create_database("obeyed");
    let project = Project::with_database(&url);
    let config = std::fs::read_to_string(project.path("dbops.yaml")).expect("a file");
    project.write("dbops.yaml", &config.replace("versions: versions", "versions: versions\n    schema: schema.sql"));
    project.write("schema.sql", "CREATE TABLE good (id int);\n");
    project.revision("aaaa1111", "", "CREATE TABLE good (id int);", "DROP TABLE good;");
    project.ok(&["migrate"]);
    let table = "a\u{1b}[31m\u{1b}]0;title\u{7}b";
    let column = "c\u{1b}[2J\u{9b}5n";
    execute(
        &url,
        &format!(
            "CREATE TABLE \"{table}\" (\"{column}\" text DEFAULT E'\u{1b}c' PRIMARY KEY CHECK (\"{column}\" <> '\u{8}'));
             COMMENT ON TABLE \"{table}\" IS 'of two\u{1b}[8m\nlines';
             COMMENT ON COLUMN \"{table}\".\"{column}\" IS 'x\u{1b}[1A'; ALTER TABLE good ADD \"{column}\" int"
        ),
    );
    let (escaped, typed) = (r"a\u{1b}[31m\u{1b}]0;title\u{7}b", "$(printf 'a\\033[31m\\033]0;title\\007b')");
    let cases = [
        ("schema show app".to_owned(), 0, escaped),
        (format!("schema show app \"{typed}\""), 0, escaped),
        ("schema drift".to_owned(), 3, escaped),
        ("schema diff --from declared:app --to app".to_owned(), 0, escaped),
        ("migrate revision --autogenerate --against live -m x".to_owned(), 4, escaped),
        (format!("schema show app \"{typed}x\""), 2, r"]0;title\u{7}bx"),
    ];
    for (line, code, expected) in cases {
        // dbops alone stands at the terminal: the shell of `script` would obey the line.
        project.write("line.sh", &format!("dbops --no-progress --color never {line}\n"));
        let shown = at_terminal(&project, 200, "sh line.sh");
        assert_eq!(shown.code, code, "{line}: {shown:?}");
        assert!(shown.stdout.contains(expected), "{line}: {shown:?}");
        let obeyed = |c: char| c.is_control() && !['\n', '\r', '\t'].contains(&c);
        assert!(!shown.stdout.contains(obeyed), "{line}: {shown:?}");
    }
    // In a pipe SQL is as it is.
    let run = project.ok(&["schema", "diff", "--from", "declared:app", "--to", "app"]);
    assert!(run.stdout.contains(&format!("CREATE TABLE public.\"{table}\" (\n")), "{run}");
    let copy = create_database("obeyed");
    execute(&copy, &format!("CREATE TABLE good (id int); {}", run.stdout));
    let run = project.ok(&["schema", "diff", "--from", &copy.reveal(), "--to", "app"]);
    assert_eq!(run.stdout, "", "{run}");
}

/// As `head` does: what was begun is done, and the exit code is its own.
#[test]
fn a_reader_that_goes_away_changes_nothing() {
    let url = create_database("unread");
    let project = Project::with_database(&url);
    project.revision("aaaa1111", "", "CREATE TABLE a (id int);", "DROP TABLE a;");
    let unread = |arguments: &[&str]| {
        let mut child = project.command(arguments).spawn().expect("it starts");
        drop(child.stdout.take());
        child.wait_with_output().expect("it ends").status.code()
    };
    assert_eq!(unread(&["migrate", "check"]), Some(3));
    assert_eq!(unread(&["health", "--check", "migrations", "--json"]), Some(3));
    // What would go on for ever ends.
    assert_eq!(unread(&["health", "--check", "migrations", "--watch", "1"]), Some(0));
    assert_eq!(unread(&["migrate", "current"]), Some(0));
}
