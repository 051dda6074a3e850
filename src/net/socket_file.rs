//! A socket in the file system: made where there is none or a stale one, and removed at the end. Knows nothing of who connects.

use std::{
    fs, io,
    os::unix::{
        fs::FileTypeExt,
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
};

use rustix::{fs::Mode, process::umask};
use socket2::{Domain, SockAddr, Socket, Type};

use super::listener::BACKLOG;

/// Others than the owner and the group may not connect: the mode of the file is 0660.
const UMASK: Mode = Mode::from_raw_mode(0o117);

/// The file of a socket, removed on drop, unless it is another server's by then. To be dropped after the listener.
#[derive(Debug)]
pub(super) struct SocketFile(PathBuf);

impl SocketFile {
    /// Listens at `path`. A socket that nobody listens on is replaced.
    ///
    /// # Errors
    /// Where somebody listens there, where there is something else than a socket, or where there can be none.
    pub(super) fn bind(path: &Path) -> io::Result<(UnixListener, Self)> {
        remove_stale(path)?;
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        let before = umask(UMASK);
        let bound = socket.bind(&SockAddr::unix(path)?);
        umask(before);
        bound?;
        let file = Self(path.to_owned());
        socket.listen(BACKLOG)?;
        Ok((socket.into(), file))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        remove_stale(&self.0).ok();
    }
}

/// Removes a socket that nobody listens on.
///
/// # Errors
/// Where there is something else.
fn remove_stale(path: &Path) -> io::Result<()> {
    let file = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    if !file.file_type().is_socket() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is something else than a socket"));
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "another server listens there")),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::{env, os::unix::fs::PermissionsExt, process};

    use super::*;

    /// A directory of the test's own, removed on drop.
    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Self {
            let path = env::temp_dir().join(format!("pipechat-{name}-{}", process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).ok();
        }
    }

    #[test]
    fn the_file_is_for_its_group_and_goes_with_the_listener() {
        let directory = Directory::new("mode");
        let path = directory.0.join("socket");
        let (listener, file) = SocketFile::bind(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
        drop((listener, file));
        assert!(!path.exists());
    }

    #[test]
    fn a_stale_socket_is_replaced_and_nothing_else_is() {
        let directory = Directory::new("stale");
        let path = directory.0.join("socket");
        drop(UnixListener::bind(&path).unwrap());
        let (listener, first) = SocketFile::bind(&path).unwrap();
        let error = SocketFile::bind(&path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse, "{error}");
        drop(listener);
        let (_listener, _second) = SocketFile::bind(&path).unwrap();
        drop(first);
        assert!(path.exists(), "the file is another's by now");
        let text = directory.0.join("text");
        fs::write(&text, "mine").unwrap();
        let error = SocketFile::bind(&text).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "{error}");
        assert_eq!(fs::read_to_string(&text).unwrap(), "mine");
        assert!(SocketFile::bind(&directory.0.join("none/socket")).is_err());
    }
}
