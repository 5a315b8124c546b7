//! Listening sockets. The file of a Unix socket is created with its permissions, replaces one
//! that no process listens on, and is removed with the listener.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream as Probe;
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, umask};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::settings::{Address, StartError};

/// A listening socket.
pub(super) enum Listener {
    /// TCP.
    Tcp(TcpListener),
    /// A Unix socket and its file.
    Unix(UnixListener, SocketFile),
}

/// The address on which a request arrived.
#[derive(Debug, Clone)]
pub(super) struct ArrivedAt(pub(super) Address);

impl Listener {
    /// Binds an address.
    pub(super) async fn bind(address: &Address, mode: u32) -> Result<Self, StartError> {
        match address {
            Address::Tcp(address) => TcpListener::bind(address).await.map(Self::Tcp),
            Address::Unix(path) => bind_unix(path, mode),
        }
        .map_err(|why| {
            let hint = match why.kind() {
                ErrorKind::AddrInUse => ": it is in use; choose another with --listen",
                ErrorKind::PermissionDenied => ": permission denied; choose another with --listen",
                _ => "",
            };
            match hint {
                "" => StartError(format!("cannot listen on {address}: {why}")),
                hint => StartError(format!("cannot listen on {address}{hint}")),
            }
        })
    }

    /// Waits for the next connection. Returns it with the address on which it arrived.
    pub(super) async fn accept(&self) -> io::Result<(Stream, Address)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                let local = Address::Tcp(stream.local_addr()?);
                Ok((Stream::Tcp(stream), local))
            }
            Self::Unix(listener, file) => {
                let (stream, _) = listener.accept().await?;
                Ok((Stream::Unix(stream), Address::Unix(file.path.clone())))
            }
        }
    }

    /// Returns the address, with the port that the system chose for port 0.
    pub(super) fn address(&self) -> io::Result<Address> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(Address::Tcp),
            Self::Unix(_, file) => Ok(Address::Unix(file.path.clone())),
        }
    }
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

/// A connection.
pub(super) enum Stream {
    /// Over TCP.
    Tcp(TcpStream),
    /// Over a Unix socket.
    Unix(UnixStream),
}

fn bind_unix(path: &Path, mode: u32) -> io::Result<Listener> {
    make_room(path)?;
    // No client may connect before the file has its permissions.
    let before = umask(Mode::RWXG | Mode::RWXO);
    let bound = UnixListener::bind(path);
    umask(before);
    let listener = bound?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    Ok(Listener::Unix(listener, SocketFile::at(path)?))
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
pub(super) struct SocketFile {
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
