//! The remuxer as an HTTP service. docs/reference/transcoder-http.md is its reference.
//!
//! ```text
//! listen -> connections -> router -> routes/remuxers -> remuxers: table of ids, slots, threads
//!                                |                          '-> sequenced_remuxer: order of calls
//!                                |                                     '-> Remuxer
//!                                '-> routes/remux: body in, stream out, both at once
//! ```
//!
//! It opens no URL and no file: bytes in, bytes out.

mod auth;
mod body;
mod connections;
mod healthcheck;
mod listen;
mod logs;
mod metrics;
mod openapi;
mod options;
mod platform;
mod points;
mod problem;
mod remuxers;
mod router;
mod routes;
mod sequenced_remuxer;
mod server;
mod settings;
mod slots;
mod state;
mod table;
mod target;
#[cfg(feature = "test-hooks")]
pub mod test_hooks;
mod token;

pub use healthcheck::healthcheck;
pub use logs::configure as configure_logs;
pub use openapi::document as openapi_document;
pub use platform::{raise_descriptor_limit, stop_signal};
pub use server::{Server, Stopper, runtime};
pub use settings::{
    Address, Advertise, Command, LogFormat, Settings, StartError, command, reference_page,
};
pub use token::Token;
