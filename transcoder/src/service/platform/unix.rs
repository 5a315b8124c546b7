//! Linux and macOS. The file of a Unix socket is created with its permissions, replaces one that
//! no process listens on, and is removed with the listener.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream as Probe;
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, umask};
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};

/// The forms of an address to listen on, for users.
pub(in crate::service) const LISTEN_FORMS: &str =
    "an IP address and a port, 0.0.0.0:3000 or [::]:3000, or unix:PATH";

/// A connection over a Unix socket.
pub(in crate::service) type LocalStream = UnixStream;

/// A listening Unix socket and its file.
pub(in crate::service) struct LocalListener {
    socket: UnixListener,
    file: SocketFile,
}

impl LocalListener {
    /// Binds the path. Its file gets the permissions `mode`.
    pub(in crate::service) fn bind(path: &Path, mode: u32) -> io::Result<Self> {
        make_room(path)?;
        // No client may connect before the file has its permissions.
        let before = umask(Mode::RWXG | Mode::RWXO);
        let bound = UnixListener::bind(path);
        umask(before);
        let socket = bound?;
        fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        let file = SocketFile::at(path)?;
        Ok(Self { socket, file })
    }

    /// Waits for the next connection.
    pub(in crate::service) async fn accept(&self) -> io::Result<LocalStream> {
        let (stream, _) = self.socket.accept().await?;
        Ok(stream)
    }

    /// Returns the path of the socket's file.
    pub(in crate::service) fn path(&self) -> &Path {
        &self.file.path
    }
}

/// Returns the path of `unix:PATH` as an address, if this system has such sockets.
pub(in crate::service) fn local_address(path: &str) -> Result<PathBuf, String> {
    Ok(path.into())
}

/// Connects to the Unix socket at a path.
pub(in crate::service) async fn connect_local(path: &Path) -> io::Result<LocalStream> {
    UnixStream::connect(path).await
}

/// Raises the limit of open files from the usual 1,024 to what the system allows. Returns the
/// limit; `None`: unlimited.
pub fn raise_descriptor_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    }
}

/// Waits until the process is asked to end: by SIGTERM or SIGINT.
pub async fn stop_signal() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Removes a socket whose process has ended. Fails for a socket that is in use, and for a file
/// that is not a socket.
fn make_room(path: &Path) -> io::Result<()> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(()),
        Err(why) => return Err(why),
    };
    if !metadata.file_type().is_socket() {
        return Err(io::Error::other(
            "the path is a file, not a socket; choose another with --listen",
        ));
    }
    match Probe::connect(path) {
        Err(why) if why.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(why) => Err(why),
        Ok(_) => Err(ErrorKind::AddrInUse.into()),
    }
}

/// The file of a Unix socket. Dropping it removes the file, unless another one replaced it.
struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl SocketFile {
    fn at(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.into(),
            identity: identity(path)?,
        })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|now| now == self.identity) {
            // The service is ending: an error would change nothing.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}
