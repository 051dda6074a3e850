//! A file that holds a position, so that a listener goes on where the one before it has ended. One process has it at a time.
//! Nothing else is ever written to it.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read},
    mem,
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use pipechat::chat::Position;
use rustix::{
    fs::{CWD, OFlags, RenameFlags, renameat_with},
    io::Errno,
};

use super::{Failure, Outcome};

/// The longest file that is read, in bytes: several times the longest position.
const FILE_BYTES_MAX: u64 = 100;
/// How often the file may be replaced by others between opening and locking it.
const ATTEMPTS_MAX: usize = 100;

/// The file, locked.
#[derive(Debug)]
pub(super) struct ResumeFile {
    path: PathBuf,
    /// What is at `path`.
    file: File,
    next: Option<Next>,
    saved: Option<Position>,
}

/// A file beside it, which changes places with it: the old one is overwritten for the next time. (To make a new one for each
/// line takes ext4 a millisecond.)
#[derive(Debug)]
struct Next {
    path: PathBuf,
    file: File,
}

impl ResumeFile {
    /// Opens or makes the file, and locks it. Also returns the position in it, if it is not empty.
    ///
    /// # Errors
    /// [`Failure::Refused`] if another process has it, [`Failure::Usage`] if it can't be one that holds a position.
    pub(super) fn open(path: &str) -> Result<(Self, Option<Position>), Failure> {
        let cannot = |error: io::Error| Failure::Usage(format!("can't use {path}: {error}"));
        for _ in 0..ATTEMPTS_MAX {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            let nonblocking = OFlags::NONBLOCK.bits().try_into().expect("a flag"); // a pipe must not hold up the client
            let mut file = options.custom_flags(nonblocking).open(path).map_err(cannot)?;
            let meta = file.metadata().map_err(cannot)?;
            if !meta.is_file() {
                return Err(Failure::Usage(format!("can't use {path}: it is no file")));
            }
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(Failure::Refused(Some(format!("{path} is in use by another process"))));
                }
                Err(TryLockError::Error(error)) => return Err(cannot(error)),
            }
            // The one who had the lock may have replaced the file meanwhile.
            if !fs::metadata(path).is_ok_and(|now| (now.dev(), now.ino()) == (meta.dev(), meta.ino())) {
                continue;
            }
            let mut text = String::new();
            (&mut file).take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(cannot)?;
            let saved = match text.trim_ascii_end() {
                "" if text.is_empty() => None,
                text => Some(text.parse().map_err(|()| {
                    Failure::Usage(format!("can't use {path}: it holds something else than a position"))
                })?),
            };
            let path = fs::canonicalize(path).map_err(cannot)?; // a link stays one
            return Ok((Self { path, file, next: None, saved }, saved));
        }
        Err(Failure::Refused(Some(format!("{path} is in use by another process"))))
    }

    /// Replaces the position, such that the file holds one of the two at any moment.
    ///
    /// # Errors
    /// [`Failure::Output`]
    pub(super) fn write(&mut self, position: Position) -> Outcome {
        if self.saved == Some(position) {
            return Ok(());
        }
        let replaced = self.replace(position);
        replaced.map_err(|error| Failure::Output(format!("can't write {}: {error}", self.path.display())))?;
        self.saved = Some(position);
        Ok(())
    }

    fn replace(&mut self, position: Position) -> io::Result<()> {
        let mut next = match self.next.take() {
            Some(next) => next,
            None => Next::create(beside(&self.path), &self.file)?,
        };
        let text = format!("{position}\n");
        next.file.write_all_at(text.as_bytes(), 0)?;
        next.file.set_len(text.len().try_into().expect("short"))?;
        match renameat_with(CWD, &next.path, CWD, &self.path, RenameFlags::EXCHANGE) {
            Ok(()) => {
                mem::swap(&mut self.file, &mut next.file);
                self.next = Some(next);
            }
            // Not every file system can do that.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                fs::rename(&next.path, &self.path)?;
                self.file = next.file;
            }
            Err(errno) => return Err(errno.into()),
        }
        Ok(())
    }
}

impl Drop for ResumeFile {
    fn drop(&mut self) {
        if let Some(next) = &self.next {
            fs::remove_file(&next.path).ok(); // it would be replaced by the next process
        }
    }
}

impl Next {
    /// A locked file with the permissions of this one.
    fn create(path: PathBuf, like: &File) -> io::Result<Self> {
        let mode = like.metadata()?.permissions().mode() & 0o777;
        let create = || OpenOptions::new().write(true).create_new(true).mode(mode).open(&path);
        let file = match create() {
            // One who had the lock was killed.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                fs::remove_file(&path)?;
                create()?
            }
            created => created?,
        };
        file.try_lock().map_err(io::Error::from)?; // before it is at its place: nobody else gets hold of it there
        Ok(Self { path, file })
    }
}

/// A name in the same folder, so that a file there can replace the one at `path`.
fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".next");
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use std::{env, os::unix::fs::symlink, process};

    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = env::temp_dir().join(format!("pipechat-resume-{name}-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn position(text: &str) -> Position {
        text.parse().unwrap()
    }

    #[test]
    fn it_holds_the_last_position_and_one_process_has_it() {
        let folder = folder("last");
        let path = folder.join("pos");
        let text = path.to_str().unwrap();
        let (mut file, saved) = ResumeFile::open(text).unwrap();
        assert_eq!(saved, None);
        for _ in 0..2 {
            let in_use = ResumeFile::open(text).unwrap_err();
            assert!(matches!(&in_use, Failure::Refused(Some(why)) if why.ends_with("is in use by another process")));
            file.write(position("7.abcde")).unwrap();
            file.write(position("8.abcde")).unwrap();
        }
        file.write(position("10.abcde")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "10.abcde\n");
        file.write(position("8.zzzzz")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "8.zzzzz\n");
        drop(file);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing else is left there");
        fs::write(beside(&path), "of one that was killed").unwrap();
        let (mut file, saved) = ResumeFile::open(text).unwrap();
        assert_eq!(saved, Some(position("8.zzzzz")));
        file.write(position("9.abcde")).unwrap();
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_link_and_the_mode_stay() {
        let folder = folder("link");
        let (path, link) = (folder.join("pos"), folder.join("link"));
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        symlink("pos", &link).unwrap();
        let (mut file, _) = ResumeFile::open(link.to_str().unwrap()).unwrap();
        file.write(position("1.abcde")).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&path).unwrap(), "1.abcde\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn another_file_is_left_alone() {
        let folder = folder("other");
        for content in
            ["hello\n", "7", ".abcde\n", "+7.abcde\n", "7.abcde 8.abcde\n", "\n", "\u{1b}[2J", &"7".repeat(1000)]
        {
            let path = folder.join("notes");
            fs::write(&path, content).unwrap();
            let error = ResumeFile::open(path.to_str().unwrap()).unwrap_err();
            assert!(matches!(error, Failure::Usage(_)), "{content:?}");
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        for path in [folder.to_str().unwrap(), "/dev/null", "/nowhere/pos"] {
            assert!(matches!(ResumeFile::open(path), Err(Failure::Usage(_))), "{path}");
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
