//! `cargo xtask reference`: writes the pages of `docs/reference`, which the tests otherwise compare with the code.

use anyhow::{Context, Result};

use crate::workspace::{cargo, run_visibly};

pub(crate) async fn run() -> Result<()> {
    let tests = ["test", "--workspace", "--lib", "--test", "cli", "--quiet", "--", "reference::", "json_shapes::"];
    let mut tests = cargo(&tests);
    tests.env("DBOPS_TEST_WRITE_REFERENCE", "1");
    run_visibly(tests).await.context("not every page was written")
}
