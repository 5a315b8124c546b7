//! The service from outside, over real sockets. Whatever one client does, a viewer beside it
//! keeps its stream, byte for byte.

mod access;
mod calls;
mod command_line;
#[cfg(unix)]
mod executable;
mod harness;
mod limits;
mod points;
mod reference;
mod refusals;
#[cfg(unix)]
mod scratch;
mod stop;
mod streams;
mod targets;
#[cfg(unix)]
mod unix_sockets;
mod viewer;
