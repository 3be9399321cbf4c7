//! What is written almost so: the message names what was probably meant, whatever it is the name of.

use std::fs;

use crate::qdrant_sync::Bot;

/// The command line, and what is suggested.
#[test]
fn what_was_probably_meant_is_named() {
    let bot = Bot::notes();
    let project = &bot.project;
    project.write("dbops.yaml", &{
        let text = fs::read_to_string(project.path("dbops.yaml")).expect("the configuration");
        text.replace("collections.yaml\n", "collections.yaml\nhealth: { skip: [settings, disk_space] }\n")
    });
    fs::create_dir_all(project.path("app/versions")).expect("a folder");
    let revision = "-- revision: 8f3c2a9d41be\n-- revises:\n-- branch_labels: users\n-- depends_on:\n-- message: add a table\n-- created: \
                    2026-11-22T21:05:01Z\n\n-- +up\nCREATE TABLE a (id int);\n\n-- +down\nDROP TABLE a;\n";
    project.write("app/versions/20261122T210501Z_8f3c2a9d41be_add_a_table.sql", revision);
    let collection = bot.collection.as_str();
    project.ok(&["qdrant", "alias", "set", "notes_live", collection]);
    let id = project.json(0, &["backup", "app"])["id"].as_str().expect("an id").to_owned();
    let mistyped = format!("{}x", &collection[..collection.len() - 1]);
    let (short_id, long_id) = (format!("{}0", &id[..18]), id.replace('Z', ""));
    let snapshot =
        project.json(0, &["qdrant", "snapshot", "create", collection])["targets"][0]["snapshots"][0]["name"].clone();
    let snapshot = snapshot.as_str().expect("a name");
    let mistyped_snapshot = snapshot.replace(".snapshot", ".snapshto");

    let cases: [(&[&str], &str); 30] = [
        // Commands and options, which clap knows.
        (&["migarte"], "'migrate'"),
        (&["migrate", "histroy"], "'history'"),
        (&["qdrant", "snapshot", "lst"], "'list'"),
        (&["migrate", "upgrade", "head", "--dryrun"], "'--dry-run'"),
        (&["health", "--format", "promethus"], "'prometheus'"),
        (&["backup", "verfy"], "`dbops backup verify`"),
        (&["backup", "verfy", "--all"], "`dbops backup verify`"),
        // Targets.
        (&["migrate", "-t", "ap"], "`app`"),
        (&["health", "serach"], "`search`"),
        (&["status", "aap"], "`app`"),
        (&["doctor", "appp"], "`app`"),
        (&["shell", "ap"], "`app`"),
        (&["restore", "latest", "ap"], "`app`"),
        (&["schema", "show", "apq"], "`app`"),
        (&["schema", "diff", "--from", "apq", "--to", "app"], "`app`"),
        (&["qdrant", "status", "-t", "searhc"], "`search`"),
        // Revisions.
        (&["migrate", "upgrade", "8f3c2a9d41bf"], "`8f3c2a9d41be`"),
        (&["migrate", "show", "haed"], "`head`"),
        (&["migrate", "stamp", "usres"], "`users`"),
        (&["migrate", "history", "8f3c2a9d41eb:"], "`8f3c2a9d41be`"),
        // Backups.
        (&["backup", "show", &short_id], id.as_str()),
        (&["backup", "delete", &long_id], id.as_str()),
        (&["restore", "lastest", "app"], "`latest`"),
        // Collections, aliases, snapshots, vectors' tables.
        (&["qdrant", "shards", "list", &mistyped], collection),
        (&["qdrant", "verify", &mistyped], collection),
        (&["qdrant", "alias", "delete", "notes_life"], "`notes_live`"),
        (&["qdrant", "snapshot", "delete", collection, &mistyped_snapshot], snapshot),
        (&["schema", "show", "app", "nots"], "`notes`"),
        // Checks.
        (&["health", "--check", "sequence"], "`sequences`"),
        (&["health", "--skip", "disk_spcae"], "`disk_space`"),
    ];
    for (arguments, meant) in cases {
        let run = project.run(arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {run}");
        let hint = run
            .stderr
            .lines()
            .find(|line| line.contains("did you mean") || line.contains("similar"))
            .unwrap_or_default();
        assert!(hint.contains(meant), "{arguments:?} should suggest {meant}: {run}");
        if arguments[0] != "shell" {
            let error = &project.json(2, arguments)["error"];
            assert!(error["hint"].as_str().is_some_and(|hint| hint.contains(meant)), "{arguments:?}: {error}");
        }
    }

    // Keys of the configuration, and rules.
    let config = fs::read_to_string(project.path("dbops.yaml")).expect("the configuration");
    let cases = [
        (config.replace("repository:", "repositroy:"), "`repository`"),
        (config.replace("health:", "heatlh:"), "`health`"),
        (config.replace("    collections:", "    collection:"), "`collections`"),
        (config.replace("[settings,", "[setings,"), "`settings`"),
        (format!("{config}lint: {{ rules: {{ mesage: off }} }}\n"), "`message`"),
    ];
    for (text, meant) in cases {
        assert_ne!(text, config, "{meant}");
        project.write("dbops.yaml", &text);
        let run = project.run(&["config", "check"]);
        assert!(
            run.code == 2 && run.stderr.contains("hint: did you mean") && run.stderr.contains(meant),
            "{text}{run}"
        );
    }
    // What is like nothing is answered with what there is.
    project.write("dbops.yaml", &config);
    let run = project.run(&["health", "nothing-like-it"]);
    assert!(run.stderr.contains("hint: choose from `app`, `search`"), "{run}");
}
