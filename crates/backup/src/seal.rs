//! Encryption of what goes into a repository, in age's format: before anything touches a disk or a network.
//!
//! With a passphrase, the repository holds a key of its own in `key.age`, encrypted with the passphrase: files are
//! encrypted for that key, so that the passphrase, which is made slow to try, is tried once for a command and not once
//! for a file. `age --decrypt` reads all of it.

use std::fmt;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use age::secrecy::{ExposeSecret, SecretString};
use age::stream::StreamWriter;
use age::x25519::{Identity, Recipient};
use age::{DecryptError, Decryptor, Encryptor, scrypt};
use futures_util::TryStreamExt;
use futures_util::io::AsyncRead;

use crate::Error;
use crate::store::{ByteStream, Store};

/// The end of the name of everything that is encrypted.
pub(crate) const SUFFIX: &str = ".age";
/// The repository's own key, for who knows the passphrase.
const KEY: &str = "key.age";
const KEY_LIMIT: u64 = 4096;
/// 2^15 rounds of scrypt: 32 MB of memory and a tenth of a second.
const WORK: u8 = 15;
/// More than this is not tried, whatever the file says: 256 MB.
const MOST_WORK: u8 = 18;

/// What a repository is encrypted for, and what it is decrypted with. Without either it is not encrypted.
#[derive(Clone, Default)]
pub struct Keys {
    recipients: Vec<Recipient>,
    identities: Vec<Identity>,
    passphrase: Option<SecretString>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("recipients", &self.recipients.len()).finish_non_exhaustive()
    }
}

/// Why something encrypted cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// No key was given.
    #[error("is encrypted, and no key was given")]
    NoKey,
    /// The keys that were given are not those that it is encrypted for.
    #[error("is encrypted for another key than the one that was given")]
    WrongKey,
    /// It is cut off, changed, or nothing that age wrote.
    #[error("is damaged: {0}")]
    Damaged(String),
}

impl Keys {
    /// Keys as they are written: `age1…` and `AGE-SECRET-KEY-1…`, and a passphrase.
    ///
    /// # Errors
    ///
    /// When a recipient or the text of an identity file is none.
    pub fn new(
        recipients: &[String],
        identities: Option<(&Path, &str)>,
        passphrase: Option<String>,
    ) -> Result<Self, Error> {
        let recipient = |text: &String| text.parse().map_err(|_| Error::Recipient(text.clone()));
        Ok(Self {
            recipients: recipients.iter().map(recipient).collect::<Result<_, _>>()?,
            identities: identities.map_or_else(|| Ok(Vec::new()), |(path, text)| read_identities(path, text))?,
            passphrase: passphrase.map(SecretString::from),
        })
    }

    /// Whether what is written is encrypted.
    #[must_use]
    pub fn encrypt(&self) -> bool {
        !self.recipients.is_empty() || self.passphrase.is_some()
    }

    /// With the repository's own key, when there is a passphrase and the repository has one.
    pub(crate) async fn unlock(mut self, store: &Store) -> Result<Self, Error> {
        let Some(passphrase) = &self.passphrase else { return Ok(self) };
        if let Some(sealed) = store.read(KEY, KEY_LIMIT).await? {
            let mut identity = scrypt::Identity::new(passphrase.clone());
            identity.set_max_work_factor(MOST_WORK);
            let failed = |error| Error::Passphrase { file: store.shown(KEY), source: error };
            let opened = open_with(&sealed, std::iter::once(&identity as &dyn age::Identity)).map_err(failed)?;
            let text = String::from_utf8_lossy(&opened).into_owned();
            let key: Identity = text.trim().parse().map_err(|error: &str| failed(SealError::Damaged(error.into())))?;
            self.recipients.push(key.to_public());
            self.identities.push(key);
            self.passphrase = None;
        }
        Ok(self)
    }

    /// As [`unlock`](Self::unlock), and makes the key when the repository has none.
    pub(crate) async fn prepare(self, store: &Store) -> Result<Self, Error> {
        let Some(passphrase) = self.passphrase.clone() else { return Ok(self) };
        let key = Identity::generate().to_string();
        let mut recipient = scrypt::Recipient::new(passphrase);
        recipient.set_work_factor(WORK);
        let sealed = Sealer::new(std::iter::once(&recipient as &dyn age::Recipient))
            .and_then(|sealer| sealer.seal_all(key.expose_secret().as_bytes()))
            .map_err(Error::Seal)?;
        // Another backup may be the first too: the key that is there counts.
        store.create(KEY, sealed).await?;
        self.unlock(store).await
    }

    /// Begins to encrypt a file; `None` when nothing is encrypted.
    pub(crate) fn sealer(&self) -> Result<Option<Sealer>, Error> {
        if !self.encrypt() {
            return Ok(None);
        }
        // Before the passphrase has led to a key there may be none, and that is an error.
        let recipients = self.recipients.iter().map(|recipient| recipient as &dyn age::Recipient);
        Sealer::new(recipients).map(Some).map_err(Error::Seal)
    }

    /// Decrypts a small file.
    pub(crate) fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        if self.identities.is_empty() {
            return Err(SealError::NoKey);
        }
        open_with(sealed, self.identities.iter().map(|identity| identity as &dyn age::Identity))
    }

    /// Decrypts a stream.
    pub(crate) async fn open_stream(&self, sealed: ByteStream) -> Result<impl AsyncRead + Unpin + use<>, SealError> {
        if self.identities.is_empty() {
            return Err(SealError::NoKey);
        }
        let decryptor = Decryptor::new_async(sealed.into_async_read()).await.map_err(SealError::from)?;
        let identities = self.identities.iter().map(|identity| identity as &dyn age::Identity);
        decryptor.decrypt_async(identities).map_err(SealError::from)
    }
}

impl From<DecryptError> for SealError {
    fn from(error: DecryptError) -> Self {
        match error {
            DecryptError::NoMatchingKeys | DecryptError::KeyDecryptionFailed => Self::WrongKey,
            DecryptError::DecryptionFailed => Self::WrongKey,
            DecryptError::ExcessiveWork { required, .. } => {
                Self::Damaged(format!("it wants 2^{required} rounds of scrypt"))
            }
            DecryptError::Io(error) => Self::Damaged(error.to_string()),
            _ => Self::Damaged("it is not a file of age".into()),
        }
    }
}

/// The text of an identity file: keys, each on a line, and comments.
fn read_identities(path: &Path, text: &str) -> Result<Vec<Identity>, Error> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    // The line is not shown: it may be a key after all.
    let failed = || Error::Identity(path.to_path_buf());
    let identities = lines.map(|line| line.parse().map_err(|_| failed())).collect::<Result<Vec<_>, _>>()?;
    if identities.is_empty() { Err(failed()) } else { Ok(identities) }
}

fn open_with<'a>(sealed: &[u8], identities: impl Iterator<Item = &'a dyn age::Identity>) -> Result<Vec<u8>, SealError> {
    let mut opened = Vec::new();
    let mut reader = Decryptor::new(sealed)?.decrypt(identities)?;
    reader.read_to_end(&mut opened).map_err(|error| SealError::Damaged(error.to_string()))?;
    Ok(opened)
}

/// A file that is being encrypted: bytes go in, and those that are ready come out.
pub(crate) struct Sealer {
    writer: StreamWriter<Ready>,
    ready: Ready,
}

/// What is encrypted and was not fetched yet.
#[derive(Clone, Default)]
struct Ready(Arc<Mutex<Vec<u8>>>);

impl Ready {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Ready {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").finish_non_exhaustive()
    }
}

impl Sealer {
    fn new<'a>(recipients: impl Iterator<Item = &'a dyn age::Recipient>) -> io::Result<Self> {
        let ready = Ready::default();
        let encryptor = Encryptor::with_recipients(recipients).map_err(io::Error::other)?;
        let writer = encryptor.wrap_output(ready.clone())?;
        Ok(Self { writer, ready })
    }

    /// Encrypts what follows; gives what is ready.
    pub(crate) fn seal(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        self.writer.write_all(bytes)?;
        Ok(self.ready.take())
    }

    /// Ends; gives the rest.
    pub(crate) fn finish(self) -> io::Result<Vec<u8>> {
        self.writer.finish()?;
        Ok(self.ready.take())
    }

    /// Encrypts a small file.
    pub(crate) fn seal_all(mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut sealed = self.seal(bytes)?;
        sealed.extend(self.finish()?);
        Ok(sealed)
    }
}

#[cfg(test)]
mod tests {
    use age::x25519::Identity;
    use bytes::Bytes;
    use futures_util::{AsyncReadExt, stream};

    use super::{KEY, Keys, SealError};
    use crate::Location;
    use crate::store::{ByteStream, Store};

    fn keys(recipient: &Identity, identity: Option<&Identity>) -> Keys {
        let identities = identity.cloned().into_iter().collect();
        Keys { recipients: vec![recipient.to_public()], identities, passphrase: None }
    }

    fn chunks(bytes: &[u8]) -> ByteStream {
        let chunks: Vec<_> = bytes.chunks(1000).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
        Box::pin(stream::iter(chunks))
    }

    #[tokio::test]
    async fn what_is_sealed_opens_with_its_key_alone() {
        let (ours, theirs) = (Identity::generate(), Identity::generate());
        for size in [0, 1, 65_536, 200_000] {
            let plain = vec![7; size];
            let sealer = keys(&ours, None).sealer().expect("a sealer").expect("encrypted");
            let sealed = sealer.seal_all(&plain).expect("sealed");
            assert_eq!(keys(&ours, Some(&ours)).open(&sealed).as_ref(), Ok(&plain), "{size}");
            assert_eq!(keys(&ours, Some(&theirs)).open(&sealed), Err(SealError::WrongKey));
            assert_eq!(keys(&ours, None).open(&sealed), Err(SealError::NoKey));
            let cut = keys(&ours, Some(&ours)).open(&sealed[..sealed.len() - 1]);
            assert!(matches!(cut, Err(SealError::Damaged(_))), "{size}: {cut:?}");
            let mut opened = Vec::new();
            let mut reader = keys(&ours, Some(&ours)).open_stream(chunks(&sealed)).await.expect("opened");
            reader.read_to_end(&mut opened).await.expect("whole");
            assert_eq!(opened, plain, "{size}");
            let mut reader =
                keys(&ours, Some(&ours)).open_stream(chunks(&sealed[..sealed.len() - 1])).await.expect("opened");
            assert!(reader.read_to_end(&mut opened).await.is_err(), "{size}");
        }
        assert!(Keys::default().sealer().is_ok_and(|sealer| sealer.is_none()));
    }

    #[tokio::test]
    async fn a_passphrase_makes_one_key_for_the_repository() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&Location::Folder(folder.path().into())).expect("a folder");
        let keys = |text: &str| Keys::new(&[], None, Some(text.into())).expect("a passphrase");
        let no_key = keys("right").unlock(&store).await.expect("no key yet");
        assert!(no_key.encrypt() && no_key.sealer().is_err(), "never as it is");
        let first = keys("right").prepare(&store).await.expect("made");
        let key = std::fs::read(folder.path().join(KEY)).expect("a key");
        let second = keys("right").prepare(&store).await.expect("there");
        assert_eq!(std::fs::read(folder.path().join(KEY)).expect("a key"), key);
        let sealed = first.sealer().expect("a sealer").expect("encrypted").seal_all(b"text").expect("sealed");
        assert_eq!(second.open(&sealed), Ok(b"text".to_vec()));
        let wrong = keys("wrong").unlock(&store).await.expect_err("wrong").to_string();
        assert!(wrong.ends_with("key.age cannot be opened: the passphrase is another one"), "{wrong}");
    }
}
