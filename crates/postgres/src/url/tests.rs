use proptest::prelude::*;

use super::{DatabaseUrl, redact};

fn parse(text: &str) -> DatabaseUrl {
    DatabaseUrl::parse(text, "me").expect(text)
}

#[test]
fn reads_libpq_urls() {
    let cases = [
        ("postgresql://u:p@h:1/d", "host='h' port='1' user='u' dbname='d' connect_timeout='10'"),
        (
            "postgresql+asyncpg://u@h/d?sslmode=disable",
            "host='h' port='5432' user='u' dbname='d' connect_timeout='10' sslmode='disable'",
        ),
        (
            "postgresql://h/d?hostaddr=10.0.0.1&target_session_attrs=standby&channel_binding=require&application_name=me",
            "host='h' port='5432' user='me' dbname='d' connect_timeout='10' target_session_attrs='read-only' \
             hostaddr='10.0.0.1' channel_binding='require' application_name='me'",
        ),
        (
            "postgres://h1:1,h2:2/d?target_session_attrs=primary&connect_timeout=3",
            "host='h1,h2' port='1,2' user='me' dbname='d' connect_timeout='3' \
             target_session_attrs='read-write'",
        ),
        (
            "postgresql://%2Frun%2Fpg/it%27s?options=-c%20search_path%3Da&sslmode=verify-full&sslrootcert=/ca.pem",
            r"host='/run/pg' port='5432' user='me' dbname='it\'s' connect_timeout='10' sslmode='verify-full' sslrootcert='/ca.pem' options='-c search_path=a'",
        ),
        (
            "postgresql://h/d?sslrootcert=system",
            "host='h' port='5432' user='me' dbname='d' connect_timeout='10' sslmode='verify-full' \
             sslrootcert='system'",
        ),
    ];
    for (url, conninfo) in cases {
        assert_eq!(parse(url).conninfo(), conninfo, "{url}");
    }
}

#[test]
fn refuses_with_the_password_masked() {
    let cases = [
        ("mysql://u:secret@h/d", "this is not a PostgreSQL URL: its scheme is `mysql`"),
        ("host=h password=secret", "this is not a PostgreSQL URL"),
        ("u:secret@h/d", "this is not a PostgreSQL URL"),
        ("postgresql:/u:secret@h/d", "this is not a PostgreSQL URL"),
        ("u:secret://h/d", "this is not a PostgreSQL URL"),
        (
            "postgresql://u:secret@h:port/d",
            "the URL postgresql://u:***@h:port/d cannot be read: invalid connection string: invalid value for \
             option `port`",
        ),
        (
            "postgresql://u:secret@h/d?sslmode=maybe",
            "the URL postgresql://u:***@h/d?sslmode=maybe cannot be read: sslmode `maybe` is unknown",
        ),
        (
            "postgresql://u:secret@h/d?sslrootcert=system&sslmode=require",
            "the URL postgresql://u:***@h/d?sslrootcert=system&sslmode=require cannot be read: sslrootcert=system \
             needs sslmode=verify-full, and not require",
        ),
        (
            "postgresql://u:secret@h/d?password=secret&colour=red",
            "the URL postgresql://u:***@h/d?password=***&colour=red cannot be read: invalid connection string: unknown option `colour`",
        ),
    ];
    for (url, message) in cases {
        assert_eq!(DatabaseUrl::parse(url, "me").unwrap_err().to_string(), message, "{url}");
    }
}

proptest! {
    #[test]
    fn revealed_urls_read_back(user in ".{1,12}", password in ".{1,12}", database in ".{1,12}") {
        prop_assume!(![&user, &password, &database].iter().any(|text| text.contains('\0')));
        let url = format!("postgresql://{}:{}@h:1/{}?sslmode=require&options=-c%20a%3D1", super::encode(&user), super::encode(&password), super::encode(&database));
        let read = parse(&parse(&url).reveal());
        prop_assert_eq!(read.user(), &user);
        prop_assert_eq!(read.database(), &database);
        prop_assert_eq!(read.password(), Some(password.as_bytes()));
        prop_assert_eq!(read.conninfo(), parse(&url).conninfo());
    }

    #[test]
    fn a_password_is_never_shown(password in "[a-z@:/?#&%]{6,20}SECRET") {
        let url = format!("postgresql://u:{password}@h:1/d");
        prop_assert!(!redact(&url).contains("SECRET"), "{}", redact(&url));
        let valid = format!("postgresql://u:{}@h:1/d", super::encode(&password));
        let shown = format!("{} {:?}", parse(&valid), parse(&valid));
        prop_assert!(!shown.contains("SECRET"), "{}", shown);
    }
}
