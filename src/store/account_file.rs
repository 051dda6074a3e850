//! The accounts in a file, for somebody who is no server: `pipechat account`. It may change them while a server has the file, which
//! learns of that by looking (`watch`), and says so (`edits`).

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    path::Path,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::{SyncMode, accounts, edits, open};
use crate::chat::{Account, account_key};

/// How long to wait for a server, or for somebody else, that writes at the moment.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A file with accounts.
#[derive(Debug)]
pub struct AccountFile(Connection);

impl AccountFile {
    /// Opens the store in the file at `path`. With `makes`, a new one is made where there is none.
    ///
    /// # Errors
    /// One sentence that says what is wrong with the file.
    pub fn open(path: &Path, makes: bool) -> Result<Self, String> {
        let open = || {
            let path = open::real_path(path)?;
            if !makes && !path.exists() {
                return Err(open::OpenError::Missing);
            }
            let access = OpenFlags::SQLITE_OPEN_READ_WRITE;
            if !path.exists() || open::version(&open::connect(&path, access)?)? < open::VERSION {
                drop(open::make(&path, SyncMode::Full, random())?); // under the lock, so that no server has it
            }
            let connection = open::connect(&path, access)?;
            open::version(&connection)?;
            connection.busy_timeout(BUSY_TIMEOUT)?;
            Ok(Self(connection))
        };
        open().map_err(|error| format!("cannot open store {path:?}: {error}"))
    }

    /// All accounts, in the order in which they were made.
    ///
    /// # Errors
    /// One sentence that says why they cannot be read.
    pub fn all(&self) -> Result<Vec<Account>, String> {
        accounts::all(&self.0).map_err(|error| self.cannot("read", &error))
    }

    /// Makes of the account of this name, if there is one, what `edit` answers; without an account, it is removed, with its messages.
    /// Nobody changes it meanwhile.
    ///
    /// # Errors
    /// What `edit` says, and nothing has changed; or one sentence that says why it could not be kept.
    pub fn edit(
        &self,
        name: &str,
        edit: impl FnOnce(Option<Account>) -> Result<Option<Account>, String>,
    ) -> Result<(), String> {
        let cannot = |error| self.cannot("change", &error);
        let transaction = Transaction::new_unchecked(&self.0, TransactionBehavior::Immediate).map_err(cannot)?;
        let key = account_key(name);
        let change = match edit(accounts::find(&self.0, &key).map_err(cannot)?)? {
            Some(account) => accounts::put(&self.0, &account),
            None => accounts::forget_mailbox(&self.0, name).and_then(|()| accounts::remove(&self.0, &key)),
        };
        change.and_then(|()| edits::add(&self.0)).and_then(|()| transaction.commit()).map_err(cannot)
    }

    /// Waits until a server that has the file, if there is one, acts by what was edited. Answers false if it does not in time.
    ///
    /// # Errors
    /// One sentence that says why that cannot be known.
    pub fn wait_until_known(&self) -> Result<bool, String> {
        edits::wait_until_known(&self.0).map_err(|error| self.cannot("read", &error))
    }

    fn cannot(&self, what: &str, error: &rusqlite::Error) -> String {
        format!("cannot {what} the accounts in {:?}: {error}", self.0.path().unwrap_or_default())
    }
}

/// A number for a new epoch: the standard library begins its hashes with one.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
