//! The key that signs tokens: given, or made once and kept beside the database.
//!
//! In: the operator's key, or the file of an SQLite database. Out: a key of 32 bytes or more.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};

use super::ConfigError;

/// The fewest bytes that a key may have: the width of SHA-256, below which HMAC is weaker than its hash.
const SHORTEST: usize = 32;

/// A new key of 48 random bytes, as text.
pub(super) fn random() -> SecretString {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 48]>()).into()
}

/// `key`, if it is long enough to sign with; `name` is where it came from.
pub(super) fn checked(key: SecretString, name: &str) -> Result<SecretString, ConfigError> {
    match key.expose_secret().len() {
        SHORTEST.. => Ok(key),
        bytes => Err(ConfigError::new(
            name,
            format_args!(
                "must have {SHORTEST} bytes or more, it has {bytes} (openssl rand -base64 48 makes a good one)"
            ),
        )),
    }
}

/// The key in the file beside `database`, made if there is none.
pub(super) fn kept_beside(database: &Path) -> Result<SecretString, ConfigError> {
    let mut path = database.as_os_str().to_owned();
    path.push(".jwt-key");
    let path = PathBuf::from(path);
    let shown = path.display();
    let found = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(&path),
        found => found,
    };
    match found {
        Ok(text) => checked(text.trim().into(), &format!("JWT_SECRET_KEY is not set, and the key in {shown}")),
        Err(error) => Err(ConfigError::new(
            "JWT_SECRET_KEY",
            format_args!("is not set, and no key can be kept in {shown}: {error}"),
        )),
    }
}

/// Writes a new key to `path`, or reads the one that another process put there first.
fn create(path: &Path) -> io::Result<String> {
    let key = random();
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{:016x}", rand::random::<u64>()));
    let draft = PathBuf::from(draft);
    let placed = write_private(&draft, key.expose_secret()).and_then(|()| {
        // A link appears whole or not at all and never replaces another's key; a file system without links gets the
        // next best.
        match fs::hard_link(&draft, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => fs::rename(&draft, path),
            _ => Ok(()),
        }
    });
    // Gone already where the draft was renamed.
    let _ = fs::remove_file(&draft);
    placed?;
    fs::read_to_string(path)
}

/// Writes `text` to a new file that its owner alone can read.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
