//! What is shown at a terminal: as wide as it is, in colours unless they are not wanted, and nothing but data when quiet.

use dbops_testbed::create_database;

use crate::project::{Project, Run};
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
