//! The operator's settings: flags, each with an environment variable.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

use super::platform;

/// Default number of remuxers per core. A 10 Mbit/s stream with one track costs a hundredth of a
/// core, so 50 use half of one and leave the rest for the network, the daemon and peaks.
const REMUXERS_PER_CORE: usize = 50;

/// Convert the audio of live MPEG transport streams to AAC, over HTTP.
///
/// Video and everything else pass unchanged. The service opens no URL and no file: clients send
/// and receive the bytes.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "xg2g-transcoder",
    max_term_width = 100,
    after_help = "\
Convert a file:
  curl -sT in.ts -X POST 'http://127.0.0.1:3000/v1/remux?tracks=deu' -o out.ts

Behind xg2g:
  xg2g-transcoder --listen unix:/run/xg2g/transcoder.sock
  xg2g serve --external-transcoder unix:///run/xg2g/transcoder.sock ...

Every flag has an environment variable: XG2G_TRANSCODER_MAX_REMUXERS for --max-remuxers. The
token is read from --token-file or XG2G_TRANSCODER_TOKEN. There is no flag for it, because
every user of a machine can see the flags of every process."
)]
pub struct Settings {
    /// Address to listen on: HOST:PORT or unix:PATH (not on Windows). Can be repeated
    #[arg(
        long,
        global = true,
        value_name = "ADDRESS",
        env = "XG2G_TRANSCODER_LISTEN",
        value_delimiter = ',',
        default_value = "127.0.0.1:3000"
    )]
    pub listen: Vec<Address>,

    /// Permissions of the Unix socket, octal. Users with write permission can convert
    #[arg(
        long,
        value_name = "MODE",
        env = "XG2G_TRANSCODER_SOCKET_MODE",
        default_value = "660",
        value_parser = mode
    )]
    pub socket_mode: u32,

    /// File with the token that clients must send as `Authorization: Bearer TOKEN`
    #[arg(long, value_name = "PATH", env = "XG2G_TRANSCODER_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,

    /// Maximum number of open remuxers [default: 50 per core]
    ///
    /// An HD stream with one track takes a hundredth of a core: 50 use half of one and leave the
    /// rest for the network and peaks. Further remuxers are refused with 503.
    #[arg(long, value_name = "N", env = "XG2G_TRANSCODER_MAX_REMUXERS")]
    pub max_remuxers: Option<NonZeroUsize>,

    /// Maximum body size of a `process` request: bytes, or a size such as 512KiB, 4MiB
    #[arg(
        long,
        value_name = "SIZE",
        env = "XG2G_TRANSCODER_MAX_BODY",
        default_value = "4MiB",
        value_parser = size
    )]
    pub max_body: usize,

    /// Maximum number of open connections. Further ones are closed at once
    #[arg(
        long,
        value_name = "N",
        env = "XG2G_TRANSCODER_MAX_CONNECTIONS",
        default_value = "4096"
    )]
    pub max_connections: NonZeroUsize,

    /// Time after which an unused remuxer is freed and a stalled stream is ended
    #[arg(
        long,
        value_name = "TIME",
        env = "XG2G_TRANSCODER_IDLE_TIMEOUT",
        default_value = "60s",
        value_parser = duration
    )]
    pub idle_timeout: Duration,

    /// Timeout for a request's head, counted from the connection's last response
    #[arg(
        long,
        value_name = "TIME",
        env = "XG2G_TRANSCODER_HEADER_TIMEOUT",
        default_value = "15s",
        value_parser = duration
    )]
    pub header_timeout: Duration,

    /// Timeout for a request's body, except for /v1/remux
    #[arg(
        long,
        value_name = "TIME",
        env = "XG2G_TRANSCODER_BODY_TIMEOUT",
        default_value = "10s",
        value_parser = duration
    )]
    pub body_timeout: Duration,

    /// How long open remuxers may continue at shutdown. `docker stop` waits 10 s
    #[arg(
        long,
        value_name = "TIME",
        env = "XG2G_TRANSCODER_SHUTDOWN_GRACE",
        default_value = "8s",
        value_parser = duration
    )]
    pub shutdown_grace: Duration,

    /// Base URL for Location headers, so that requests of a remuxer reach this instance behind a
    /// load balancer. `auto`: the address on which the request arrived
    #[arg(long, value_name = "URL|auto", env = "XG2G_TRANSCODER_ADVERTISE")]
    pub advertise: Option<Advertise>,

    /// Log format [default: text on a terminal, otherwise json]
    #[arg(long, value_enum, env = "XG2G_TRANSCODER_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,

    /// Minimum log level: error, warn, info, debug or trace
    #[arg(
        long,
        value_name = "LEVEL",
        env = "XG2G_TRANSCODER_LOG_LEVEL",
        default_value = "info"
    )]
    pub log_level: tracing::Level,

    /// Command to run instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Commands other than serving.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Check whether the service on --listen is ready. Exit code 0: ready, 1: not ready
    Healthcheck,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Readable lines.
    Text,
    /// One JSON object per line.
    Json,
}

/// The reason why the service does not start: one line for a user.
#[derive(Debug)]
pub struct StartError(pub(super) String);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// TCP.
    Tcp(SocketAddr),
    /// A Unix socket at this path.
    Unix(PathBuf),
}

impl Address {
    /// Returns true if other machines may reach it.
    pub fn is_public(&self) -> bool {
        matches!(self, Self::Tcp(address) if !address.ip().is_loopback())
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            // unix:///run/x.sock, as clients write it, and unix:/run/x.sock.
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err("no socket path; use unix:PATH".into());
            }
            return platform::local_address(path).map(Self::Unix);
        }
        let with_host = text.replacen("localhost:", "127.0.0.1:", 1);
        with_host
            .parse()
            .map(Self::Tcp)
            .map_err(|_| format!("use {}", platform::LISTEN_FORMS))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "http://{address}"),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

/// How clients reach this instance again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advertise {
    /// At the address on which the connection arrived.
    Auto,
    /// At this URL, without a slash at its end.
    Url(String),
}

impl FromStr for Advertise {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let url = text.trim_end_matches('/');
        let is_base = url.parse::<axum::http::Uri>().is_ok_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https")) && uri.authority().is_some()
        });
        if !is_base {
            return Err("use auto, or a URL such as http://10.0.0.5:3000".into());
        }
        Ok(Self::Url(url.into()))
    }
}

/// Returns the command line. Its help shows no values of environment variables.
pub fn command() -> clap::Command {
    Settings::command().mut_args(|flag| flag.hide_env_values(true))
}

/// Returns the help of every flag as a page, docs/reference/transcoder-cli.md.
pub fn reference_page() -> String {
    let help = command().term_width(100).render_long_help();
    format!(
        "<!-- Written by transcoder/tests/service/reference.rs, which says how. -->\n\n# xg2g-transcoder\n\n```text\n{}\n```\n",
        help.to_string()
            .lines()
            .map(str::trim_end)
            .collect::<Vec<_>>()
            .join("\n")
            .trim_end()
    )
}

impl Settings {
    /// Returns the maximum number of open remuxers: as set, or by the cores of this process.
    pub fn max_remuxers(&self) -> usize {
        self.max_remuxers
            .map_or_else(|| cores() * REMUXERS_PER_CORE, NonZeroUsize::get)
    }
}

/// Returns the number of cores that this process may use, by affinity and container limits.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => humantime::parse_duration(text).ok(),
    };
    parsed
        .filter(|time| !time.is_zero())
        .ok_or_else(|| "use seconds, or a time such as 500ms, 30s, 2m".into())
}

fn size(text: &str) -> Result<usize, String> {
    let split = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let shift = match unit {
        "" | "B" => 0,
        "k" | "K" | "KiB" => 10,
        "M" | "MiB" => 20,
        _ => return Err("use bytes, or a size such as 512KiB, 4MiB".into()),
    };
    // The library limits the input of one call.
    number
        .parse::<usize>()
        .ok()
        .and_then(|count| count.checked_mul(1 << shift))
        .filter(|bytes| (1..=crate::ffi::XG2G_MAX_INPUT_BYTES).contains(bytes))
        .ok_or_else(|| "use 1 byte to 16MiB".into())
}

fn mode(text: &str) -> Result<u32, String> {
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|mode| *mode <= 0o777)
        .ok_or_else(|| "use an octal mode such as 660 or 600".into())
}
