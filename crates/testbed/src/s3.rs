//! A real S3 server, `s3s-fs`, in this program: each object is a file in a folder.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::runtime::{self, Runtime};

/// A running server with one bucket. It stops, and its data is gone, when it is dropped.
#[derive(Debug)]
pub struct S3 {
    /// Its port on 127.0.0.1.
    pub port: u16,
    folder: TempDir,
    runtime: Option<Runtime>,
}

impl S3 {
    /// The name of its bucket.
    pub const BUCKET: &str = "backups";
    /// Who may use it.
    pub const ACCESS_KEY: &str = "AKIDTEST";
    /// The password to that.
    pub const SECRET_KEY: &str = "s3cret/test+key";

    /// The file of an object, or of all below a prefix.
    #[must_use]
    pub fn path(&self, key: &str) -> PathBuf {
        self.folder.path().join(Self::BUCKET).join(key)
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        // The caller may be a task of a runtime of its own, where waiting is not allowed.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A server of the test's own, with an empty bucket.
///
/// # Panics
///
/// When it does not start.
#[must_use]
pub fn start_s3() -> S3 {
    let folder = tempfile::Builder::new().prefix("dbops-s3-").tempdir().expect("a folder");
    fs::create_dir(folder.path().join(S3::BUCKET)).expect("a folder");
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    listener.set_nonblocking(true).expect("a socket");
    runtime.spawn(serve(listener, service(folder.path())));
    S3 { port, folder, runtime: Some(runtime) }
}

fn service(folder: &Path) -> S3Service {
    let mut builder = S3ServiceBuilder::new(FileSystem::new(folder).expect("a folder"));
    builder.set_auth(SimpleAuth::from_single(S3::ACCESS_KEY, S3::SECRET_KEY));
    builder.build()
}

async fn serve(listener: TcpListener, service: S3Service) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
    while let Ok((socket, _)) = listener.accept().await {
        let service = service.clone();
        tokio::spawn(async move {
            // A connection that is lost is what some tests are about.
            drop(Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service).await);
        });
    }
}
