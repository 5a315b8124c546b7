//! The executable of the service: arguments, signals, run.

use std::io::{Write, stderr};
use std::process::ExitCode;
use std::time::Duration;

use clap::FromArgMatches;
use tracing::{info, warn};
use xg2g_transcoder::service::{
    Command, Server, Settings, StartError, Token, command, configure_logs, healthcheck,
    raise_descriptor_limit, runtime, stop_signal,
};
use xg2g_transcoder::versions;

fn main() -> ExitCode {
    let settings = arguments();
    let outcome = match runtime() {
        Ok(runtime) => {
            let outcome = runtime.block_on(run(settings));
            // The rest is dropped, the files of sockets included. A conversion that is still
            // running has no client any more.
            runtime.shutdown_timeout(Duration::from_millis(100));
            outcome
        }
        Err(why) => Err(format!("cannot start threads: {why}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let _ = writeln!(stderr(), "xg2g-transcoder: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Reads flags and environment; ends the process for --help, --version and mistakes.
fn arguments() -> Settings {
    let components: Vec<String> = versions()
        .iter()
        .filter(|(component, _)| **component != env!("CARGO_PKG_NAME"))
        .map(|(component, version)| format!("{component} {version}"))
        .collect();
    let long = format!("{}\n{}", env!("CARGO_PKG_VERSION"), components.join("\n"));
    let matches = command()
        .version(env!("CARGO_PKG_VERSION"))
        .long_version(long)
        .get_matches();
    Settings::from_arg_matches(&matches).unwrap_or_else(|why| why.exit())
}

async fn run(settings: Settings) -> Result<(), String> {
    if let Some(Command::Healthcheck) = settings.command {
        for address in &settings.listen {
            healthcheck(address).await?;
        }
        return Ok(());
    }
    configure_logs(&settings).map_err(text)?;
    serve(settings).await.map_err(text)
}

async fn serve(settings: Settings) -> Result<(), StartError> {
    let token = Token::read(settings.token_file.as_deref())?;
    let has_token = token.is_some();
    let max_remuxers = settings.max_remuxers();
    let max_connections = settings.max_connections.get() as u64;
    if let Some(descriptors) = raise_descriptor_limit()
        && descriptors < max_connections
    {
        warn!(
            descriptors,
            max_connections, "the limit of open files is below --max-connections: raise ulimit -n"
        );
    }
    let server = Server::bind(settings, token).await?;
    for address in server.addresses()? {
        info!(%address, max_remuxers, token = has_token, version = env!("CARGO_PKG_VERSION"), "listening");
        if !has_token && address.is_public() {
            warn!(%address, "no token: everyone who can reach this address can convert; set --token-file");
        }
    }
    let stopper = server.stopper();
    let first = async {
        stop_signal().await;
        stopper.stop();
        stop_signal().await;
        warn!("second signal: ending at once");
    };
    tokio::select! {
        () = server.serve() => info!("ended"),
        () = first => {}
    }
    Ok(())
}

fn text(why: StartError) -> String {
    why.to_string()
}
