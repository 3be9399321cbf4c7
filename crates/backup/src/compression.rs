//! Which compression a pg_dump can do: builds differ, and each says what it cannot before it connects.

use std::process::Stdio;

use dbops_postgres::ClientPrograms;
use dbops_postgres::process::ProcessError;

use crate::child::{Running, probe_command, read_tail};
use crate::{Compression, DumpOptions, Error, Format, Method, Programs};

/// A compression, and how this pg_dump is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) compression: Compression,
    pub(crate) argument: String,
    /// Why it is not what it would be by default.
    pub(crate) instead: Option<&'static str>,
}

/// What was asked for, else zstd, else gzip where this pg_dump has no zstd. A script is not compressed unasked.
///
/// # Errors
///
/// When this pg_dump cannot do what was asked for.
pub(crate) async fn choose(
    place: &ClientPrograms,
    programs: &Programs,
    options: &DumpOptions,
) -> Result<Chosen, Error> {
    let unasked = if options.format == Format::Plain { Compression::NONE } else { Compression::ZSTD };
    let wanted = options.compression.unwrap_or(unasked);
    if let Some(argument) = wanted.argument(place.version())
        && is_supported(place, programs, wanted, &argument).await?
    {
        return Ok(Chosen { compression: wanted, argument, instead: None });
    }
    match Compression::GZIP.argument(place.version()) {
        Some(argument) if options.compression.is_none() => {
            Ok(Chosen { compression: Compression::GZIP, argument, instead: Some("this pg_dump has no zstd") })
        }
        _ => Err(Error::Compression { wanted, programs: place.to_string() }),
    }
}

async fn is_supported(
    place: &ClientPrograms,
    programs: &Programs,
    wanted: Compression,
    argument: &str,
) -> Result<bool, Error> {
    if matches!(wanted.method, Method::None | Method::Gzip) {
        return Ok(true);
    }
    let failed = |source: ProcessError| Error::Dump { target: String::new(), source };
    let command = probe_command(programs, place, "pg_dump", argument);
    let mut running = Running::start_with(command, Stdio::null(), place.no_password()).await.map_err(failed)?;
    let (_, stderr) = running.pipes();
    let said = String::from_utf8_lossy(&read_tail(stderr).await).into_owned();
    // It fails in any case: there is no server where it is sent to.
    drop(running.wait(said.as_bytes()).await);
    Ok(!said.contains("compression"))
}
