//! Configuration: what is wrong with it is said with the place and a way out, and exit code 2.

use crate::project::Project;

/// A configuration, the variables that are set, and what `config check` says about it.
#[test]
fn mistakes_are_named_with_their_place() {
    let cases = [
        ("version: 1\ntargets: {\n", "PROJECT/dbops.yaml:3:1: ", "hint: check indentation"),
        ("version: 1\ntargets: []\n", "PROJECT/dbops.yaml:2:10: targets: invalid type: sequence", ""),
        (
            "version: 1\ntargets:\n  app:\n    kind: postgres\n    ulr: x\n",
            "PROJECT/dbops.yaml:5:5: targets.app: unknown field `ulr`",
            "hint: did you mean `url`?",
        ),
        (
            "version: 1\ntargets:\n  app:\n    kind: postgres\n    url: postgresql://h/d\nbackup:\n  repository: ''\n",
            "PROJECT/dbops.yaml:7: ",
            "hint: name a folder or a bucket",
        ),
        ("version: 2\ntargets: {}\n", "PROJECT/dbops.yaml:1: version 2 is not known", "hint: write `version: 1`"),
        (
            "version: 1\ntargets:\n  app:\n    kind: postgres\n    url: ${NOT_SET}\n",
            "PROJECT/dbops.yaml:5: the environment variable NOT_SET is not set",
            "hint: set NOT_SET, or give a default: ${NOT_SET:-default}",
        ),
        (
            "version: 1\ntargets:\n  app:\n    kind: postgres\n    url: postgresql://u:secret@h:x/d\n",
            "PROJECT/dbops.yaml:5: the URL postgresql://u:***@h:x/d cannot be read",
            "hint: write postgresql://",
        ),
        (
            "version: 1\ntargets:\n  app:\n    kind: postgres\n    url: mysql://u:secret@h/d\n",
            "PROJECT/dbops.yaml:5: this is not a PostgreSQL URL: its scheme is `mysql`",
            "hint: write postgresql://",
        ),
        (
            "version: 1\ntargets:\n  list:\n    kind: postgres\n    url: postgresql://h/d\n",
            "PROJECT/dbops.yaml:3: `list` cannot name a target: it is a subcommand",
            "hint: choose another name",
        ),
        (
            "version: 1\ntargets:\n  q:\n    kind: qdrant\n    url: http://h\n    versions: v\n",
            "PROJECT/dbops.yaml:6: a target of kind qdrant has no key `versions`",
            "",
        ),
        (
            "version: 1\ntargets:\n  q:\n    kind: qdrant\n    url: http://h\n    grpc_port: ${NOT_SET:-many}\n",
            "PROJECT/dbops.yaml:6: this is not a port number",
            "hint: write a number",
        ),
        (
            "version: 1\ntargets:\n  a:\n    kind: postgres\n    url: postgresql://h/d\n  a:\n    kind: postgres\n    \
             url: postgresql://h/d\n",
            "the target `a` is there twice",
            "",
        ),
    ];
    for (text, message, hint) in cases {
        let project = Project::empty();
        project.write("dbops.yaml", text);
        let run = project.run(&["config", "check"]);
        assert_eq!(run.code, 2, "{text}{run}");
        assert_eq!(run.stdout, "", "{text}{run}");
        assert!(run.stderr.starts_with("error: ") && run.stderr.contains(message), "{text}{run}");
        assert!(run.stderr.contains(hint), "{text}{run}");
        assert!(!run.stderr.contains("secret"), "{run}");
    }
}

/// Wherever a password is put by mistake, it is not printed.
#[test]
fn a_misplaced_secret_is_not_shown() {
    let texts = [
        "version: 1\ntargets:\n  a: postgresql://u:SECRET@h/db\n",
        "version: 1\ntargets: postgresql://u:SECRET@h/db\n",
        "version: postgresql://u:SECRET@h/db\n",
        "version: 1\ntargets:\n  a:\n    kind: \"postgresql://u:SECRET@h/db\"\n    url: x\n",
        "version: 1\ntargets:\n  a:\n    kind: postgres\n    url: \"host=localhost password=SECRET\"\n",
        "version: 1\ntargets:\n  a:\n    kind: postgres\n    url: \"u:SECRET@host/db\"\n",
        "version: 1\ntargets:\n  a:\n    kind: postgres\n    url: \"postgresql:/u:SECRET@h/d\"\n",
        "version: 1\ntargets:\n  q:\n    kind: qdrant\n    url: http://h\n    grpc_port: SECRET\n",
        "version: 1\ntargets:\n  q:\n    kind: qdrant\n    url: http://h:6333?api-key=SECRET\n",
        "version: 1\ntargets:\n  q:\n    kind: qdrant\n    url: http://u:SECRET@h:6333\n",
    ];
    for text in texts {
        let project = Project::empty();
        project.write("dbops.yaml", text);
        let run = project.run(&["config", "show"]);
        assert_eq!(run.code, 2, "{text}{run}");
        assert!(run.stderr.starts_with("error: PROJECT/dbops.yaml:"), "{text}{run}");
        assert!(!run.stderr.contains("SECRET"), "{text}{run}");
    }
}

#[test]
fn no_configuration_says_where_it_was_looked_for() {
    let run = Project::empty().run(&["config", "check"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.starts_with("error: no config/dbops.yaml or dbops.yaml in PROJECT or above it"), "{run}");
}

#[test]
fn dotenv_stands_in_for_unset_variables_only() {
    let text =
        "version: 1\ntargets:\n  app:\n    kind: postgres\n    url: postgresql+asyncpg://u:${PASSWORD}@${HOST}/d\n";
    let project = Project::empty().env("HOST", "from-environment");
    project.write("config/dbops.yaml", &format!("\u{feff}{text}"));
    project.write(".env", "# comment\nHOST=from-dotenv\nexport PASSWORD='s3cret'\n");
    let shown = project.json(0, &["config", "show"]);
    assert_eq!(shown["targets"][0]["url"], "postgresql://u:***@from-environment:5432/d");

    project.write(".env", "PASSWORD='s3cret\n");
    let run = project.run(&["config", "show"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains(".env:1: cannot be read") && !run.stderr.contains("s3cret"), "{run}");
}

/// What the files hold, what is set besides, and the message where there is no password.
#[test]
fn a_variable_can_be_in_a_file_that_another_one_names() {
    let text = "version: 1\ntargets:\n  app:\n    kind: postgres\n    url: ${APP_URL:-postgresql://u@h/d}\n    \
                password: ${PASSWORD:-}\n";
    let project = || {
        let project = Project::empty();
        project.write("dbops.yaml", text);
        project
    };
    for content in ["it's: @/ s3cret", "it's: @/ s3cret\n", "it's: @/ s3cret\r\n"] {
        let project = project().env("PASSWORD_FILE", "secrets/password");
        project.write("secrets/password", content);
        let shown = project.json(0, &["config", "show"]);
        assert_eq!(shown["targets"][0]["url"], "postgresql://u:***@h:5432/d", "{content:?}");
    }
    assert_eq!(project().json(0, &["config", "show"])["targets"][0]["url"], "postgresql://u@h:5432/d");
    // An empty variable is as one that is not set.
    let unset = project().env("PASSWORD_FILE", "");
    assert_eq!(unset.json(0, &["config", "show"])["targets"][0]["url"], "postgresql://u@h:5432/d");

    let cases = [
        ("", None, "dbops.yaml:6: the environment variable PASSWORD_FILE names password, which is empty"),
        ("\n", None, "names password, which is empty"),
        ("s3cret", Some("s3cret"), "the environment variable PASSWORD_FILE and PASSWORD are both set"),
    ];
    for (content, set, message) in cases {
        let project = project().env("PASSWORD_FILE", "password").env("PASSWORD", set.unwrap_or_default());
        project.write("password", content);
        let run = project.run(&["config", "show"]);
        assert_eq!(run.code, 2, "{content:?} {run}");
        assert!(run.stderr.contains(message) && run.stderr.contains("hint: let PASSWORD_FILE name"), "{run}");
        assert!(!run.stderr.contains("s3cret"), "{run}");
    }
    let run = project().env("PASSWORD_FILE", "missing").run(&["config", "show"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("PASSWORD_FILE names missing: No such file"), "{run}");
}

/// The password as it is, in a file, gets in; the one in a URL comes before it.
#[test]
fn a_password_stands_in_where_the_url_has_none() {
    let url = dbops_testbed::create_database("password");
    let password = String::from_utf8_lossy(url.password().expect("a password")).into_owned();
    let (host, port) = url.servers().remove(0);
    let bare = format!("postgresql://{}@{host}:{port}/{}", url.user(), url.database());
    let project = |url: &str| {
        let project = Project::empty().env("APP_URL", url).env("PASSWORD_FILE", "password");
        let target = "kind: postgres\n    url: ${APP_URL}\n    password: ${PASSWORD}";
        project.write("dbops.yaml", &format!("version: 1\ntargets:\n  app:\n    {target}\n"));
        project
    };
    for (url, content, code) in [(&*bare, &*password, 0), (&bare, "wrong", 3), (&url.reveal(), "wrong", 0)] {
        let project = project(url);
        project.write("password", content);
        project.write("app/versions/README", "");
        let run = project.run(&["health", "--check", "authentication"]);
        assert_eq!(run.code, code, "{content}: {run}");
        assert!(!run.to_string().contains(&password), "{run}");
    }
}

#[test]
fn wrong_usage_is_an_error_document_under_json() {
    let project = Project::empty();
    let error = &project.json(2, &["no-such-command"])["error"];
    assert_eq!(error["kind"], "usage");
    assert_eq!(error["message"], "unrecognized subcommand 'no-such-command'");
    assert_eq!(project.run(&["--help"]).code, 0);
}
