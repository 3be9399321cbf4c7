//! `cargo xtask test`: one PostgreSQL and one Qdrant for all tests, gone when they end.

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use dbops_postgres::{Installation, Throwaway, ThrowawayOptions, process};

use crate::progress::{Progress, error_line};
use crate::qdrant::{EMBEDDED, Program, START_LIMIT, hand_over, version_at};
use crate::workspace::{build, built, cargo, places, run_visibly};

/// A password that has to be quoted wherever it is written.
const PASSWORD: &str = r"s3cret: p@ss/w\ord%";

/// The test that needs one of these.
const BROWSER_TEST: &str = "a_browser_shows_the_page";
pub(crate) const BROWSERS: [&str; 2] = ["/usr/bin/chromium", "/usr/bin/google-chrome"];

pub(crate) async fn run(arguments: &[String]) -> Result<()> {
    let progress = Progress::new();
    let has_nextest = cargo(&["nextest", "--version"]).output().is_ok_and(|output| output.status.success());
    let no_run: &[&str] = if has_nextest { &["nextest", "run", "--no-run"] } else { &["test", "--no-run"] };
    // Everything is built before a server starts, in one go, so that no feature set is compiled twice.
    build(&progress, "the tests", &[no_run, &["--workspace"]].concat()).await?;

    progress.step("starting PostgreSQL and Qdrant for the tests");
    let installation = Installation::find_or_fetch_server(&places(), true).await.map_err(crate::dev::with_hint)?;
    let options =
        ThrowawayOptions { tcp_password: Some(PASSWORD.into()), settings: vec!["max_connections=300".into()] };
    let postgres = Throwaway::start(&installation, &options).map_err(|error| {
        let hint = error.hint();
        crate::dev::hinted(error, &hint)
    })?;
    let qdrant = TestServer::start().await?;
    drop(progress);

    let run: &[&str] = if has_nextest {
        &["nextest", "run", "--workspace", "--no-fail-fast"]
    } else {
        &["test", "--workspace", "--no-fail-fast"]
    };
    let with_servers = |arguments: &[&str]| {
        let mut tests = cargo(arguments);
        tests
            .env("DBOPS_TEST_POSTGRES_URL", postgres.url("postgres").reveal())
            .env("DBOPS_TEST_QDRANT_URL", &qdrant.url)
            .env("DBOPS_TEST_QDRANT_GRPC_PORT", qdrant.grpc_port.to_string())
            .env("DBOPS_TEST_QDRANT_PROGRAM", built(EMBEDDED, "debug"));
        tests
    };
    let mut tests = with_servers(run);
    tests.args(arguments);
    run_visibly(tests).await.context("some tests failed")?;
    if !arguments.is_empty() {
        return Ok(());
    }
    if has_nextest {
        // nextest leaves out the examples in the documentation.
        run_visibly(cargo(&["test", "--workspace", "--doc", "--quiet"])).await.context("some examples failed")?;
    }
    match BROWSERS.into_iter().find(|path| Path::new(path).is_file()) {
        Some(browser) => {
            let mut test = with_servers(&["test", "--workspace", "--test", "cli", "--", "--ignored", BROWSER_TEST]);
            test.env("DBOPS_TEST_BROWSER", browser);
            run_visibly(test).await.context("the test in a browser failed")?;
        }
        None => error_line(&format!("the test in a browser: not run: there is neither {}", BROWSERS.join(" nor "))),
    }
    if let Err(missing) = crate::dev::adminer::find().await {
        error_line(&format!("the test of Adminer: not run: {missing}"));
    }
    drop((postgres, qdrant));
    Ok(())
}

/// Qdrant for one run of the tests; it stops, and its data is gone, when this is dropped or the process dies.
pub(crate) struct TestServer {
    pub(crate) url: String,
    pub(crate) grpc_port: u16,
    child: Child,
    stdin: Option<ChildStdin>,
}

/// Runs the server until standard input ends, then stops it and removes the data.
const SUPERVISOR: &str = r#"trap '' HUP INT TERM
data=$1; shift
"$@" >"$data/log" 2>&1 &
exec 2>/dev/null
cat >/dev/null; kill -9 "$!"; wait "$!"; rm -rf "$data""#;

impl TestServer {
    pub(crate) async fn start() -> Result<Self> {
        let data = std::env::temp_dir().join(format!("dbops-qdrant-{}", std::process::id()));
        fs::create_dir_all(&data)?;
        let free_port = || anyhow::Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port());
        let (http_port, grpc_port) = (free_port()?, free_port()?);
        let mut shell = process::command("/bin/sh");
        shell.args(["-c", SUPERVISOR, "sh"]).arg(&data);
        hand_over(&Program::find().command(&data, http_port, grpc_port), &mut shell);
        shell.current_dir(&data).stdin(Stdio::piped()).process_group(0);
        let mut child = shell.spawn().context("cannot start Qdrant")?;
        let stdin = child.stdin.take();
        let server = Self { url: format!("http://127.0.0.1:{http_port}"), grpc_port, child, stdin };
        let deadline = Instant::now() + START_LIMIT;
        while version_at(http_port).await.is_err() {
            if Instant::now() > deadline {
                let log = fs::read_to_string(data.join("log")).unwrap_or_default();
                bail!("Qdrant did not start; its log ends:\n{}", process::last_lines(&log, 8));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(server)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // It ends by itself; there is nothing to do about one that does not.
        let _ = self.child.wait();
    }
}
