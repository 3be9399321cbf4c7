//! Encrypted sets: nothing readable but sizes and times, and one clear error for a wrong key.

use std::fs;
use std::path::PathBuf;

use age::secrecy::ExposeSecret;
use dbops_testbed::unique;
use serde_json::{Value, json};

use crate::backup::{back_up, list, sample};
use crate::project::{Project, query};

/// A key file and the recipient that belongs to it.
pub(crate) fn key(project: &Project, name: &str) -> String {
    let identity = age::x25519::Identity::generate();
    project.write(name, &format!("# a key\n{}\n", identity.to_string().expose_secret()));
    identity.to_public().to_string()
}

pub(crate) fn encrypt(project: &Project, encryption: &str) {
    let text = "version: 1\ntargets:\n  app:\n    kind: postgres\n    url: ${APP_URL}\n    versions: versions\n";
    project.write("dbops.yaml", &format!("{text}backup:\n  repository: backups\n  encryption: {encryption}\n"));
}

/// Every file of the repository.
fn files(project: &Project) -> Vec<PathBuf> {
    let entries = |folder: PathBuf| fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path());
    let (folders, mut files): (Vec<_>, Vec<_>) = entries(project.path("backups")).partition(|path| path.is_dir());
    files.extend(folders.into_iter().flat_map(entries));
    files.sort();
    files
}

#[test]
fn nothing_but_sizes_and_times_is_readable() {
    let url = sample("sealed");
    let project = Project::with_database(&url);
    let recipient = key(&project, "key.txt");
    key(&project, "other.txt");
    encrypt(&project, &format!("{{recipients: [{recipient}]}}"));
    let made = project.json(0, &["backup", "--label", "customer=acme"]);
    let id = made["id"].as_str().expect("an id");
    let set = project.path("backups").join(id);
    let names: Vec<_> = files(&project).iter().map(|path| path.strip_prefix(&set).map(PathBuf::from)).collect();
    let names: Vec<_> = names.into_iter().flatten().collect();
    assert_eq!(names, ["1.age", "2.age", "manifest.json.age"].map(PathBuf::from));
    project.ok(&["backup", "verify", "--identity", "key.txt"]);
    let secrets = ["app", "acme", "players", "8f3c2a9d41be", url.database(), "PGDMP", "postgres"];
    for file in files(&project) {
        let bytes = fs::read(&file).expect("a file");
        let text = String::from_utf8_lossy(&bytes);
        for secret in secrets {
            // Three letters are in any noise.
            let is_there = text.contains(secret) && (secret.len() > 3 || bytes.len() < 1000);
            assert!(!is_there, "{secret} in {}", file.display());
            assert!(!file.display().to_string().contains(&format!("/{secret}")), "{}", file.display());
        }
    }

    let locked = list(&project);
    assert_eq!((&locked[0]["encrypted"], &locked[0]["targets"]), (&json!(true), &json!([])));
    assert!(locked[0]["bytes"].as_u64() > Some(1000) && locked[0]["verified"].is_string(), "{locked:?}");
    assert!(project.ok(&["backup", "list"]).stdout.contains("  encrypted  "));
    let open = project.json(0, &["backup", "list", "--identity", "key.txt", "--label", "customer=acme"]);
    assert_eq!(open["backups"][0]["targets"], json!(["app"]));

    let into = unique("sealed");
    let restore = ["restore", "latest", "app", "--into", &into];
    for (identity, message) in
        [(None, "no key was given"), (Some("other.txt"), "for another key than the one that was")]
    {
        for arguments in [&["backup", "verify"][..], &["backup", "show", id], &restore] {
            let options: Vec<_> = identity.iter().flat_map(|file| ["--identity", file]).collect();
            let run = project.run(&[arguments, &options].concat());
            assert_eq!(run.code, 1, "{run}");
            let text = format!("backup {id} cannot be used\n  manifest.json is encrypted");
            assert!(run.stderr.contains(&text) && run.stderr.contains(message), "{run}");
            assert!(run.stderr.contains("hint: name the file with its key: --identity FILE"), "{run}");
        }
    }
    project.ok(&[&restore[..], &["--identity", "key.txt"]].concat());
    assert_eq!(query(&url.with_database(&into), "SELECT count(*) FROM players"), ["50"]);

    // Without the key nothing is known of it, and nothing is removed.
    let kept = project.json(0, &["backup", "prune", "--keep-last", "1", "--yes"]);
    assert_eq!(kept["backups"][0]["reasons"][0]["reason"], "encrypted, and no key was given");
}

#[test]
fn a_passphrase_opens_what_it_closed() {
    let url = sample("passphrase");
    let project = Project::with_database(&url).env("DBOPS_BACKUP_PASSPHRASE", "correct horse");
    let id = back_up(&project);
    assert_eq!(list(&project)[0]["targets"], json!(["app"]));
    project.ok(&["backup", "verify"]);
    project.ok(&["restore", "latest", "app", "--into", &unique("passphrase")]);
    back_up(&project);
    let key = fs::read(project.path("backups/key.age")).expect("the repository's key");
    assert!(String::from_utf8_lossy(&key).starts_with("age-encryption.org/v1\n-> scrypt "));

    project.write("passphrase", "correct horse\n");
    let project = project.env("DBOPS_BACKUP_PASSPHRASE", "");
    assert_eq!(list(&project)[0]["targets"], json!([]));
    encrypt(&project, "{passphrase_file: passphrase}");
    assert_eq!(list(&project)[1]["id"], json!(id));
    project.write("passphrase", "wr0ng-one\n");
    for arguments in [&["backup", "list"][..], &["backup"], &["restore", "latest"]] {
        let run = project.run(arguments);
        assert_eq!(run.code, 1, "{run}");
        assert!(run.stderr.contains("key.age cannot be opened: the passphrase is another one"), "{run}");
        assert!(!run.to_string().contains("wr0ng-one"), "{run}");
    }
}

/// A byte is flipped, or the end is gone, in each file of a set.
#[test]
fn damage_is_found_in_every_file() {
    let project = Project::with_database(&sample("sealed_damage"));
    let recipient = key(&project, "key.txt");
    encrypt(&project, &format!("{{recipients: [{recipient}], identity: key.txt}}"));
    let id = back_up(&project);
    for file in files(&project).into_iter().filter(|file| file.to_string_lossy().contains(&id)) {
        let bytes = fs::read(&file).expect("a file");
        for place in [0, 250, bytes.len() / 2, bytes.len() - 1] {
            let mut flipped = bytes.clone();
            flipped[place] ^= 1;
            for (what, damaged) in [("flipped", flipped), ("cut", bytes[..place].to_vec())] {
                fs::write(&file, damaged).expect("a file");
                let what = format!("{} {what} at {place}", file.display());
                // A manifest whose header is hurt may look as if it were for another key.
                let verified = project.run(&["backup", "verify", "--json"]);
                assert!([3, 1].contains(&verified.code), "{what}: {verified}");
                let found: Value = serde_json::from_str(&verified.stdout).expect("JSON");
                let is_manifest = file.ends_with("manifest.json.age");
                let named = found["backups"][0]["problems"][0]["file"].as_str().unwrap_or_default();
                assert!(is_manifest || file.ends_with(named), "{what}: {verified}");
                // The roles, which no restore of a database reads.
                if !file.ends_with("2.age") {
                    let run = project.run(&["restore", &id, "app", "--into", "never"]);
                    assert_eq!(run.code, 1, "{what}: {run}");
                }
            }
        }
        fs::write(&file, bytes).expect("a file");
    }
    project.ok(&["backup", "verify"]);
}

/// What is written under `encryption`, and what is said about it.
#[test]
fn keys_that_are_none_are_wrong_configuration() {
    let project = Project::with_database(&sample("no_keys"));
    let recipient = key(&project, "key.txt");
    project.write("empty", "# nothing\n");
    let cases = [
        ("{recipients: [age1nonsense]}".to_owned(), "`age1nonsense` is not a recipient", "age-keygen"),
        ("{recipients_file: empty}".into(), "empty names no recipient", ""),
        ("{recipients_file: none}".into(), "cannot read PROJECT/none", "see backup.encryption"),
        ("{passphrase_file: none}".into(), "cannot read PROJECT/none", ""),
        ("{identity: key.txt}".into(), "an identity alone encrypts nothing", "add `recipients`"),
        (
            format!("{{recipients: [{recipient}], identity: empty}}"),
            "does not hold the keys of age",
            "AGE-SECRET-KEY-1",
        ),
        ("{recipient: x}".into(), "unknown field `recipient`", "did you mean `recipients`?"),
    ];
    for (encryption, message, hint) in cases {
        encrypt(&project, &encryption);
        for arguments in [["backup", "list"], ["config", "check"]] {
            let run = project.run(&arguments);
            assert_eq!(run.code, 2, "{encryption}: {run}");
            assert!(run.stderr.contains(message) && run.stderr.contains(hint), "{encryption}: {run}");
        }
    }
}
