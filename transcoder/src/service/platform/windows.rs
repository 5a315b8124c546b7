//! Windows. tokio has no Unix sockets there, so an address of that kind is refused, and the types
//! for such sockets have no values.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};

/// The forms of an address to listen on, for users.
pub(in crate::service) const LISTEN_FORMS: &str =
    "an IP address and a port, 0.0.0.0:3000 or [::]:3000";

/// A connection over a Unix socket: there is none.
pub(in crate::service) enum LocalStream {}

/// A listening Unix socket: there is none.
pub(in crate::service) enum LocalListener {}

impl LocalListener {
    /// Fails: there are no Unix sockets.
    pub(in crate::service) fn bind(_path: &Path, _mode: u32) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Waits for the next connection.
    pub(in crate::service) async fn accept(&self) -> io::Result<LocalStream> {
        match *self {}
    }

    /// Returns the path of the socket's file.
    pub(in crate::service) fn path(&self) -> &Path {
        match *self {}
    }
}

/// Refuses `unix:PATH` as an address.
pub(in crate::service) fn local_address(_path: &str) -> Result<PathBuf, String> {
    Err(format!(
        "Unix sockets are not available on Windows; use {LISTEN_FORMS}"
    ))
}

/// Fails: there are no Unix sockets.
pub(in crate::service) async fn connect_local(_path: &Path) -> io::Result<LocalStream> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Does nothing: Windows limits sockets by memory alone. Returns `None`: unlimited.
pub fn raise_descriptor_limit() -> Option<u64> {
    None
}

/// Waits until the process is asked to end: by Ctrl-C, Ctrl-Break, the closing of its console, or
/// the shutdown of the system. The system allows some 5 s after the last two.
pub async fn stop_signal() {
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut close), Ok(mut shutdown)) =
        (ctrl_c(), ctrl_break(), ctrl_close(), ctrl_shutdown())
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = close.recv() => {}
        _ = shutdown.recv() => {}
    }
}

impl AsyncRead for LocalStream {
    fn poll_read(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        _buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match *self {}
    }
}

impl AsyncWrite for LocalStream {
    fn poll_write(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        _bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match *self {}
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match *self {}
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match *self {}
    }
}
