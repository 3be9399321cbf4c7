//! How long it takes to read the database in `BENCH_URL` and to plan the way to a schema that is in memory already, in
//! milliseconds: what Alembic's autogenerate does with models. For `cargo xtask bench schema`.

use std::error::Error;
use std::io::Write;
use std::time::Instant;

use dbops_postgres::{DatabaseUrl, connect};
use dbops_schema_graph::{plan, read};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = DatabaseUrl::parse(&std::env::var("BENCH_URL")?, "postgres")?;
    let declared = read(&mut connect(&url).await?).await?;
    let start = Instant::now();
    let live = read(&mut connect(&url).await?).await?;
    let steps = plan(&live, &declared);
    let elapsed = start.elapsed();
    assert!(steps.is_empty(), "{steps:?}");
    Ok(writeln!(std::io::stdout(), "{}", elapsed.as_secs_f64() * 1000.0)?)
}
