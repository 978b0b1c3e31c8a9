//! An origin that answers with octets as they are, and keeps what it was sent as it came.
//!
//! It reads requests by the letter of RFC 9112 §6 and nothing else: where a request ends decides
//! what the next one is, so it is the judge of what a gateway makes of doubtful ones.

use parking_lot::Mutex;
use std::{net::SocketAddr, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// A whole request as it arrived.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Which connection it came over.
    pub connection: usize,
    /// Its head, with the empty line.
    pub head: String,
    /// Its body, without framing.
    pub body: Vec<u8>,
}

impl Heard {
    /// The target.
    pub fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// All values of a field, whose name is given in lower case.
    pub fn values(&self, name: &str) -> Vec<&str> {
        let lines = self.head.split("\r\n").skip(1);
        lines
            .filter_map(|line| line.split_once(':'))
            .filter(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .collect()
    }
}

/// What is said to a request.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Octets, as they are.
    pub octets: Vec<u8>,
    /// What follows them.
    pub then: Then,
}

/// What follows the octets of a [`Reply`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// The next request.
    Listen,
    /// The end of the connection.
    Close,
    /// These octets over and over, until the peer closes.
    Repeat(Vec<u8>),
}

impl Reply {
    /// These octets, then the next request.
    pub fn listen(octets: impl Into<Vec<u8>>) -> Self {
        Self {
            octets: octets.into(),
            then: Then::Listen,
        }
    }

    /// These octets, then the end of the connection.
    pub fn close(octets: impl Into<Vec<u8>>) -> Self {
        Self {
            octets: octets.into(),
            then: Then::Close,
        }
    }

    /// A good answer: the target as the body, which may be stored.
    pub fn good(heard: &Heard) -> Self {
        let target = heard.target();
        let length = target.len();
        let body = if heard.head.starts_with("HEAD ") {
            ""
        } else {
            target
        };
        Self::listen(format!(
            "HTTP/1.1 200 OK\r\ncache-control: max-age=600\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
    }
}

type Answer = Arc<dyn Fn(&Heard) -> Reply + Send + Sync>;

/// A running origin; it stops, with all its connections, when dropped.
pub struct RawOrigin {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
    strange: Arc<Mutex<Vec<Vec<u8>>>>,
    task: JoinHandle<()>,
}

impl RawOrigin {
    /// Starts on a free port.
    pub async fn start(answer: impl Fn(&Heard) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (heard, strange) = (Arc::default(), Arc::default());
        let task = tokio::spawn(accept(
            listener,
            Arc::new(answer),
            Arc::clone(&heard),
            Arc::clone(&strange),
        ));
        Self {
            address,
            heard,
            strange,
            task,
        }
    }

    /// Starts one that gives [`Reply::good`] to everything.
    pub async fn good() -> Self {
        Self::start(Reply::good).await
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every whole request so far.
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().clone()
    }

    /// What it heard on connections that have ended and was no whole request.
    pub fn strange(&self) -> Vec<Vec<u8>> {
        self.strange.lock().clone()
    }
}

impl Drop for RawOrigin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(
    listener: TcpListener,
    answer: Answer,
    heard: Arc<Mutex<Vec<Heard>>>,
    strange: Arc<Mutex<Vec<Vec<u8>>>>,
) {
    let mut connections = JoinSet::new();
    for connection in 0.. {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let (answer, heard, strange) = (answer.clone(), heard.clone(), strange.clone());
        connections.spawn(async move {
            let mut ear = Ear {
                stream,
                unread: Vec::new(),
            };
            while let Some((head, body)) = ear.request().await {
                let one = Heard {
                    connection,
                    head,
                    body,
                };
                heard.lock().push(one.clone());
                let reply = answer(&one);
                if ear.stream.write_all(&reply.octets).await.is_err() {
                    break;
                }
                match reply.then {
                    Then::Listen => {}
                    Then::Close => break,
                    Then::Repeat(octets) => {
                        while ear.stream.write_all(&octets).await.is_ok() {}
                        break;
                    }
                }
            }
            if !ear.unread.is_empty() {
                strange.lock().push(ear.unread);
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

struct Ear {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Ear {
    /// The next whole request; `None` when there is none any more, or what comes is none.
    async fn request(&mut self) -> Option<(String, Vec<u8>)> {
        let head = self.until(b"\r\n\r\n").await?;
        let head = String::from_utf8(head).ok()?;
        let value = |name: &str| {
            let mut lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
            lines
                .find(|(found, _)| found.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.trim().to_owned())
        };
        let mut body = Vec::new();
        match (value("transfer-encoding"), value("content-length")) {
            (None, None) => {}
            (None, Some(length)) => body = self.exactly(length.parse().ok()?).await?,
            (Some(coding), None) if coding == "chunked" => loop {
                let line = String::from_utf8(self.until(b"\r\n").await?).ok()?;
                let length = usize::from_str_radix(line.trim_end(), 16).ok()?;
                body.extend(self.exactly(length).await?);
                if self.until(b"\r\n").await? != b"\r\n" {
                    return None;
                }
                if length == 0 {
                    break;
                }
            },
            _ => return None,
        }
        Some((head, body))
    }

    async fn until(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        loop {
            let found = self.unread.windows(end.len()).position(|part| part == end);
            if let Some(at) = found {
                return Some(self.unread.drain(..at + end.len()).collect());
            }
            self.more().await?;
        }
    }

    async fn exactly(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.unread.len() < length {
            self.more().await?;
        }
        Some(self.unread.drain(..length).collect())
    }

    async fn more(&mut self) -> Option<()> {
        match self.stream.read_buf(&mut self.unread).await {
            Ok(1..) => Some(()),
            _ => None,
        }
    }
}
