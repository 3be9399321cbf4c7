//! A Python with what the tests need, in a folder below `target/`.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use dbops_postgres::process;

/// A Python with Alembic and SQLAlchemy.
pub(crate) fn python() -> PathBuf {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    let packages = ["alembic==1.20.*", "sqlalchemy==2.*", "psycopg[binary]==3.*"];
    PYTHON.get_or_init(|| python_with("alembic-1.20", &packages)).clone()
}

/// A Python with these packages, made once for all tests in a folder of this name.
pub(crate) fn python_with(name: &str, packages: &[&str]) -> PathBuf {
    let target = PathBuf::from(env!("CARGO_BIN_EXE_dbops")).ancestors().nth(2).expect("a folder").to_path_buf();
    let folder = target.join(name);
    // Another test program may be at it.
    let lock = File::create(target.join(format!("{name}.lock"))).expect("a lock");
    lock.lock().expect("a lock");
    let (python, done) = (folder.join("bin/python"), folder.join("complete"));
    if !done.exists() {
        run_python("python3".as_ref(), &["-m", "venv", "--clear", folder.to_str().expect("UTF-8")]);
        run_python(&python, &[&["-m", "pip", "install", "--quiet"], packages].concat());
        File::create(done).expect("a file");
    }
    python
}

fn run_python(program: &Path, arguments: &[&str]) {
    let output = process::command(program).args(arguments).output().expect("python3");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}
