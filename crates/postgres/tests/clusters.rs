//! Clusters of real servers: what stays, what goes, and what is refused.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use dbops_postgres::{
    Cluster, ClusterError, ClusterState, ConnectErrorKind, DataFolder, DatabaseUrl, Installation, Listen, Places,
    Throwaway, ThrowawayOptions, connect, process,
};

/// The programs that the tests use, downloaded if need be.
async fn installation() -> Installation {
    let places = Places::from_variables(|name| std::env::var_os(name));
    Installation::find_or_fetch_server(&places, true).await.expect("a server with pgvector")
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("port").port()
}

#[tokio::test]
async fn a_throwaway_answers_and_is_gone_when_dropped() {
    let installation = installation().await;
    let options = ThrowawayOptions { tcp_password: None, settings: vec!["work_mem=5MB".into()] };
    let cluster = Throwaway::start(&installation, &options).expect("start");
    let folder = cluster.folder().to_path_buf();
    let client = connect(&cluster.url("postgres")).await.expect("connect");
    client.batch_execute("CREATE EXTENSION vector").await.expect("pgvector");
    let work_mem: String = client.query_one("SHOW work_mem", &[]).await.expect("query").get(0);
    assert_eq!(work_mem, "5MB");
    drop(client);
    drop(cluster);
    assert!(!folder.exists(), "{}", folder.display());
}

#[tokio::test]
async fn a_throwaway_over_tcp_wants_its_password() {
    let options = ThrowawayOptions { tcp_password: Some("p@ss: word\\".into()), settings: Vec::new() };
    let cluster = Throwaway::start(&installation().await, &options).expect("start");
    let url = cluster.url("postgres");
    connect(&url).await.expect("the right password");
    let (host, port) = url.servers().remove(0);
    let cases = [
        (format!("postgresql://postgres:wrong@{host}:{port}/postgres"), ConnectErrorKind::Password),
        (format!("postgresql://postgres@{host}:{port}/postgres"), ConnectErrorKind::Password),
        (format!("postgresql://nobody:here@{host}:{port}/postgres"), ConnectErrorKind::Password),
        (url.with_database("missing").reveal(), ConnectErrorKind::NoDatabase),
        (url.reveal().replace("sslmode=disable", "sslmode=require"), ConnectErrorKind::Tls),
        (format!("postgresql://postgres@{host}:{}/postgres", free_port()), ConnectErrorKind::Unreachable),
        ("postgresql://postgres@no-such-host.invalid/postgres".into(), ConnectErrorKind::Unreachable),
    ];
    for (text, kind) in cases {
        let error = connect(&DatabaseUrl::parse(&text, "me").expect("url")).await.expect_err(&text);
        assert_eq!(error.kind, kind, "{text}: {error}");
        assert!(!error.to_string().contains("p%40ss"), "{error}");
        assert!(!error.hint().is_empty());
    }
}

/// Kills the process that owns a throwaway cluster, at every stage of the cluster's life, and expects it to vanish.
#[tokio::test]
async fn a_throwaway_is_gone_when_its_owner_is_killed() {
    if std::env::var_os("DBOPS_TEST_OWNER").is_some() {
        let cluster = Throwaway::start(&installation().await, &ThrowawayOptions::default()).expect("start");
        std::fs::write(cluster.folder().join("up"), "").expect("report");
        std::thread::sleep(Duration::from_secs(600));
        return;
    }
    installation().await;
    // What is there when initdb begins, is at it, has ended; when the server starts, and runs.
    for stage in ["log", "data/PG_VERSION", "data/postgresql.conf", "data/postmaster.pid", "up"] {
        let folder = tempfile::Builder::new().prefix("dbops-tmp-").tempdir_in("/tmp").expect("folder");
        std::fs::set_permissions(folder.path(), like_tmp()).expect("permissions");
        let mut owner = process::command(std::env::current_exe().expect("this program"));
        owner.args(["--exact", "a_throwaway_is_gone_when_its_owner_is_killed"]).env("DBOPS_TEST_OWNER", "1");
        owner.env("TMPDIR", folder.path()).stdout(std::process::Stdio::null());
        let mut owner = owner.spawn().expect("spawn");
        let clusters = || std::fs::read_dir(folder.path()).expect("folder").flatten().map(|entry| entry.path());
        let deadline = Instant::now() + Duration::from_secs(180);
        while !clusters().any(|cluster| cluster.join(stage).exists()) {
            assert!(Instant::now() < deadline, "the owner never came to `{stage}`");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        owner.kill().expect("kill -9");
        owner.wait().expect("wait");
        while clusters().next().is_some() {
            assert!(Instant::now() < deadline, "killed at `{stage}`: {:?} is there", clusters().collect::<Vec<_>>());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let processes = process::command("ps").args(["-ww", "-A", "-o", "args="]).output().expect("ps").stdout;
        let processes = String::from_utf8_lossy(&processes).into_owned();
        let own = folder.path().display().to_string();
        let left: Vec<_> =
            processes.lines().filter(|line| line.contains(&own) && !line.contains("<defunct>")).collect();
        // The supervisor removes its folder last and then ends.
        assert!(left.iter().all(|line| line.contains("dbops-throwaway")), "killed at `{stage}`: {left:?}");
    }
}

#[tokio::test]
async fn a_cluster_stays_through_stop_and_start() {
    let installation = installation().await;
    let folder = tempfile::Builder::new().permissions(open_to_all()).tempdir_in("/tmp").expect("folder");
    let data = DataFolder::new(&folder.path().join("it's \"a\" folder, with $x").join("data"));
    let cluster = Cluster::new(installation, data.clone()).expect("cluster");
    assert_eq!(data.state(), ClusterState::Absent);
    cluster.initialize("postgres", "admin").await.expect("initialize");
    let listen = Listen { port: free_port(), socket_folder: Some(folder.path().join("a socket, \"here\"")) };

    let taken = TcpListener::bind(("127.0.0.1", listen.port)).expect("bind");
    let refused = cluster.start(&listen).await.expect_err("the port is taken");
    assert!(matches!(refused, ClusterError::PortTaken { .. }), "{refused}");
    drop(taken);

    let url = format!("postgresql://postgres:admin@localhost:{}/postgres", listen.port);
    let url = DatabaseUrl::parse(&url, "me").expect("url");
    for turn in 0..2 {
        cluster.start(&listen).await.expect("start");
        assert_eq!(data.state(), ClusterState::Running);
        let client = connect(&url).await.expect("connect");
        client.batch_execute("CREATE TABLE IF NOT EXISTS kept (turn int)").await.expect("create");
        client.execute("INSERT INTO kept VALUES ($1)", &[&turn]).await.expect("insert");
        let rows: i64 = client.query_one("SELECT count(*) FROM kept", &[]).await.expect("count").get(0);
        assert_eq!(rows, i64::from(turn) + 1);
        data.stop().await.expect("stop");
        assert_eq!(data.state(), ClusterState::Stopped);
        data.stop().await.expect("stopping twice");
    }
    let again = cluster.initialize("postgres", "admin").await.expect_err("there is data");
    assert!(matches!(again, ClusterError::NotACluster(_)), "{again}");
}

fn like_tmp() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o1777)
}

fn open_to_all() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o755)
}
