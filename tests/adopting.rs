//! The walk-throughs of `docs/adopting.md`, command for command, on what each begins with.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use dbops_postgres::process;
use dbops_testbed::{create_database, start_qdrant};
use qdrant_client::qdrant::{
    CreateAliasBuilder, CreateCollectionBuilder, CreateFieldIndexCollectionBuilder, Distance, FieldType,
    KeywordIndexParamsBuilder, MultiVectorComparator, MultiVectorConfigBuilder, ScalarQuantizationBuilder,
    SparseVectorParamsBuilder, SparseVectorsConfigBuilder, TextIndexParamsBuilder, TokenizerType, VectorParamsBuilder,
    VectorsConfigBuilder,
};

use crate::alembic::address;
use crate::console::{examples, masked};
use crate::project::{Project, execute, query};
use crate::python::python;
use crate::stack::root;

/// What the document says below a heading.
fn section(title: &str) -> String {
    let text = fs::read_to_string(root().join("docs/adopting.md")).expect("docs/adopting.md");
    let (_, rest) = text.split_once(&format!("\n## {title}\n")).unwrap_or_else(|| panic!("no section {title}"));
    rest.split("\n## ").next().unwrap_or_default().to_owned()
}

/// What stands in the first block of a language.
fn block(text: &str, language: &str) -> String {
    let (_, rest) = text.split_once(&format!("\n```{language}\n")).unwrap_or_else(|| panic!("no {language}"));
    rest.split_once("```").expect("it ends").0.to_owned()
}

/// Runs every command of a text: each prints what is shown.
fn walk(project: &Project, text: &str, before: impl Fn(&str)) {
    let examples = examples(text);
    assert!(examples.len() > 1, "nothing is shown");
    for example in examples {
        before(&example.command);
        let run = project.shell(&example.command);
        assert_eq!(masked(&run.stdout), masked(&example.output), "$ {}\n{run}", example.command);
    }
}

/// Every file below a folder with what is in it.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() && name != "__pycache__" {
            found.extend(contents(&path).into_iter().map(|(below, bytes)| (format!("{name}/{below}"), bytes)));
        } else if path.is_file() {
            found.insert(name, fs::read(&path).expect("a file"));
        }
    }
    found
}

/// The example's project, with a Python as `.venv`.
fn shop(variables: &[(&str, &str)]) -> Project {
    let project = variables.iter().fold(Project::empty(), |project, (name, value)| project.env(name, value));
    let example = root().join("docs/examples/alembic");
    let copied = process::command("cp").arg("-r").arg(example.join(".")).arg(project.path("")).status();
    assert!(copied.expect("cp").success());
    let python = python();
    let environment = python.ancestors().nth(2).expect("a folder");
    std::os::unix::fs::symlink(environment, project.path(".venv")).expect("a link");
    project
}

#[test]
fn an_alembic_project_goes_on_and_alembic_with_it() {
    let url = create_database("shop");
    let project = shop(&[("DATABASE_URL", &address(&url))]);
    let upgraded = project.shell(".venv/bin/alembic upgrade 8be05f13c7a9");
    assert_eq!(upgraded.code, 0, "{upgraded}");
    execute(&url, "INSERT INTO customers (email, name) VALUES ('ada@example.com', 'Ada'), ('bob@example.com', 'Bob')");
    execute(&url, "INSERT INTO orders (customer_id, total) VALUES (1, 12.50), (2, 0)");
    let of_alembic = || {
        let files = contents(&project.path(""));
        files.into_iter().filter(|(name, _)| !name.starts_with(".venv") && !name.starts_with("config/")).collect()
    };
    let before: BTreeMap<String, Vec<u8>> = of_alembic();

    walk(&project, &section("A Python service with Alembic"), |command| {
        if command.contains("--autogenerate") {
            // Until here nothing of Alembic's was moved or changed.
            assert_eq!(of_alembic(), before);
            let models = fs::read_to_string(project.path("models.py")).expect("models.py");
            let name = "    name: Mapped[str]\n";
            project.write("models.py", &models.replacen(name, &format!("{name}    phone: Mapped[str | None]\n"), 1));
        }
    });
    assert_eq!(query(&url, "SELECT name, phone IS NULL FROM customers ORDER BY id"), ["Ada|t", "Bob|t"]);
    assert_eq!(query(&url, "SELECT status FROM orders ORDER BY id"), ["open", "paid"]);
}

#[test]
fn a_database_without_migrations_gets_a_baseline() {
    let (url, empty) = (create_database("billing"), create_database("empty"));
    let text = section("A database without migrations");
    execute(&url, &block(&text, "sql"));
    let project = Project::empty().env("BILLING_URL", &url.reveal()).env("EMPTY_URL", &empty.reveal());
    walk(&project, &text, |_| ());

    assert_eq!(query(&url, "SELECT email FROM accounts"), ["ada@example.com"]);
    let back = Project::empty();
    let copied = process::command("cp").arg("-r").arg(project.path("config")).arg(back.path("config")).status();
    assert!(copied.expect("cp").success());
    let back = back.env("BILLING_URL", &empty.reveal());
    back.ok(&["migrate", "downgrade", "base", "--yes"]);
    let left =
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'S')";
    assert_eq!(query(&empty, left), ["alembic_version"]);
}

/// As a script would make them.
async fn make_collections(grpc_port: u16) -> Result<(), qdrant_client::QdrantError> {
    let client = qdrant_client::Qdrant::from_url(&format!("http://127.0.0.1:{grpc_port}"));
    let client = client.skip_compatibility_check().build()?;
    let mut vectors = VectorsConfigBuilder::default();
    let quantization = ScalarQuantizationBuilder::default().r#type(1).quantile(0.99).always_ram(true);
    vectors.add_named_vector_params(
        "text",
        VectorParamsBuilder::new(384, Distance::Cosine).on_disk(true).quantization_config(quantization),
    );
    let several = MultiVectorConfigBuilder::new(MultiVectorComparator::MaxSim);
    vectors.add_named_vector_params("tokens", VectorParamsBuilder::new(128, Distance::Dot).multivector_config(several));
    let mut sparse = SparseVectorsConfigBuilder::default();
    sparse.add_named_vector_params("words", SparseVectorParamsBuilder::default());
    client
        .create_collection(
            CreateCollectionBuilder::new("articles_v3")
                .vectors_config(vectors)
                .sparse_vectors_config(sparse)
                .hnsw_config(qdrant_client::qdrant::HnswConfigDiffBuilder::default().m(32).ef_construct(200)),
        )
        .await?;
    client
        .create_collection(
            CreateCollectionBuilder::new("notes").vectors_config(VectorParamsBuilder::new(768, Distance::Cosine)),
        )
        .await?;
    client.create_alias(CreateAliasBuilder::new("articles_v3", "articles")).await?;
    let index = |path: &str, kind| CreateFieldIndexCollectionBuilder::new("articles_v3", path, kind).wait(true);
    let tenant = KeywordIndexParamsBuilder::default().is_tenant(true);
    client.create_field_index(index("tenant", FieldType::Keyword).field_index_params(tenant)).await?;
    client.create_field_index(index("published_at", FieldType::Datetime)).await?;
    let title = TextIndexParamsBuilder::new(TokenizerType::Multilingual).lowercase(true).min_token_len(2);
    client.create_field_index(index("title", FieldType::Text).field_index_params(title)).await?;
    Ok(())
}

#[test]
fn collections_made_by_hand_become_declared_ones() {
    let qdrant = start_qdrant();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(make_collections(qdrant.grpc_port)).expect("collections");
    let text = section("A Qdrant made by hand");
    let project =
        Project::empty().env("QDRANT_URL", &qdrant.url).env("QDRANT_GRPC_PORT", &qdrant.grpc_port.to_string());
    walk(&project, &text, |_| ());

    let written = fs::read_to_string(project.path("config/qdrant/collections.yaml")).expect("collections.yaml");
    let (comment, declared) = written.split_once("\n\n").expect("a comment");
    assert!(comment.lines().all(|line| line.starts_with('#')), "{written}");
    assert_eq!(declared, block(&text, "yaml"), "{written}");
    assert_eq!(project.json(0, &["qdrant", "plan"])["targets"][0]["undeclared"], serde_json::json!([]));
}
