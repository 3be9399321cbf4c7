//! The `dbops` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    dbops::run()
}
