//! The page of `dbops serve` as a browser shows it, in the light and in the dark.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use dbops_postgres::process;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Child;

use super::stage::Stage;
use crate::test::BROWSERS;
use crate::workspace::built;

/// The part of the page that is shown, in pixels.
const SIZE: &str = "1140,962";

/// The pictures, and what the browser is told to prefer.
const SCHEMES: [(&str, &str); 2] = [("status-light.png", "1"), ("status-dark.png", "0")];

/// How long the targets, and the browser, may take.
const LIMIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(200);

/// The browser that looks.
pub(super) fn browser() -> Result<&'static Path> {
    let Some(browser) = BROWSERS.into_iter().map(Path::new).find(|path| path.is_file()) else {
        bail!(
            "the page of `dbops serve` needs a browser to be looked at, and there is neither {}\nhint: install Chromium \
             (Debian: apt-get install chromium), or make the tour alone: `cargo xtask pictures --tour`",
            BROWSERS.join(" nor ")
        );
    };
    Ok(browser)
}

/// Serves the page, and gives each picture with its name.
pub(super) async fn look(stage: &Stage, browser: &Path) -> Result<Vec<(&'static str, Vec<u8>)>> {
    let server = Server::start(stage).await?;
    tokio::time::timeout(LIMIT, server.until_ready()).await.context("`dbops serve` was never ready")??;
    let mut pictures = Vec::new();
    for (name, scheme) in SCHEMES {
        let file = stage.folder().join(name);
        let mut command = stage.command(browser);
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
        command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
        command.args(["--hide-scrollbars", "--force-device-scale-factor=1", "--virtual-time-budget=2000"]);
        command.arg(format!("--blink-settings=preferredColorScheme={scheme}"));
        command.arg(format!("--user-data-dir={}", stage.folder().join("browser").display()));
        command.arg(format!("--window-size={SIZE}")).arg(format!("--screenshot={}", file.display()));
        command.arg(format!("http://{}/", server.address));
        process::run(command, LIMIT).await?;
        pictures.push((name, fs::read(&file).context("the browser made no picture")?));
    }
    Ok(pictures)
}

/// A running `dbops serve`; it is killed when this is dropped.
struct Server {
    _child: Child,
    address: String,
}

impl Server {
    async fn start(stage: &Stage) -> Result<Self> {
        let mut command = stage.command(built("dbops", "debug"));
        command.args(["serve", "--json", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn().context("dbops serve")?;
        let mut lines = BufReader::new(child.stdout.take().context("its output")?).lines();
        let mut document = String::new();
        while let Some(line) = lines.next_line().await? {
            document.push_str(&line);
            if line == "}" {
                break;
            }
        }
        let document: Value = serde_json::from_str(&document).context("dbops serve did not start")?;
        let address = document["listening"].as_str().context("its address")?.to_owned();
        Ok(Self { _child: child, address })
    }

    async fn until_ready(&self) -> Result<()> {
        loop {
            let mut stream = TcpStream::connect(&self.address).await?;
            stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            if answer.starts_with("HTTP/1.1 200") {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
