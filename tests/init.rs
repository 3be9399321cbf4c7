//! `dbops init`: what it writes, what it refuses, and that it writes nothing then.

use std::fs;

use dbops_testbed::{create_database, start_qdrant_with, unique};
use serde_json::json;

use crate::alembic::address;
use crate::project::{Project, execute, query};
use crate::python::python;

/// Every file below the project's folder, without git's own.
fn files(project: &Project) -> Vec<String> {
    let find = "find . -type f -not -path './.git/*' | sort";
    project.shell(find).stdout.lines().map(|line| line.trim_start_matches("./").to_owned()).collect()
}

fn read(project: &Project, name: &str) -> String {
    fs::read_to_string(project.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn a_new_project_can_be_worked_with() {
    let url = create_database("init");
    let project = Project::empty();
    let run = project.ok(&["init"]);
    let expected = ["config/database/schema.sql", "config/database/versions/.gitkeep", "config/dbops.yaml"];
    assert_eq!(files(&project), expected, "{run}");
    let mut told: Vec<_> = run.stdout.lines().collect();
    told.sort_unstable();
    assert_eq!(told, expected, "{run}");
    assert!(run.stderr.contains("set DATABASE_URL") && run.stderr.contains("next: `dbops doctor`"), "{run}");
    let check = project.ok(&["config", "check"]);
    assert_eq!(check.stdout, "config/dbops.yaml: 1 target, nothing wrong\n");

    let project = project.env("DATABASE_URL", &url.reveal());
    project.write("config/database/schema.sql", "CREATE TABLE users (id int PRIMARY KEY);\n");
    project.ok(&["migrate", "revision", "--autogenerate", "-m", "create the first tables"]);
    project.ok(&["migrate"]);
    assert_eq!(project.ok(&["schema", "drift"]).stdout, "database: equal to schema.sql\n");
    project.ok(&["backup"]);
    assert!(project.path(".dbops/backups").is_dir());
}

#[test]
fn targets_are_named_and_their_passwords_are_not_written() {
    let project = Project::empty();
    let run = project.ok(&[
        "init",
        "shop",
        "--postgres",
        "bot-db=postgresql+asyncpg://bot:s3cret%40@db.example.com:5433/bot?sslmode=require",
        "--postgres",
        "archive=${ARCHIVE:-postgresql://reader@db/archive}",
        "--qdrant",
        "search=https://q1.example.com:6333",
    ]);
    let config = read(&project, "shop/config/dbops.yaml");
    assert!(!config.contains("s3cret") && !run.to_string().contains("s3cret"), "{run}\n{config}");
    for line in [
        "url: ${BOT_DB_URL:-postgresql://bot@db.example.com:5433/bot?sslmode=require}",
        "password: ${BOT_DB_PASSWORD:-}",
        "url: ${ARCHIVE:-postgresql://reader@db/archive}",
        "url: ${SEARCH_URL:-https://q1.example.com:6333}",
        "api_key: ${SEARCH_API_KEY:-}",
        "collections: search/collections.yaml",
    ] {
        assert!(config.contains(&format!("    {line}\n")), "no `{line}` in {config}");
    }
    assert!(run.stderr.contains("bot-db: its password was written nowhere: set BOT_DB_PASSWORD"), "{run}");
    assert!(run.stderr.contains("next in shop: "), "{run}");
    let check = ["--config", "shop/config/dbops.yaml", "config", "check"];
    assert_eq!(project.ok(&check).stdout, "shop/config/dbops.yaml: 3 targets, nothing wrong\n");
}

#[test]
fn what_is_there_is_not_overwritten() {
    let cases = [
        (&["init"][..], "dbops.yaml"),
        (&["init"], "config/dbops.yaml"),
        (&["init"], "config/database/schema.sql"),
        (&["init"], "config/database/versions/20260101T000000Z_1_a.sql"),
        (&["init", "--postgres", "a", "--qdrant", "b"], "config/b/collections.yaml"),
    ];
    for (arguments, there) in cases {
        let project = Project::empty();
        project.write(there, "mine");
        let run = project.run(arguments);
        assert_eq!(run.code, 4, "{there}: {run}");
        assert_eq!(files(&project), [there], "{run}");
        assert_eq!(read(&project, there), "mine");
        let named = there.strip_suffix("/20260101T000000Z_1_a.sql").unwrap_or(there);
        assert!(run.stderr.contains(&format!("not overwritten: {named}")), "{there}: {run}");
    }
    let project = Project::empty();
    project.ok(&["init"]);
    assert_eq!(project.json(4, &["init"])["error"]["kind"], "refused");
}

#[test]
fn a_failure_leaves_nothing_behind() {
    let project = Project::empty();
    // A file where a folder has to be.
    project.write("config/b", "mine");
    let run = project.run(&["init", "--postgres", "a", "--qdrant", "b"]);
    assert_eq!(run.code, 1, "{run}");
    assert_eq!(files(&project), ["config/b"], "{run}");
    assert!(run.stderr.contains("cannot make the folder PROJECT/config/b"), "{run}");
    assert!(!project.path("config/a").exists(), "{run}");
}

#[test]
fn mistakes_are_told_before_anything_is_written() {
    let cases = [
        (&["init", "--postgres", "list"][..], "`list` cannot name a target"),
        (&["init", "--postgres", "a", "--qdrant", "a"], "two targets would be called `a`"),
        (&["init", "--postgres", "mysql://h/d"], "this is not a PostgreSQL URL"),
        (&["init", "--from-database", "${NOWHERE}"], "the environment variable NOWHERE is not set"),
        (
            &["init", "--postgres", "bot-db=${A:-postgresql://h/a}", "--postgres", "bot_db"],
            "`bot-db` and `bot_db` would share",
        ),
        (&["init", "--postgres", "bot", "--qdrant", "BOT"], "`bot` and `BOT` would share their variables: BOT_URL"),
        (&["init", "--postgres", "1x"], "--postgres: `1x` cannot name a target"),
        (&["init", "--qdrant", "bot db"], "--qdrant: `bot db` cannot name a target"),
        (&["init", "--postgres", "me:s3cret@h/d"], "--postgres: this is not a PostgreSQL URL"),
        (&["init", "--from-alembic", "none.ini"], "none.ini: "),
        (&["init", "--from-alembic", "."], " is a folder"),
        (&["init", "--qdrant", "q=http://user:s3cret@h:6333"], "this is not the address of a Qdrant server"),
        (&["init", "--from-qdrant", "http://h:1,s3cret"], "--from-qdrant: this is not the address of a Qdrant server"),
        (&["init", "--from-qdrant", "${NOWHERE}"], "--from-qdrant: the environment variable NOWHERE is not set"),
        (&["init", "--from-qdrant", "${WRONG}"], "--from-qdrant: this is not the address of a Qdrant server"),
        (&["init", "--postgres", "a=${WRONG}"], "--postgres: in the variable WRONG: this is not a PostgreSQL URL"),
        (&["init", "--qdrant", "${NO WHERE}"], "`${NO WHERE}` is not a variable"),
        (&["init", "--qdrant", "odd"], "the configuration that init would write cannot be used"),
        (&["--config", "x.yaml", "init"], "name the project's folder instead"),
        (&["init", "--no-stamp"], "--from-database"),
    ];
    for (arguments, message) in cases {
        let project = Project::empty().env("WRONG", "s3cret").env("ODD_GRPC_PORT", "http");
        let run = project.run(arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {run}");
        assert!(run.stderr.contains(message) && !run.stderr.contains("s3cret"), "{arguments:?}: {run}");
        assert!(run.stderr.contains("hint: ") || run.stderr.contains("Usage: "), "{arguments:?}: {run}");
        assert_eq!(files(&project), [""; 0], "{arguments:?}: {run}");
    }
}

#[test]
fn git_ignores_the_backups() {
    let cases = [
        // Whether git looks after the folder, what it ignores before, and after.
        (false, None, None),
        (true, None, Some(".dbops/\n")),
        (true, Some("/target"), Some("/target\n.dbops/\n")),
        (true, Some(".dbops\n"), Some(".dbops\n")),
    ];
    for (is_repository, before, after) in cases {
        let project = Project::empty();
        if is_repository {
            assert_eq!(project.shell("git init --quiet").code, 0);
        }
        if let Some(text) = before {
            project.write(".gitignore", text);
        }
        let document = project.json(0, &["init"]);
        let now = fs::read_to_string(project.path(".gitignore")).ok();
        assert_eq!(now.as_deref(), after, "{before:?}");
        let count = if before == after { 3 } else { 4 };
        assert_eq!(document["files"].as_array().map(Vec::len), Some(count), "{before:?}: {document}");
    }
}

#[test]
fn a_database_is_stamped_only_when_that_is_wanted() {
    let url = create_database("unwanted");
    execute(&url, "CREATE TABLE users (id int PRIMARY KEY, name text)");
    let tables = "SELECT table_schema, table_name FROM information_schema.tables \
                  WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2";
    let given = format!("app={}", address(&url));
    let project = Project::empty();
    let run = project.run(&["init", "--from-database", &given]);
    assert_eq!(run.code, 4, "{run}");
    assert!(run.stderr.contains("--no-stamp") && files(&project).is_empty(), "{run}");

    let other = Project::empty().env("APP_URL", "postgresql://localhost:1/other");
    let run = other.run(&["init", "--from-database", &given, "--yes"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("unset APP_URL") && files(&other).is_empty(), "{run}");

    let document = project.json(0, &["init", "--from-database", &given, "--no-stamp"]);
    assert_eq!(document["targets"][0]["stamped"], json!([]));
    let password = String::from_utf8_lossy(url.password().expect("a password")).into_owned();
    let config = read(&project, "config/dbops.yaml");
    assert!(!config.contains(&format!(":{password}@")), "{config}");
    assert!(config.contains(&format!("/{}}}\n    # For a URL", url.database())), "{config}");
    assert_eq!(query(&url, tables), ["public|users"]);

    let project = project.env("APP_URL", &url.reveal());
    assert_eq!(project.json(0, &["migrate", "current"])["targets"][0]["up_to_date"], false);
    project.ok(&["migrate", "stamp", "heads"]);
    assert_eq!(project.ok(&["schema", "drift"]).stdout, "app: equal to schema.sql\n");
}

#[test]
fn a_database_with_migrations_is_not_taken_for_one_without() {
    let url = create_database("migrated");
    execute(&url, "CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('abc')");
    let project = Project::empty().env("APP_URL", &url.reveal());
    let run = project.run(&["init", "--from-database", "app=${APP_URL}", "--yes"]);
    assert_eq!(run.code, 4, "{run}");
    assert!(run.stderr.contains("alembic_version says abc") && run.stderr.contains("--from-alembic"), "{run}");
    assert_eq!(files(&project), [""; 0]);

    // An empty table, and an empty database, say nothing.
    execute(&url, "DELETE FROM alembic_version");
    let run = project.ok(&["init", "--from-database", "app=${APP_URL}", "--yes"]);
    assert!(!run.stderr.contains("stamped, now at"), "{run}");
    let next = "next: `dbops doctor`, then `dbops migrate revision --autogenerate";
    assert!(run.stderr.contains(next), "there is nothing that could have drifted: {run}");
    project.ok(&["config", "check"]);
}

#[test]
fn what_is_left_to_stamp_is_told_of_every_database() {
    let (first, second) = (create_database("unwritable"), create_database("writable"));
    for url in [&first, &second] {
        execute(url, "CREATE TABLE users (id int PRIMARY KEY)");
    }
    let read_only = |is_so| {
        execute(&first, &format!("ALTER DATABASE {} SET default_transaction_read_only = {is_so}", first.database()));
    };
    read_only("on");
    let project = Project::empty().env("ONE_URL", &first.reveal()).env("TWO_URL", &second.reveal());
    let adopted = ["--from-database", "one=${ONE_URL}", "--from-database", "two=${TWO_URL}"];
    let run = project.run(&[&["init", "--yes"], &adopted[..]].concat());
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("one is not stamped, nor is what was to follow: two"), "{run}");
    let (_, left) = run.stderr.split_once("`dbops ").expect("a command to go on with");
    let left: Vec<_> = left.split('`').next().unwrap_or_default().split(' ').collect();
    assert_eq!(left, ["migrate", "stamp", "heads", "-t", "one", "-t", "two"], "{run}");

    let writable =
        format!("BEGIN READ WRITE; ALTER DATABASE {} RESET default_transaction_read_only; COMMIT", first.database());
    execute(&first, &writable);
    project.ok(&left);
    for url in [&first, &second] {
        assert_eq!(query(url, "SELECT count(*) FROM alembic_version"), ["1"]);
    }
}

/// The new configuration is the nearer one from then on.
#[test]
fn a_configuration_above_that_is_hidden_is_told() {
    let project = Project::empty();
    project.ok(&["init"]);
    let run = project.ok(&["init", "part", "--postgres", "other"]);
    let warning = "in part and below, dbops finds the new configuration now, and not PROJECT/config/dbops.yaml";
    assert!(run.stderr.contains(warning), "{run}");
    let elsewhere = Project::empty();
    assert!(!elsewhere.ok(&["init"]).stderr.contains("and below"));
}

/// What PostgreSQL has beyond tables: it comes back, and the way down leads to nothing.
#[test]
fn a_rich_schema_becomes_a_baseline() {
    let (url, empty) = (create_database("rich"), create_database("empty"));
    let schema = fs::read_to_string(crate::stack::root().join("config/vector_db/schema.sql")).expect("a schema");
    execute(&url, &schema);
    execute(
        &url,
        "CREATE SCHEMA \"Odd name\"; CREATE DOMAIN \"Odd name\".cents AS int CHECK (VALUE >= 0); \
         CREATE TABLE \"Odd name\".\"a\"\"b\" (id int PRIMARY KEY, price \"Odd name\".cents, at date NOT NULL) ; \
         CREATE TABLE events (id bigint, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at); \
         CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01'); \
         CREATE MATERIALIZED VIEW latest AS SELECT max(at) AS at FROM events; \
         COMMENT ON TABLE events IS 'it''s $1 and -- more'; \
         ALTER TABLE events ENABLE ROW LEVEL SECURITY; CREATE POLICY all_of_them ON events USING (true)",
    );
    let project = Project::empty().env("APP_URL", &url.reveal());
    let document = project.json(0, &["init", "--from-database", "app=${APP_URL}", "--yes"]);
    assert_eq!(document["targets"][0]["stamped"].as_array().map(Vec::len), Some(1), "{document}");
    assert_eq!(project.json(0, &["migrate", "current"])["targets"][0]["up_to_date"], true);
    assert_eq!(project.ok(&["schema", "drift"]).stdout, "app: equal to schema.sql\n");

    let built = project.env("APP_URL", &empty.reveal());
    built.ok(&["migrate"]);
    let diff = built.ok(&["schema", "diff", "--from", &url.reveal(), "--to", "app"]);
    assert_eq!(diff.stdout, "");
}

/// An Alembic project with these lines in its ini and this in its env.py.
fn alembic_project(ini: &str, configure: &str) -> Project {
    let project = Project::empty();
    project.write("db/alembic.ini", &format!("[alembic]\nscript_location = %(here)s/scripts\n{ini}\n"));
    project.write(
        "db/scripts/env.py",
        &format!(
            "from alembic import context\nimport sqlalchemy as sa\nprint('noise')\nmodels = sa.MetaData()\n\
             sa.Table('a', models, sa.Column('id', sa.Integer, primary_key=True), schema='app')\n\
             context.configure(dialect_name='postgresql', {configure})\n\
             with context.begin_transaction():\n    context.run_migrations()\n"
        ),
    );
    project.write(
        "db/scripts/versions/1_first.py",
        "\"\"\"first\n\nCreate Date: 2026-01-01 10:00:00\n\"\"\"\nfrom alembic import op\nrevision = '1'\n\
         down_revision = None\n\ndef upgrade():\n    op.execute('CREATE SCHEMA app')\n    \
         op.execute('CREATE TABLE app.a (id serial PRIMARY KEY)')\n\ndef downgrade():\n    op.execute('DROP SCHEMA app CASCADE')\n",
    );
    project
}

#[test]
fn an_alembic_project_is_adopted_as_far_as_it_can_be_read() {
    let python = python();
    let adopt = |project: &Project, more: &[&str]| {
        let python = ["--python", python.to_str().expect("UTF-8")];
        project.ok(&[&["init", "--from-alembic", "db/alembic.ini"], &python[..], more].concat())
    };
    // Without a password, in an ini, the URL is taken as it is.
    let project =
        alembic_project("sqlalchemy.url = postgresql+psycopg://me@db.example.com/my%%20shop", "target_metadata=models");
    adopt(&project, &["--postgres", "shop"]);
    let config = read(&project, "config/dbops.yaml");
    assert!(config.contains("  database:\n    kind: postgres\n    url: ${DATABASE_URL:-postgresql+psycopg://me@db.example.com/my%20shop}\n"), "{config}");
    assert!(config.contains("database/print_ddl.py, ../db/alembic.ini]}"), "{config}");
    assert_eq!(
        project.ok(&["schema", "drift", "--offline", "-t", "database"]).stdout,
        "database: the revisions lead to the output of python\n"
    );

    // With one, the password stays where it is.
    let project = alembic_project("sqlalchemy.url = postgresql://me:s3cret@localhost/shop", "");
    let run = adopt(&project, &[]);
    let config = read(&project, "config/dbops.yaml");
    assert!(config.contains("url: ${SHOP_URL:-postgresql://me@localhost:5432/shop}"), "{config}");
    assert!(!config.contains("s3cret") && run.stderr.contains("set SHOP_PASSWORD"), "{run}\n{config}");
    assert!(run.stderr.contains("no schema is declared, for the models cannot be printed"), "{run}");
    assert!(run.stderr.contains("no target_metadata"), "{run}");
    assert!(config.contains("    # schema: shop/schema.sql\n"), "{config}");
    project.ok(&["config", "check"]);

    // An ini that names none of PostgreSQL's.
    let project = alembic_project("sqlalchemy.url = driver://user:pass@localhost/dbname", "");
    let run = adopt(&project, &[]);
    assert!(run.stderr.contains("set DATABASE_URL"), "{run}");
    project.ok(&["config", "check"]);
}

#[test]
fn a_python_that_is_not_there_is_named_as_it_was_given() {
    let project = alembic_project("", "");
    let run = project.run(&["init", "--from-alembic", "db/alembic.ini", "--python", "/nowhere/python"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("there is no program /nowhere/python"), "{run}");
}

/// As macOS has it in the names of files.
#[test]
fn an_alembic_project_may_be_in_a_folder_with_a_decomposed_accent() {
    let project = alembic_project("", "target_metadata=models");
    fs::rename(project.path("db"), project.path("cafe\u{301} $1")).expect("renamed");
    let python = python();
    let (python, ini) = (python.to_str().expect("UTF-8"), "cafe\u{301} $1/alembic.ini");
    project.ok(&["init", "--from-alembic", ini, "--python", python]);
    project.ok(&["schema", "drift", "--offline"]);
}

/// Where dbops would not see what was applied, it would apply everything once more.
#[test]
fn a_project_with_another_version_table_is_refused() {
    let python = python();
    let cases =
        [("version_table='versions'", "in versions,"), ("version_table_schema='audit'", "in audit.alembic_version,")];
    for (configure, named) in cases {
        let project = alembic_project("", configure);
        let before = files(&project);
        let run =
            project.run(&["init", "--from-alembic", "db/alembic.ini", "--python", python.to_str().expect("UTF-8")]);
        assert_eq!(run.code, 4, "{run}");
        assert!(run.stderr.contains(named) && run.stderr.contains("rename the table"), "{run}");
        assert_eq!(
            files(&project).into_iter().filter(|file| !file.contains("__pycache__")).collect::<Vec<_>>(),
            before
        );
    }
}

/// As pgvector's package has its type, which no model says the extension of.
const VECTOR_TYPE: &str = "import sqlalchemy.types\n\n\nclass VECTOR(sqlalchemy.types.UserDefinedType):\n    \
                           def get_col_spec(self, **kw):\n        return 'vector(3)'\n";

#[test]
fn models_with_vectors_are_printed_with_the_extension() {
    let url = create_database("vectors");
    let project = alembic_project("prepend_sys_path = .", "target_metadata=models").env("APP_URL", &url.reveal());
    project.write("db/pgvector/sqlalchemy.py", VECTOR_TYPE);
    let env = read(&project, "db/scripts/env.py");
    let column = "models.tables['app.a'].append_column(sa.Column('embedding', VECTOR()))";
    let env = env
        .replace("context.configure", &format!("from pgvector.sqlalchemy import VECTOR\n{column}\ncontext.configure"));
    project.write("db/scripts/env.py", &env);
    let revision = read(&project, "db/scripts/versions/1_first.py");
    let up = "(id serial PRIMARY KEY, embedding vector(3))')\n";
    let revision = revision.replace("(id serial PRIMARY KEY)')\n", up);
    let create = "    op.execute('CREATE EXTENSION vector')\n    op.execute('CREATE SCHEMA app')";
    project.write("db/scripts/versions/1_first.py", &revision.replace("    op.execute('CREATE SCHEMA app')", create));
    let python = python();
    let run =
        project.ok(&["init", "--from-alembic", "app=db/alembic.ini", "--python", python.to_str().expect("UTF-8")]);
    assert!(run.stdout.contains("config/app/print_ddl.py"), "{run}");
    project.ok(&["migrate"]);
    assert_eq!(project.ok(&["schema", "drift"]).stdout, "app: equal to the output of python\n");
}

#[test]
fn several_are_adopted_at_once() {
    let (url, name) = (create_database("several"), unique("several"));
    execute(&url, "CREATE TABLE users (id int PRIMARY KEY)");
    let qdrant = dbops_testbed::qdrant();
    let made = crate::qdrant::project(&format!(
        "  {name}:\n    alias: {name}_alias\n    vectors: {{ size: 4, distance: Dot }}\n"
    ));
    made.ok(&["qdrant", "apply"]);
    let project = alembic_project("", "")
        .env("APP_URL", &url.reveal())
        .env("SEARCH_URL", &qdrant.url)
        .env("SEARCH_GRPC_PORT", &qdrant.grpc_port.to_string());
    let python = python();
    let document = project.json(
        0,
        &[
            "init",
            "--yes",
            "--from-database",
            "app=${APP_URL}",
            "--from-qdrant",
            &format!("search={}", qdrant.url),
            "--from-alembic",
            "other=db/alembic.ini",
            "--python",
            python.to_str().expect("UTF-8"),
        ],
    );
    let names: Vec<_> = document["targets"].as_array().expect("a list").iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, ["other", "app", "search"]);
    assert_eq!(document["targets"][0]["import"]["imported"][0]["revision"], "1");
    assert_eq!(document["files"].as_array().map(Vec::len), Some(5), "{document}");
    assert_eq!(project.ok(&["migrate", "check", "-t", "app"]).stdout, "app: ok\n");
    let declared = read(&project, "config/search/collections.yaml");
    assert!(
        declared.contains(&format!("  {name}:\n    alias: {name}_alias\n    vectors: {{ size: 4, distance: Dot }}\n")),
        "{declared}"
    );
}

#[test]
fn a_server_is_adopted_when_it_is_the_named_one_and_lets_in() {
    let port = dbops_testbed::qdrant().grpc_port.to_string();
    let wrong = Project::empty().env("QDRANT_URL", &dbops_testbed::qdrant().url).env("QDRANT_GRPC_PORT", &port);
    let run = wrong.run(&["init", "--from-qdrant", "http://localhost:1"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("unset QDRANT_URL") && files(&wrong).is_empty(), "{run}");

    let keyed = start_qdrant_with(&std::env::temp_dir().join(unique("dbops-qdrant")), &["s3cret"]);
    let project = Project::empty().env("QDRANT_URL", &keyed.url).env("QDRANT_GRPC_PORT", &keyed.grpc_port.to_string());
    let run = project.run(&["init", "--from-qdrant", "${QDRANT_URL}"]);
    assert!(run.code == 1 && files(&project).is_empty(), "{run}");
    let project = project.env("QDRANT_API_KEY", "s3cret");
    project.ok(&["init", "--from-qdrant", "${QDRANT_URL}"]);
    assert!(!read(&project, "config/dbops.yaml").contains("s3cret"));
    assert_eq!(project.ok(&["qdrant", "plan"]).stdout, "qdrant: nothing to do\n");

    // Nobody is there: nothing is written, and no key is shown. There is no configuration to correct.
    let nobody = Project::empty().env("QDRANT_API_KEY", "s3cret");
    let run = nobody.run(&["init", "--from-qdrant", "http://localhost:1"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(!run.to_string().contains("s3cret") && files(&nobody).is_empty(), "{run}");
    assert!(run.stderr.contains("correct the URL and QDRANT_GRPC_PORT"), "{run}");
}

#[test]
fn without_git_nothing_is_ignored() {
    let project = Project::empty();
    let mut command = project.command(&["init"]);
    command.env("PATH", "/nowhere");
    let run = project.finish(command);
    assert_eq!(run.code, 0, "{run}");
    assert!(!project.path(".gitignore").exists());
}
