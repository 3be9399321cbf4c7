//! TLS with a real server. PostgreSQL's own programs may be built without it, so something in front of the server speaks
//! it, as a load balancer or a managed service does.

use std::fs;
use std::sync::Arc;

use dbops_postgres::{ConnectErrorKind, DatabaseUrl, Installation, Places, Throwaway, ThrowawayOptions, connect};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls_pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// <https://www.postgresql.org/docs/current/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-SSLREQUEST>
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new([]).expect("no names");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate")
}

/// A server's side, with a certificate for this name that is valid until the end of the year.
fn acceptor(authority: &Authority, name: &str, until: i32) -> TlsAcceptor {
    let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
    params.not_after = date_time_ymd(until, 12, 31);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, authority).expect("a certificate");
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("its own key");
    TlsAcceptor::from(Arc::new(config))
}

/// Speaks TLS in front of the server; gives its port.
async fn in_front_of(server: (String, u16), acceptor: TlsAcceptor) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let (acceptor, server) = (acceptor.clone(), server.clone());
            tokio::spawn(async move {
                let mut request = [0; 8];
                client.read_exact(&mut request).await?;
                if request != SSL_REQUEST {
                    return Ok(()); // Nobody gets in without TLS.
                }
                client.write_all(b"S").await?;
                let mut client = acceptor.accept(client).await?;
                copy_bidirectional(&mut client, &mut TcpStream::connect(server).await?).await.map(drop)
            });
        }
    });
    port
}

#[tokio::test]
async fn each_mode_verifies_what_libpq_says_it_does() {
    let places = Places::from_variables(|name| std::env::var_os(name));
    let installation = Installation::find_or_fetch_server(&places, true).await.expect("a server");
    let options = ThrowawayOptions { tcp_password: Some("s3cret".into()), settings: Vec::new() };
    let server = Throwaway::start(&installation, &options).expect("it starts");
    let address = server.url("postgres").servers().remove(0);
    let folder = tempfile::tempdir().expect("a folder");
    let (ours, theirs) = (authority("ours"), authority("theirs"));
    for (name, authority) in [("ours", &ours), ("theirs", &theirs)] {
        fs::write(folder.path().join(name), authority.pem()).expect("a file");
    }
    let good = in_front_of(address.clone(), acceptor(&ours, "localhost", 2999)).await;
    let expired = in_front_of(address.clone(), acceptor(&ours, "localhost", 2020)).await;
    let other = in_front_of(address.clone(), acceptor(&ours, "db.example", 2999)).await;

    // The port, the mode, whose authority is trusted, and what is said when it does not connect.
    let cases = [
        (good, "prefer", None, None),
        (good, "require", None, None),
        (good, "require", Some("ours"), None),
        (good, "verify-ca", Some("ours"), None),
        (good, "verify-full", Some("ours"), None),
        (good, "disable", None, Some((ConnectErrorKind::Other, "error communicating with the server"))),
        (good, "verify-full", None, Some((ConnectErrorKind::Tls, "needs sslrootcert"))),
        (good, "verify-full", Some("theirs"), Some((ConnectErrorKind::Tls, "UnknownIssuer"))),
        (good, "verify-ca", Some("theirs"), Some((ConnectErrorKind::Tls, "UnknownIssuer"))),
        // libpq: with a root certificate, `require` verifies as `verify-ca` does.
        (good, "require", Some("theirs"), Some((ConnectErrorKind::Tls, "UnknownIssuer"))),
        // No public authority signed it.
        (good, "verify-full", Some("system"), Some((ConnectErrorKind::Tls, "UnknownIssuer"))),
        (good, "", Some("system"), Some((ConnectErrorKind::Tls, "UnknownIssuer"))),
        (good, "verify-full", Some("missing"), Some((ConnectErrorKind::Tls, "missing"))),
        (other, "verify-ca", Some("ours"), None),
        (other, "verify-full", Some("ours"), Some((ConnectErrorKind::Tls, "not valid for name"))),
        (expired, "require", None, None),
        (expired, "verify-ca", Some("ours"), Some((ConnectErrorKind::Tls, "expired"))),
        (expired, "verify-full", Some("ours"), Some((ConnectErrorKind::Tls, "expired"))),
    ];
    for (port, mode, root, expected) in cases {
        let mode = if mode.is_empty() { String::new() } else { format!("sslmode={mode}&") };
        let root = match root {
            None => String::new(),
            Some("system") => "sslrootcert=system".to_owned(),
            Some(file) => format!("sslrootcert={}", folder.path().join(file).display()),
        };
        let text = format!("postgresql://postgres:s3cret@localhost:{port}/postgres?{mode}{root}");
        match (connect(&DatabaseUrl::parse(&text, "me").expect("a URL")).await, expected) {
            (Ok(client), None) => assert_eq!(client.query("SELECT 1", &[]).await.expect("a row").len(), 1, "{text}"),
            (Err(error), Some((kind, said))) => {
                assert!(error.kind == kind && error.to_string().contains(said), "{text}: {error} ({:?})", error.kind);
            }
            (connected, _) => panic!("{text}: {:?}", connected.err()),
        }
    }
}
