//! What the operator chooses: flags, each with its variable of the environment.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

/// Remuxers that are opened for each core by default. A 10 Mbit/s service with one track costs
/// a hundredth of a core; half of that is left for the network, the daemon and peaks.
const REMUXERS_PER_CORE: usize = 50;

/// Converts the audio of live MPEG transport streams to AAC, over HTTP.
///
/// Video and everything else pass as they came. It opens no URL and no file: bytes in, bytes out.
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

Every flag can be given as a variable, XG2G_TRANSCODER_MAX_REMUXERS for --max-remuxers. The
token is read from --token-file or XG2G_TRANSCODER_TOKEN; it is no flag, because every user
of a machine sees the flags of every process."
)]
pub struct Settings {
    /// Address to listen on, HOST:PORT or unix:PATH. May be given several times
    #[arg(
        long,
        global = true,
        value_name = "ADDRESS",
        env = "XG2G_TRANSCODER_LISTEN",
        value_delimiter = ',',
        default_value = "127.0.0.1:3000"
    )]
    pub listen: Vec<Address>,

    /// Permissions of a Unix socket, octal: who may write to it may convert
    #[arg(
        long,
        value_name = "MODE",
        env = "XG2G_TRANSCODER_SOCKET_MODE",
        default_value = "660",
        value_parser = mode
    )]
    pub socket_mode: u32,

    /// File with the token that clients have to send: `Authorization: Bearer TOKEN`
    #[arg(long, value_name = "PATH", env = "XG2G_TRANSCODER_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,

    /// Remuxers that may be open at a time [default: 50 for each core]
    ///
    /// An HD service with one track takes a hundredth of a core, so that 50 fill half of one and
    /// leave the rest to the network and to peaks. When all are in use, more are refused with 503.
    #[arg(long, value_name = "N", env = "XG2G_TRANSCODER_MAX_REMUXERS")]
    pub max_remuxers: Option<NonZeroUsize>,

    /// Largest body of one `process` request: bytes, or as 512KiB, 4MiB
    #[arg(
        long,
        value_name = "SIZE",
        env = "XG2G_TRANSCODER_MAX_BODY",
        default_value = "4MiB",
        value_parser = size
    )]
    pub max_body: usize,

    /// Connections that may be open at a time; more are closed at once
    #[arg(
        long,
        value_name = "N",
        env = "XG2G_TRANSCODER_MAX_CONNECTIONS",
        default_value = "4096"
    )]
    pub max_connections: NonZeroUsize,

    /// A remuxer that nobody used for so long is freed, and a stream that does not move is ended
    #[arg(
        long,
        value_name = "TIME",
        env = "XG2G_TRANSCODER_IDLE_TIMEOUT",
        default_value = "60s",
        value_parser = duration
    )]
    pub idle_timeout: Duration,

    /// A request's head has to arrive within this, counted from the connection's last answer
    #[arg(
        long,
        value_name = "TIME",
        env = "XG2G_TRANSCODER_HEADER_TIMEOUT",
        default_value = "15s",
        value_parser = duration
    )]
    pub header_timeout: Duration,

    /// The body of a request has to arrive within this, that of /v1/remux excepted
    #[arg(
        long,
        value_name = "TIME",
        env = "XG2G_TRANSCODER_BODY_TIMEOUT",
        default_value = "10s",
        value_parser = duration
    )]
    pub body_timeout: Duration,

    /// At a stop, how long open remuxers may go on; below the 10 s that `docker stop` waits
    #[arg(
        long,
        value_name = "TIME",
        env = "XG2G_TRANSCODER_SHUTDOWN_GRACE",
        default_value = "8s",
        value_parser = duration
    )]
    pub shutdown_grace: Duration,

    /// Makes Location absolute with this URL, so that a remuxer's later requests reach this very
    /// instance behind a load balancer; `auto` takes the address that the request came in on
    #[arg(long, value_name = "URL|auto", env = "XG2G_TRANSCODER_ADVERTISE")]
    pub advertise: Option<Advertise>,

    /// How to log [default: text on a terminal, otherwise json]
    #[arg(long, value_enum, env = "XG2G_TRANSCODER_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,

    /// What to log: error, warn, info, debug or trace
    #[arg(
        long,
        value_name = "LEVEL",
        env = "XG2G_TRANSCODER_LOG_LEVEL",
        default_value = "info"
    )]
    pub log_level: tracing::Level,

    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do instead of serving.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Ask the service on --listen whether it is ready; exit code 0 if so, otherwise 1
    Healthcheck,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for eyes.
    Text,
    /// One JSON object a line.
    Json,
}

/// Why the service does not start: one line for a user.
#[derive(Debug)]
pub struct StartError(pub(super) String);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// TCP.
    Tcp(SocketAddr),
    /// A Unix socket at this path.
    Unix(PathBuf),
}

impl Address {
    /// Whether other machines may reach it.
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
                return Err("a path has to follow unix:".into());
            }
            return Ok(Self::Unix(path.into()));
        }
        let with_host = text.replacen("localhost:", "127.0.0.1:", 1);
        with_host.parse().map(Self::Tcp).map_err(|_| {
            "use an IP address and a port, 0.0.0.0:3000 or [::]:3000, or unix:PATH".into()
        })
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

/// How clients find this instance again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advertise {
    /// By the address that the connection came in on.
    Auto,
    /// By this URL, without a slash at its end.
    Url(String),
}

impl FromStr for Advertise {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let url = text.trim_end_matches('/');
        let uri: axum::http::Uri = url.parse().map_err(|_| "not a URL".to_owned())?;
        match (uri.scheme_str(), uri.authority()) {
            (Some("http" | "https"), Some(_)) => Ok(Self::Url(url.into())),
            _ => Err("use auto, or a URL such as http://10.0.0.5:3000".into()),
        }
    }
}

/// The command line, which shows no variable's value.
pub fn command() -> clap::Command {
    Settings::command().mut_args(|flag| flag.hide_env_values(true))
}

/// The help of every flag as a page, docs/reference/transcoder-cli.md.
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
    /// Remuxers that may be open: as chosen, or by the cores that this process may use.
    pub fn max_remuxers(&self) -> usize {
        self.max_remuxers
            .map_or_else(|| cores() * REMUXERS_PER_CORE, NonZeroUsize::get)
    }
}

/// Cores that this process may use, by affinity and by the container's share.
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
    // What the library takes at a time bounds it from above.
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
