//! Real servers for tests: `cargo xtask test` starts one PostgreSQL and one Qdrant for all of them and names them in
//! `DBOPS_TEST_POSTGRES_URL` and `DBOPS_TEST_QDRANT_URL`; otherwise each test program starts its own, which are gone
//! when it ends. `DBOPS_TEST_QDRANT_PROGRAM` names the embedded Qdrant server once it is built. The S3 server
//! is part of the test program.

mod postgres;
mod qdrant;
mod s3;

pub use postgres::{create_database, drop_database, installation, places, superuser_url};
pub use qdrant::{Qdrant, programs, qdrant, start_qdrant, start_qdrant_with};
pub use s3::{S3, start_s3};

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A name that no other test uses, in this run or an earlier one.
#[must_use]
pub fn unique(prefix: &str) -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    format!("{prefix}_{}_{:x}_{}", std::process::id(), now & 0xffff_ffff, COUNTER.fetch_add(1, Ordering::Relaxed))
}

/// Runs a future to its end from code that is not asynchronous, or is asynchronous and must not block its runtime.
fn block_on<T: Send>(future: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(future)
        });
        thread.join().expect("the future does not panic")
    })
}
