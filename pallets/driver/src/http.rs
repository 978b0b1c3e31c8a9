//! One HTTP exchange under one deadline, with a bounded answer.
//!
//! The host's HTTP client knows no limit of its own: it would read an endless body, and wait for
//! one. Here every step takes the same deadline, and the body is read in chunks and given up beyond
//! its limit.

use alloc::{format, vec, vec::Vec};
use core::fmt;
use sp_core::offchain::{HttpError, HttpRequestId, HttpRequestStatus, Timestamp};
use sp_io::offchain;

/// Bytes read at a time.
const CHUNK: usize = 16 * 1024;

/// Why an exchange gave nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The URL or the token is none.
    BadEndpoint,
    /// Nobody answers, or the connection broke.
    Unreachable,
    /// The deadline passed.
    TooSlow,
    /// The body is longer than any answer may be.
    TooLong,
    /// Another status than 200.
    Status(u16),
    /// The body is not what was asked for; says what it should have been.
    Garbage(&'static str),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadEndpoint => f.write_str("its URL or token is malformed"),
            Self::Unreachable => f.write_str("it does not answer"),
            Self::TooSlow => f.write_str("it is too slow"),
            Self::TooLong => f.write_str("its answer is too long"),
            Self::Status(401 | 403) => f.write_str("it refuses the token"),
            Self::Status(code) => write!(f, "it answers with status {code}"),
            Self::Garbage(expected) => write!(f, "its answer is no {expected}"),
        }
    }
}

impl From<HttpError> for Fault {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::DeadlineReached => Self::TooSlow,
            HttpError::IoError | HttpError::Invalid => Self::Unreachable,
        }
    }
}

/// A request to a daemon, or to a gateway in public.
pub(crate) struct Request<'a> {
    pub(crate) url: &'a str,
    /// What a daemon wants to see first; a public endpoint wants none.
    pub(crate) token: Option<&'a str>,
    /// What to post; `None` asks with GET.
    pub(crate) body: Option<&'a [u8]>,
    pub(crate) deadline: Timestamp,
    /// The longest answer in bytes.
    pub(crate) limit: usize,
}

impl Request<'_> {
    /// Sends the request and reads the body of a 200.
    pub(crate) fn exchange(&self) -> Result<Vec<u8>, Fault> {
        let id = self.send()?;
        let waited = offchain::http_response_wait(&[id], Some(self.deadline));
        match waited.first() {
            Some(HttpRequestStatus::Finished(200)) => self.read(id),
            Some(HttpRequestStatus::Finished(code)) => Err(Fault::Status(*code)),
            Some(HttpRequestStatus::DeadlineReached) => Err(Fault::TooSlow),
            Some(HttpRequestStatus::IoError | HttpRequestStatus::Invalid) | None => {
                Err(Fault::Unreachable)
            }
        }
    }

    fn send(&self) -> Result<HttpRequestId, Fault> {
        let method = if self.body.is_some() { "POST" } else { "GET" };
        let malformed = |()| Fault::BadEndpoint;
        let id = offchain::http_request_start(method, self.url, &[]).map_err(malformed)?;
        let kind = "application/octet-stream";
        offchain::http_request_add_header(id, "accept", kind).map_err(malformed)?;
        if let Some(token) = self.token {
            let bearer = format!("Bearer {token}");
            offchain::http_request_add_header(id, "authorization", &bearer).map_err(malformed)?;
        }
        if let Some(body) = self.body {
            offchain::http_request_add_header(id, "content-type", kind).map_err(malformed)?;
            // An empty chunk would end the body.
            for chunk in body.chunks(CHUNK) {
                offchain::http_request_write_body(id, chunk, Some(self.deadline))?;
            }
        }
        offchain::http_request_write_body(id, &[], Some(self.deadline))?;
        Ok(id)
    }

    fn read(&self, id: HttpRequestId) -> Result<Vec<u8>, Fault> {
        let mut body = Vec::new();
        let mut chunk = vec![0; CHUNK];
        loop {
            // The host checks the deadline only when it has to wait: a peer that drips would never
            // be cut off by it.
            if offchain::timestamp() >= self.deadline {
                return Err(Fault::TooSlow);
            }
            let read = offchain::http_response_read_body(id, &mut chunk, Some(self.deadline))?;
            let read = chunk.get(..read as usize).ok_or(Fault::Unreachable)?;
            if read.is_empty() {
                return Ok(body);
            }
            if body.len() + read.len() > self.limit {
                return Err(Fault::TooLong);
            }
            body.extend_from_slice(read);
        }
    }
}
