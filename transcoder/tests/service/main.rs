//! The service from outside, over real sockets. Whatever one client does, a viewer beside it
//! keeps its stream, byte for byte.

mod access;
mod calls;

mod executable;
mod harness;
mod limits;
mod points;
mod reference;
mod refusals;
mod stop;
mod streams;
mod targets;
mod viewer;
