//! A service of its own for each test, and clients: one that keeps to HTTP, and one that sends
//! what it likes.

use std::time::Duration;

use bytes::Bytes;
use clap::Parser;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HOST, HeaderMap};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use xg2g_transcoder::service::{Address, Server, Settings, Stopper, Token};
use xg2g_transcoder::{Options, Remuxer};

/// Far above what anything here takes, on an emulated processor beside other work, too: a test that
/// meets it has found a hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);

/// A television service of two seconds, with pictures and several tracks.
pub(crate) const CLIP: &[u8] = include_bytes!("../../../xg2g/simulator/clips/one-hd.ts");

/// A service that runs in this process.
pub(crate) struct Running {
    pub(crate) addresses: Vec<Address>,
    pub(crate) stopper: Stopper,
    pub(crate) task: JoinHandle<()>,
}

impl Running {
    /// Starts one on a free TCP port, with these flags.
    pub(crate) async fn start(flags: &[&str]) -> Self {
        Self::start_on(&["127.0.0.1:0"], flags, None).await
    }

    pub(crate) async fn start_on(listen: &[&str], flags: &[&str], token: Option<&str>) -> Self {
        let service = bind(listen, flags, token).await.expect("it can be bound");
        Self {
            addresses: service.addresses().expect("it is bound"),
            stopper: service.stopper(),
            task: tokio::spawn(service.serve()),
        }
    }

    pub(crate) fn address(&self) -> &Address {
        &self.addresses[0]
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.address()).await
    }

    /// A number of `/metrics`.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        // A short --header-timeout may pass between connecting and asking.
        let asked = async {
            loop {
                let request = request("GET", "/metrics", full(""));
                if let Ok(answer) = self.client().await.send(request).await {
                    return answer;
                }
            }
        };
        let answer = timeout(PATIENCE, asked).await.expect("metrics come");
        let text = String::from_utf8(answer.body.to_vec()).expect("metrics are a text");
        text.lines()
            .filter_map(|line| line.split_once(' '))
            .find(|(found, _)| *found == format!("xg2g_transcoder_{name}"))
            .unwrap_or_else(|| panic!("{name} is in {text}"))
            .1
            .parse()
            .expect("a number")
    }

    /// Waits until a number of `/metrics` is as it should be.
    pub(crate) async fn until(&self, name: &str, expected: f64) {
        let reached = async {
            while self.metric(name).await != expected {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, reached).await.expect("it comes to be so");
    }

    /// Waits until the service has ended.
    pub(crate) async fn ended(self) {
        timeout(PATIENCE, self.task)
            .await
            .expect("it ends")
            .expect("without a panic");
    }
}

/// Limits of time that no test meets by accident. A test that is about one of them sets it.
const PATIENT: [[&str; 2]; 3] = [
    ["--header-timeout", "1h"],
    ["--body-timeout", "1h"],
    ["--idle-timeout", "1h"],
];

pub(crate) async fn bind(
    listen: &[&str],
    flags: &[&str],
    token: Option<&str>,
) -> Result<Server, xg2g_transcoder::service::StartError> {
    let listen = listen.iter().flat_map(|address| ["--listen", address]);
    let patient = PATIENT.iter().filter(|limit| !flags.contains(&limit[0]));
    let flags = ["xg2g-transcoder"]
        .into_iter()
        .chain(listen)
        .chain(patient.flatten().copied())
        .chain(flags.iter().copied());
    let settings = Settings::try_parse_from(flags).expect("flags are valid");
    let token = token.map(|text| Token::new(text).expect("a valid token"));
    Server::bind(settings, token).await
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|why| panic!("{why}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("ASCII"))
    }

    /// The kind, of an answer that is a refusal in the documented form.
    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        let body = self.json();
        let fields: Vec<_> = body.as_object().expect("an object").keys().collect();
        assert_eq!(fields, ["detail", "kind", "status", "title", "type"]);
        assert_eq!(body["type"], "about:blank");
        assert_eq!(body["status"], self.status);
        let detail = body["detail"].as_str().expect("a text");
        assert!(!detail.is_empty() && !detail.contains('\n'), "{detail}");
        assert!(!detail.contains("deserialize"), "{detail}");
        if self.status == 503 {
            assert!(self.header("retry-after").is_some());
        }
        (
            self.status,
            body["kind"].as_str().expect("a text").to_owned(),
        )
    }

    /// The output of a call that succeeded.
    pub(crate) fn output(self) -> Bytes {
        assert_eq!(self.status, 200, "{self:?}");
        assert_eq!(self.header("content-type"), Some("video/mp2t"));
        self.body
    }
}

pub(crate) type Body = BoxBody<Bytes, std::io::Error>;

pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed()
}

/// A client with one connection, which it keeps.
pub(crate) struct Client(SendRequest<Body>);

impl Client {
    pub(crate) async fn connect(address: &Address) -> Self {
        match address {
            Address::Tcp(address) => {
                Self::over(TcpStream::connect(address).await.expect("it listens")).await
            }
            #[cfg(unix)]
            Address::Unix(path) => {
                let stream = tokio::net::UnixStream::connect(path).await;
                Self::over(stream.expect("it listens")).await
            }
            #[cfg(not(unix))]
            Address::Unix(_) => unreachable!("no service listens on one"),
        }
    }

    async fn over<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S) -> Self {
        let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("HTTP");
        tokio::spawn(connection);
        Self(sender)
    }

    pub(crate) async fn send(&mut self, request: Request<Body>) -> hyper::Result<Answer> {
        let answered = async {
            self.0.ready().await?;
            let answer = self.0.send_request(request).await?;
            let (head, body) = answer.into_parts();
            Ok(Answer {
                status: head.status.as_u16(),
                headers: head.headers,
                body: body.collect().await?.to_bytes(),
            })
        };
        timeout(PATIENCE, answered).await.expect("an answer comes")
    }

    pub(crate) async fn start(
        &mut self,
        request: Request<Body>,
    ) -> hyper::Response<hyper::body::Incoming> {
        self.0.ready().await.expect("connected");
        timeout(PATIENCE, self.0.send_request(request))
            .await
            .expect("a head comes")
            .expect("HTTP")
    }

    pub(crate) async fn request(&mut self, method: &str, path: &str, body: Bytes) -> Answer {
        let request = request(method, path, full(body));
        self.send(request).await.expect("an answer")
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.request("GET", path, Bytes::new()).await
    }

    pub(crate) async fn post(&mut self, path: &str, body: impl Into<Bytes>) -> Answer {
        self.request("POST", path, body.into()).await
    }

    /// Opens a remuxer with the defaults and gives its path.
    pub(crate) async fn open(&mut self) -> String {
        let answer = self.post("/v1/remuxers", "").await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.header("location").expect("a location").to_owned()
    }

    pub(crate) async fn process(
        &mut self,
        remuxer: &str,
        seq: u64,
        body: impl Into<Bytes>,
    ) -> Answer {
        self.post(&format!("{remuxer}/process?seq={seq}"), body)
            .await
    }

    pub(crate) async fn finish(&mut self, remuxer: &str, seq: u64) -> Answer {
        self.post(&format!("{remuxer}/finish?seq={seq}"), "").await
    }
}

pub(crate) fn request(method: &str, path: &str, body: Body) -> Request<Body> {
    Request::builder()
        .method(method.parse::<Method>().expect("a method"))
        .uri(path)
        .header(HOST, "transcoder")
        .body(body)
        .expect("a request")
}

/// What the library itself makes of a stream.
pub(crate) fn converted(input: &[u8]) -> Vec<u8> {
    let mut remuxer = Remuxer::new(Options::default()).expect("the defaults are valid");
    let mut output = Vec::new();
    remuxer.push(input, &mut output).expect("a stream");
    remuxer.finish(&mut output).expect("its end");
    output
}

/// Sends bytes as they are, and gives all that comes back until the connection ends.
pub(crate) async fn raw(address: &Address, bytes: &[u8]) -> String {
    let mut stream = tcp(address).await;
    // The service may close before it has taken everything.
    let _ = stream.write_all(bytes).await;
    rest(&mut stream).await
}

pub(crate) async fn tcp(address: &Address) -> TcpStream {
    let Address::Tcp(address) = address else {
        panic!("a TCP address")
    };
    TcpStream::connect(address).await.expect("it listens")
}

/// Everything until the connection ends.
pub(crate) async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answer = Vec::new();
    // A connection that is reset has ended, too.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .expect("the connection ends");
    String::from_utf8_lossy(&answer).into_owned()
}
