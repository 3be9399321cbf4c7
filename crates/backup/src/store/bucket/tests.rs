use bytes::Bytes;
use dbops_testbed::{S3, start_s3};
use futures_util::TryStreamExt;

use super::{Bucket, PART};
use crate::hash::sha256;
use crate::lock::Locks;
use crate::store::{BucketLocation, Location, Store};
use crate::{Error, Keys, Repository};

fn location(s3: &S3, prefix: &str) -> BucketLocation {
    let options = [
        ("aws_endpoint_url", format!("http://127.0.0.1:{}", s3.port)),
        ("aws_access_key_id", S3::ACCESS_KEY.into()),
        ("aws_secret_access_key", S3::SECRET_KEY.into()),
        ("aws_no_such_option", "x".into()),
    ];
    let options = options.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    BucketLocation { url: format!("s3://{}/{prefix}", S3::BUCKET), options }
}

#[tokio::test]
async fn what_is_there_is_not_written_twice() {
    let s3 = start_s3();
    let bucket = Bucket::open(&location(&s3, "a/b")).expect("a bucket");
    let first = bucket.create("locks/x", Bytes::from_static(b"one")).await.expect("written").expect("new");
    assert_eq!(bucket.create("locks/x", Bytes::from_static(b"two")).await.expect("an answer"), None);
    // The same bytes are those of an earlier attempt whose answer was lost.
    assert!(bucket.create("locks/x", Bytes::from_static(b"one")).await.expect("an answer").is_some());
    let second = bucket.update("locks/x", Bytes::from_static(b"two"), first.clone()).await.expect("an answer");
    assert!(second.is_some());
    assert_eq!(bucket.update("locks/x", Bytes::from_static(b"three"), first).await.expect("an answer"), None);
    assert_eq!(bucket.read("locks/x", 3).await.expect("read"), Some(b"two".to_vec()));
    assert!(matches!(bucket.read("locks/x", 2).await, Err(Error::TooLarge { .. })));
    assert_eq!(bucket.read("locks/y", 2).await.expect("read"), None);
    bucket.delete("locks/x").await.expect("deleted");
    bucket.delete("locks/x").await.expect("gone already");
}

#[tokio::test]
async fn files_of_every_size_come_back() {
    let s3 = start_s3();
    let bucket = Bucket::open(&location(&s3, "")).expect("a bucket");
    let id = crate::SetId::parse("20261123T021500Z-1a2b").expect("an id");
    for size in [0, 1, PART, PART + 1] {
        let bytes: Vec<_> = (0..size).map(|index| (index % 251) as u8).collect();
        let mut upload = bucket.sink(&format!("{id}/{size}"));
        for chunk in bytes.chunks(1_000_000) {
            upload.write(chunk).await.expect("sent");
        }
        upload.finish().await.expect("stored");
        let read: Vec<Bytes> =
            bucket.stream(&format!("{id}/{size}")).await.expect("there").try_collect().await.expect("read");
        assert_eq!(sha256(&read.concat()), sha256(&bytes), "{size}");
    }
    let listed = bucket.sets().await.expect("a listing");
    let sizes: Vec<_> = listed[&id].iter().map(|file| file.bytes as usize).collect();
    assert_eq!(sizes, [0, 1, PART, PART + 1]);
    drop(bucket.sink("20261123T021500Z-1a2b/never"));
    assert_eq!(bucket.files(&id).await.expect("a listing").len(), 4);
}

/// Whatever its token is, a lock is one process', and free when it lets go.
#[tokio::test]
async fn a_lease_is_held_once() {
    let s3 = start_s3();
    let store = Store::open(&Location::Bucket(location(&s3, "x"))).expect("a bucket");
    let first = Locks::take(&store, &["a", "b"], false).await.expect("free");
    first.check().await.expect("held");
    let refused = Locks::take(&store, &["c", "b"], false).await.expect_err("held");
    assert!(matches!(&refused, Error::Locked { target, holder } if target == "b" && holder.pid == std::process::id()));
    Locks::take(&store, &["c"], false).await.expect("let go after the refusal").release().await;
    for lease in first.leases() {
        std::fs::write(s3.path(&format!("x/{lease}")), r#"{"token": "another"}"#).expect("a file");
    }
    assert!(matches!(first.check().await, Err(Error::LostLock)));
    first.release().await;
    assert!(matches!(Locks::take(&store, &["a"], false).await, Err(Error::Locked { .. })), "it is another's");
}

#[test]
fn a_place_is_shown_without_its_keys() {
    let location =
        BucketLocation { url: "s3://b/p".into(), options: vec![("aws_secret_access_key".into(), "k3y".into())] };
    assert!(!format!("{:?}", Location::Bucket(location)).contains("k3y"));
}

#[tokio::test]
async fn other_services_are_opened_by_their_urls() {
    for (url, is_known) in [("gs://bucket/p", true), ("az://container/p", true), ("ftp://b/p", false)] {
        let options = vec![
            ("azure_storage_account_name".into(), "account".into()),
            ("azure_storage_account_key".into(), "a2V5".into()),
            ("google_skip_signature".into(), "true".into()),
        ];
        let location = Location::Bucket(BucketLocation { url: url.into(), options });
        let opened = Repository::open(&location, Keys::default()).await;
        assert_eq!(opened.is_ok(), is_known, "{url}: {:?}", opened.err());
    }
}
