//! `dbops backup`, encrypted and sent to an S3 server in the same pass, beside the plain one into a folder.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use anyhow::{Context, Result, ensure};
use dbops_postgres::process;

use super::{Bench, CONFIG, measure, memory_row, ratios, row};
use crate::workspace::built;

/// Anybody's public key: nothing is read here.
const RECIPIENT: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

/// Each round: the plain backup, then the other one.
pub(super) fn run(bench: &Bench<'_>, compression: &str, lines: &mut Vec<Vec<String>>) -> Result<()> {
    let server = S3Server::start(bench)?;
    let repository = format!("s3://{}/some/prefix", server.variable("BENCH_BUCKET")?);
    let config = CONFIG.replace("repository: backups", &format!("repository: {repository}"));
    let config = format!("{config}  encryption: {{recipients: [{RECIPIENT}]}}\n");
    fs::write(bench.folder.join("encrypted.yaml"), config)?;
    let options = ["--compress", compression];
    let (mut of_plain, mut memory) = (Vec::new(), Vec::new());
    let [plain, encrypted] = bench.rounds(|| {
        let plain = bench.back_up(&options, &mut of_plain)?;
        let arguments = [&["--config", "encrypted.yaml", "backup", "--no-roles"], &options[..]].concat();
        let mut command = bench.dbops(&arguments);
        command.envs(server.variables.iter().map(|(name, value)| (name, value)));
        let encrypted = measure(command, &mut memory)?;
        server.empty()?;
        Ok([plain, encrypted])
    })?;
    lines.push(row(&format!("dbops backup, encrypted into a bucket, {compression}"), &encrypted, " ms"));
    lines.push(row("encrypted into a bucket / plain (wanted: 1.3 at most)", &ratios(&encrypted, &plain), ""));
    lines.push(memory_row("that", &memory));
    Ok(())
}

/// The tests' server as a program of its own, whose memory is not dbops'.
struct S3Server {
    child: Child,
    variables: Vec<(String, String)>,
}

impl S3Server {
    fn start(bench: &Bench<'_>) -> Result<Self> {
        let mut command = process::command(built("examples/s3-server", "release"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).env("TMPDIR", bench.folder);
        let mut child = command.spawn().context("the S3 server")?;
        let stdout = BufReader::new(child.stdout.take().context("the S3 server's output")?);
        let mut server = Self { child, variables: Vec::new() };
        for line in stdout.lines().take(5) {
            let line = line?;
            let (name, value) = line.split_once('=').context("a variable of the S3 server")?;
            server.variables.push((name.to_owned(), value.to_owned()));
        }
        Ok(server)
    }

    fn variable(&self, name: &str) -> Result<&str> {
        let found = self.variables.iter().find(|(it, _)| it == name);
        Ok(&found.with_context(|| format!("the S3 server does not say {name}"))?.1)
    }

    /// Removes its objects, of which there have to be some.
    fn empty(&self) -> Result<()> {
        let mut count = 0;
        for entry in fs::read_dir(self.variable("BENCH_FOLDER")?)? {
            fs::remove_dir_all(entry?.path())?;
            count += 1;
        }
        ensure!(count > 0, "nothing came into the bucket");
        Ok(())
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        // It ends with its standard input.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
