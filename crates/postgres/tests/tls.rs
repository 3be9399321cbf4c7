//! `sslmode` and `sslrootcert` against a real server behind a real handshake: what each of them lets through.
//!
//! The server's programs are built without TLS, so that something in front of it speaks it, as a pooler would.

use std::path::Path;
use std::sync::Arc;

use dbops_postgres::{
    ConnectErrorKind, DatabaseUrl, Installation, Places, Throwaway, ThrowawayOptions, connect, tokio_postgres,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What a client sends that wants TLS: <https://www.postgresql.org/docs/current/protocol-message-formats.html>
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

fn certificate(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/certificates").join(name)
}

fn acceptor() -> TlsAcceptor {
    let certificates = CertificateDer::pem_file_iter(certificate("server.pem")).expect("a file");
    let certificates = certificates.collect::<Result<_, _>>().expect("certificates");
    let key = PrivateKeyDer::from_pem_file(certificate("server.key")).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().expect("versions").with_no_client_auth();
    TlsAcceptor::from(Arc::new(config.with_single_cert(certificates, key).expect("a pair")))
}

/// Lets in who wants TLS, and nobody else.
async fn pass(mut client: TcpStream, acceptor: TlsAcceptor, server: (String, u16)) -> std::io::Result<()> {
    let mut request = [0; 8];
    client.read_exact(&mut request).await?;
    if request != SSL_REQUEST {
        return Ok(());
    }
    client.write_all(b"S").await?;
    let mut client = acceptor.accept(client).await?;
    copy_bidirectional(&mut client, &mut TcpStream::connect(server).await?).await?;
    Ok(())
}

#[tokio::test]
async fn each_mode_verifies_what_libpq_says_it_does() {
    let places = Places::from_variables(|name| std::env::var_os(name));
    let installation = Installation::find_or_fetch_server(&places, true).await.expect("a server with pgvector");
    let options = ThrowawayOptions { tcp_password: Some("secret".into()), settings: Vec::new() };
    let cluster = Throwaway::start(&installation, &options).expect("start");
    let server = cluster.url("postgres").servers().remove(0);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let acceptor = acceptor();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass(client, acceptor.clone(), server.clone()));
        }
    });

    let (right, wrong) = (certificate("authority.pem"), certificate("other.pem"));
    let (right, wrong) = (right.display(), wrong.display());
    // The certificate is for the name `localhost`.
    let cases = [
        ("localhost", String::new(), None),
        ("localhost", "sslmode=require".into(), None),
        ("127.0.0.1", format!("sslmode=require&sslrootcert={right}"), None),
        ("localhost", format!("sslmode=require&sslrootcert={wrong}"), Some("UnknownIssuer")),
        ("127.0.0.1", format!("sslmode=verify-ca&sslrootcert={right}"), None),
        ("localhost", format!("sslmode=verify-ca&sslrootcert={wrong}"), Some("UnknownIssuer")),
        ("localhost", format!("sslmode=verify-full&sslrootcert={right}"), None),
        ("127.0.0.1", format!("sslmode=verify-full&sslrootcert={right}"), Some("not valid for name")),
        ("localhost", format!("sslmode=verify-full&sslrootcert={wrong}"), Some("UnknownIssuer")),
        ("localhost", "sslmode=verify-full".into(), Some("needs sslrootcert")),
        // No public authority signed it.
        ("localhost", "sslrootcert=system".into(), Some("UnknownIssuer")),
    ];
    for (host, parameters, refusal) in cases {
        let text = format!("postgresql://postgres:secret@{host}:{port}/postgres?{parameters}");
        let outcome = connect(&DatabaseUrl::parse(&text, "me").expect("a URL")).await;
        match (outcome, refusal) {
            (Ok(client), None) => {
                let row: Result<tokio_postgres::Row, _> = client.query_one("SELECT 1", &[]).await;
                assert!(row.is_ok(), "{host} {parameters}: {row:?}");
            }
            (Err(error), Some(refusal)) => {
                assert_eq!(error.kind, ConnectErrorKind::Tls, "{host} {parameters}: {error}");
                let said = format!("{error} {:?}", error.hint());
                assert!(said.contains(refusal), "{host} {parameters}: {said}");
            }
            (Ok(_), Some(_)) => panic!("{host} {parameters}: let in"),
            (Err(error), None) => panic!("{host} {parameters}: {error}"),
        }
    }
}
