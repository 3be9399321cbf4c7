//! `dbops shell`, `dbops completions`, `dbops man`.

use dbops_testbed::create_database;

use crate::project::Project;

#[test]
fn psql_is_run_on_the_target_and_ends_as_it_ends() {
    let url = create_database("shell");
    let project = Project::with_database(&url);
    let run = project.ok(&["shell", "app", "--", "-XAtc", "SELECT current_database()"]);
    assert_eq!((run.stdout.trim(), run.stderr.as_str()), (url.database(), ""), "{run}");
    let run = project.ok(&["shell", "--", "-XAtc", "SELECT current_setting('application_name')"]);
    assert_eq!(run.stdout, "dbops\n", "{run}");
    // psql's own codes: 1 for a statement of -c that failed, 3 for one of a script that was to stop.
    assert_eq!(project.run(&["shell", "app", "--", "-XAtc", "SELEC 1"]).code, 1);
    project.write("wrong.sql", "SELEC 1;\n");
    assert_eq!(project.run(&["shell", "app", "--", "-X", "-v", "ON_ERROR_STOP=1", "-f", "wrong.sql"]).code, 3);
}

/// The command line of psql is read while it runs, by a program that psql starts.
#[test]
fn the_password_is_in_no_argument() {
    let url = create_database("shell");
    let project = Project::with_database(&url);
    let run = project.ok(&["shell", "app", "--", "-Xc", r"\! tr '\0' ' ' < /proc/$PPID/cmdline; env"]);
    assert!(run.stdout.contains("--dbname=") && run.stdout.contains("PGPASSFILE=/proc/"), "{run}");
    assert!(!run.stdout.contains("s3cret") && !run.stdout.contains("APP_URL"), "{run}");
}

#[test]
fn what_no_shell_can_be_opened_on_is_refused() {
    let project = Project::empty();
    project.write(
        "dbops.yaml",
        "version: 1\ntargets:\n  app:\n    kind: postgres\n    url: postgresql://h/d\n  other:\n    kind: postgres\n    \
         url: postgresql://h/d\n  search:\n    kind: qdrant\n    url: http://h:6333\n",
    );
    let cases: [(&[&str], &str); 4] = [
        (&["shell", "search"], "target `search` is a Qdrant server"),
        (&["shell"], "there are 2: app, other"),
        (&["shell", "ap"], "did you mean `app`?"),
        (&["shell", "app", "--json"], "no JSON document"),
    ];
    for (arguments, message) in cases {
        let run = project.run(arguments);
        assert_eq!(run.code, 2, "{run}");
        assert!(run.to_string().contains(message), "{run}");
    }
}

#[test]
fn completions_are_scripts_that_the_shell_reads() {
    let project = Project::empty();
    let bash = project.ok(&["completions", "bash"]).stdout;
    project.write("dbops.bash", &bash);
    let run = project.shell("bash -n dbops.bash && bash -c '. ./dbops.bash && echo read'");
    assert_eq!((run.code, run.stdout.as_str()), (0, "read\n"), "{run}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = project.ok(&["completions", shell]).stdout;
        for word in ["migrate", "rehearse", "doctor", "no-progress"] {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
        assert_eq!(script, project.ok(&["completions", shell]).stdout, "{shell} is not the same twice");
    }
    assert_eq!(project.run(&["completions", "csh"]).code, 2);
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let project = Project::empty();
    let document = project.json(0, &["man", "pages"]);
    let pages = document["pages"].as_array().expect("pages");
    let page = |name: &str| std::fs::read_to_string(project.path("pages").join(name)).expect("a page");
    for name in ["dbops.1", "dbops-migrate.1", "dbops-migrate-upgrade.1", "dbops-qdrant-snapshot-create.1"] {
        assert!(page(name).contains(".SH NAME"), "{name}");
    }
    assert_eq!(pages.len(), std::fs::read_dir(project.path("pages")).expect("a folder").count());
    let first = page("dbops.1");
    for words in ["EXIT STATUS", ".SH ENVIRONMENT", "DBOPS_BACKUP_PASSPHRASE"] {
        assert!(first.contains(words), "{words}: {first}");
    }
    project.ok(&["man", "pages"]);
    assert_eq!(page("dbops.1"), first);
    let run = project.run(&["man", "pages/dbops.1/below"]);
    assert_eq!(run.code, 1, "{run}");
}
