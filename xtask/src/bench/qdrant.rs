//! Filling a collection from a table, beside a Python loop with the public clients; comparing many; planning many.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use dbops_postgres::{DatabaseUrl, Installation, Throwaway, ThrowawayOptions, connect, process};

use super::{HEADINGS, python, ratios, row, time, time_and_memory};
use crate::progress::{Progress, print, table};
use crate::workspace::{build, built, places, root};

const TABLES: &str = include_str!("qdrant.sql");
const DATABASE: &str = "bench";
/// How many collections are planned.
const COLLECTIONS: usize = 200;

/// What is measured, and how much of it.
pub(super) struct Sizes {
    pub(super) runs: usize,
    /// Rows that are synchronised, of 384 dimensions each.
    pub(super) rows: u64,
    /// Ids and marks that are compared.
    pub(super) points: u64,
}

pub(super) async fn run(sizes: &Sizes) -> Result<()> {
    ensure!(sizes.runs > 0, "--runs has to be 1 or more");
    let progress = Progress::new();
    build(&progress, "dbops for release", &["build", "--release", "--package", "dbops"]).await?;
    build(&progress, "Qdrant's engine for release", &["build", "--release", "--package", "dbops-qdrant-embedded"])
        .await?;
    progress.step("installing the Python clients");
    let packages = ["qdrant-client==1.18.*", "pgvector==0.4.*", "psycopg[binary]==3.*"];
    let python = python("bench-qdrant-clients", &packages).await?;
    progress.step("starting PostgreSQL and Qdrant");
    let installation = Installation::find_or_fetch_server(&places(), true).await.map_err(crate::dev::with_hint)?;
    let settings = ["max_wal_size=8GB", "autovacuum=off", "shared_buffers=256MB"].map(String::from).to_vec();
    let options = ThrowawayOptions { tcp_password: Some("admin".into()), settings };
    let postgres = Throwaway::start(&installation, &options).context("a throwaway server")?;
    let folder = Folder(root().join("target/bench-qdrant"));
    drop(fs::remove_dir_all(&folder.0));
    fs::create_dir_all(&folder.0)?;
    let qdrant = Qdrant::start(&folder.0.join("data"))?;
    progress.step(&format!("writing {} rows", sizes.rows + sizes.points));
    fill(&postgres, sizes).await?;
    let bench = Bench { url: postgres.url(DATABASE), qdrant, python, folder };
    let mut lines = vec![HEADINGS.map(str::to_owned).to_vec()];
    bench.sync(sizes, &progress, &mut lines)?;
    bench.verify(sizes, &progress, &mut lines)?;
    bench.plan(sizes, &progress, &mut lines)?;
    drop(progress);
    print(&table(&lines));
    Ok(())
}

/// The embedded server in release; it ends when its standard input does.
struct Qdrant {
    child: Child,
    http_port: u16,
    grpc_port: u16,
}

impl Qdrant {
    fn start(data: &Path) -> Result<Self> {
        let mut command = process::command(built(crate::qdrant::EMBEDDED, "release"));
        command.arg("--data").arg(data).args(["--http-port", "0", "--grpc-port", "0", "--parent-stdin"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("the embedded server")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("its output")?).read_line(&mut line)?;
        let port = |name: &str| {
            let rest = line.split(name).nth(1)?;
            rest.split_whitespace().next()?.rsplit(':').next()?.parse().ok()
        };
        let (http, grpc) = (port("http=").context("its HTTP port")?, port("grpc=").context("its gRPC port")?);
        Ok(Self { child, http_port: http, grpc_port: grpc })
    }
}

impl Drop for Qdrant {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}

struct Bench {
    url: DatabaseUrl,
    qdrant: Qdrant,
    python: PathBuf,
    // Behind the server, which writes to it until it has ended.
    folder: Folder,
}

/// A folder that is gone after the benchmark.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

impl Bench {
    /// Each round fills a collection of each kind; the first warms the caches.
    fn sync(&self, sizes: &Sizes, progress: &Progress, lines: &mut Vec<Vec<String>>) -> Result<()> {
        let (mut theirs, mut ours, mut memory) = (Vec::new(), Vec::new(), Vec::new());
        for index in 0..=sizes.runs {
            progress.step(&format!("filling collections, round {index}"));
            let python = time(self.python(&format!("python{index}")))?;
            self.declare(&[(format!("dbops{index}"), 384, Some("chunks"))])?;
            time(self.dbops(&["qdrant", "apply"]))?;
            let (took, size) = time_and_memory(self.dbops(&["qdrant", "sync"]))?;
            if index > 0 {
                theirs.push(python);
                ours.push(took);
                memory.push(size);
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let rate = |times: &[f64]| times.iter().map(|time| sizes.rows as f64 / time).collect::<Vec<_>>();
        lines.push(row("Python loop, thousand points a second", &rate(&theirs), ""));
        lines.push(row("dbops qdrant sync, thousand points a second", &rate(&ours), ""));
        lines.push(row("Python / dbops (wanted: 3 at least)", &ratios(&theirs, &ours), ""));
        lines.push(row("memory of dbops (wanted: 150 MB at most)", &memory, " MB"));
        Ok(())
    }

    fn verify(&self, sizes: &Sizes, progress: &Progress, lines: &mut Vec<Vec<String>>) -> Result<()> {
        progress.step(&format!("writing {} points", sizes.points));
        self.declare(&[("many".into(), 4, Some("points"))])?;
        time(self.dbops(&["qdrant", "apply"]))?;
        time(self.dbops(&["qdrant", "sync"]))?;
        let (mut times, mut memory) = (Vec::new(), Vec::new());
        for _ in 0..sizes.runs {
            progress.step(&format!("comparing {} points", sizes.points));
            let (took, size) = time_and_memory(self.dbops(&["qdrant", "verify"]))?;
            times.push(took / 1000.0);
            memory.push(size);
        }
        lines.push(row(&format!("dbops qdrant verify of {} (wanted: 30 s for a million)", sizes.points), &times, " s"));
        lines.push(row("memory of dbops", &memory, " MB"));
        Ok(())
    }

    fn plan(&self, sizes: &Sizes, progress: &Progress, lines: &mut Vec<Vec<String>>) -> Result<()> {
        progress.step(&format!("creating {COLLECTIONS} collections"));
        let names: Vec<_> = (0..COLLECTIONS).map(|index| (format!("c{index}"), 4, None)).collect();
        self.declare(&names)?;
        time(self.dbops(&["qdrant", "apply"]))?;
        let times = (0..sizes.runs).map(|_| time(self.dbops(&["qdrant", "plan"]))).collect::<Result<Vec<_>>>()?;
        lines.push(row(&format!("dbops qdrant plan of {COLLECTIONS} (wanted: 1000 ms at most)"), &times, " ms"));
        Ok(())
    }

    fn declare(&self, collections: &[(String, u32, Option<&str>)]) -> Result<()> {
        let mut text = String::from("version: 1\ncollections:\n");
        for (name, size, table) in collections {
            text.push_str(&format!("  {name}:\n    vectors: {{size: {size}, distance: Cosine}}\n"));
            if let Some(table) = table {
                let content = if *table == "chunks" { "page_content: content, " } else { "" };
                text.push_str(&format!(
                    "    from: {{target: rows, table: {table}, key: id, vector: embedding, payload: {{{content}metadata.page: \
                     page}}}}\n"
                ));
            }
        }
        fs::write(self.folder.0.join("collections.yaml"), text)?;
        let config = "version: 1\ntargets:\n  rows: {kind: postgres, url: '${BENCH_URL}'}\n  search: {kind: qdrant, url: \
                      'http://127.0.0.1:${BENCH_HTTP}', grpc_port: '${BENCH_GRPC}', collections: collections.yaml}\n";
        Ok(fs::write(self.folder.0.join("dbops.yaml"), config)?)
    }

    fn dbops(&self, arguments: &[&str]) -> Command {
        let mut command = process::command(built("dbops", "release"));
        command.args(arguments).current_dir(&self.folder.0).env("BENCH_URL", self.url.reveal());
        command.env("BENCH_HTTP", self.qdrant.http_port.to_string());
        command.env("BENCH_GRPC", self.qdrant.grpc_port.to_string());
        command
    }

    fn python(&self, collection: &str) -> Command {
        let mut command = process::command(&self.python);
        command.arg(root().join("xtask/src/bench/qdrant.py")).arg(self.url.conninfo()).env("PGPASSWORD", "admin");
        command.args([self.qdrant.http_port.to_string(), self.qdrant.grpc_port.to_string(), collection.into()]);
        command
    }
}

async fn fill(postgres: &Throwaway, sizes: &Sizes) -> Result<()> {
    connect(&postgres.url("postgres")).await?.batch_execute(&format!("CREATE DATABASE {DATABASE}")).await?;
    let client = connect(&postgres.url(DATABASE)).await?;
    client.batch_execute(TABLES).await?;
    let (rows, points) = (sizes.rows, sizes.points);
    client
        .batch_execute(&format!(
            "INSERT INTO chunks SELECT gen_random_uuid(), (SELECT string_agg(md5((i * 20 + k)::text), ' ') FROM \
             generate_series(1, 12) AS k), i % 100, a.vector + b.vector FROM generate_series(1, {rows}) AS i \
             JOIN base AS a ON a.n = i % 1000 + 1 JOIN base AS b ON b.n = (i / 1000) % 997 + 1;
             INSERT INTO points SELECT gen_random_uuid(), i % 100, ARRAY[i % 7, i % 11, i % 13, 1]::vector \
             FROM generate_series(1, {points}) AS i"
        ))
        .await?;
    // No VACUUM runs beside other statements.
    client.batch_execute("VACUUM ANALYZE").await?;
    client.batch_execute("CHECKPOINT").await?;
    Ok(())
}
