//! `xg2g-transcoder healthcheck`: checks whether a service is ready, for images without curl.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use axum::http::{Request, header};
use http_body_util::Empty;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::platform::connect_local;
use super::settings::Address;

/// Shorter than the timeout of orchestrators' probes.
const DEADLINE: Duration = Duration::from_secs(3);

/// Requests `/readyz` of the service at an address. Fails with one line: the reason.
pub async fn healthcheck(address: &Address) -> Result<(), String> {
    let asked = async {
        match address {
            Address::Tcp(address) => {
                let mut target = *address;
                match target.ip() {
                    IpAddr::V4(ip) if ip.is_unspecified() => {
                        target.set_ip(Ipv4Addr::LOCALHOST.into());
                    }
                    IpAddr::V6(ip) if ip.is_unspecified() => {
                        target.set_ip(Ipv6Addr::LOCALHOST.into());
                    }
                    _ => {}
                }
                ask(TcpStream::connect(target).await.map_err(text)?).await
            }
            Address::Unix(path) => ask(connect_local(path).await.map_err(text)?).await,
        }
    };
    tokio::time::timeout(DEADLINE, asked)
        .await
        .unwrap_or_else(|_| Err(format!("no response within {} s", DEADLINE.as_secs())))
        .map_err(|why| format!("{address} is not ready: {why}"))
}

async fn ask<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S) -> Result<(), String> {
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(text)?;
    tokio::spawn(connection);
    let request = Request::get("/readyz")
        .header(header::HOST, "localhost")
        .body(Empty::<bytes::Bytes>::new())
        .map_err(text)?;
    let status = sender.send_request(request).await.map_err(text)?.status();
    if status.is_success() {
        Ok(())
    } else {
        Err(format!("HTTP status {}", status.as_u16()))
    }
}

fn text(why: impl std::fmt::Display) -> String {
    why.to_string()
}
