//! The tests' S3 server as a program of its own, for benchmarks: what it takes is not counted as dbops'.
//!
//! The first five lines say, as variables, how to reach it and where its objects are; it ends, and its data is gone, when its standard input ends.

use std::io::{self, Read, Write};

use dbops_testbed::{S3, start_s3};

fn main() -> io::Result<()> {
    let server = start_s3();
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "AWS_ENDPOINT_URL=http://127.0.0.1:{}", server.port)?;
    writeln!(stdout, "AWS_ACCESS_KEY_ID={}", S3::ACCESS_KEY)?;
    writeln!(stdout, "AWS_SECRET_ACCESS_KEY={}", S3::SECRET_KEY)?;
    writeln!(stdout, "BENCH_BUCKET={}", S3::BUCKET)?;
    writeln!(stdout, "BENCH_FOLDER={}", server.path("").display())?;
    stdout.flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
