//! Listening sockets: TCP, and Unix sockets where the platform has them.

use std::io::{self, ErrorKind};

use tokio::net::{TcpListener, TcpStream};

use super::platform::{LocalListener, LocalStream};
use super::settings::{Address, StartError};

/// A listening socket.
pub(super) enum Listener {
    /// TCP.
    Tcp(TcpListener),
    /// A Unix socket and its file.
    Unix(LocalListener),
}

/// The address on which a request arrived.
#[derive(Debug, Clone)]
pub(super) struct ArrivedAt(pub(super) Address);

impl Listener {
    /// Binds an address.
    pub(super) async fn bind(address: &Address, mode: u32) -> Result<Self, StartError> {
        match address {
            Address::Tcp(address) => TcpListener::bind(address).await.map(Self::Tcp),
            Address::Unix(path) => LocalListener::bind(path, mode).map(Self::Unix),
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
            Self::Unix(listener) => {
                let stream = listener.accept().await?;
                Ok((Stream::Unix(stream), Address::Unix(listener.path().into())))
            }
        }
    }

    /// Returns the address, with the port that the system chose for port 0.
    pub(super) fn address(&self) -> io::Result<Address> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(Address::Tcp),
            Self::Unix(listener) => Ok(Address::Unix(listener.path().into())),
        }
    }
}

/// A connection.
pub(super) enum Stream {
    /// Over TCP.
    Tcp(TcpStream),
    /// Over a Unix socket.
    Unix(LocalStream),
}
