//! Bodies that pass through: a visitor's on the way to the origin, and an origin's that is for one
//! visitor.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicU8, Ordering};
use std::sync::Arc;
use std::task::{ready, Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use selvedge_edge_drivers_http::{Body, BodyError};
use tokio::time::{Instant, Sleep};

use crate::failure::Reason;

/// Says, after a fetch failed, whether the visitor's body was the reason.
#[derive(Clone, Debug, Default)]
pub struct UploadFault(Arc<AtomicU8>);

/// A visitor's body on its way to the origin.
pub struct Upload {
    /// The body.
    pub body: Body,
    /// What went wrong with it.
    pub fault: UploadFault,
    /// Bytes of it that have gone on.
    pub progress: Arc<AtomicU64>,
}

impl UploadFault {
    /// The reason, if there is one.
    pub fn reason(&self) -> Option<Reason> {
        match self.0.load(Ordering::Acquire) {
            1 => Some(Reason::TooLong),
            2 => Some(Reason::TooSlow),
            3 => Some(Reason::BadRequest),
            _ => None,
        }
    }
}

/// What a passing body is told about.
type OnBytes = Box<dyn FnMut(u64) -> Result<(), &'static str> + Send>;

/// A body that must not stand still, and is counted as it passes.
struct Passing {
    inner: Incoming,
    timeout: Duration,
    idle: Pin<Box<Sleep>>,
    passed: u64,
    limit: u64,
    fault: UploadFault,
    on_bytes: OnBytes,
}

/// A visitor's body of at most `limit` bytes.
pub fn upload(inner: Incoming, limit: u64, timeout: Duration) -> Upload {
    let fault = UploadFault::default();
    let progress = Arc::new(AtomicU64::new(0));
    let passed = progress.clone();
    let on_bytes = move |bytes| {
        passed.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    };
    Upload {
        body: passing(inner, limit, timeout, fault.clone(), Box::new(on_bytes)),
        fault,
        progress,
    }
}

/// An origin's body; `on_bytes` is told how many bytes came, and ends it by an error.
pub fn download(
    inner: Incoming,
    timeout: Duration,
    on_bytes: impl FnMut(u64) -> Result<(), &'static str> + Send + 'static,
) -> Body {
    let on_bytes = Box::new(on_bytes);
    passing(inner, u64::MAX, timeout, UploadFault::default(), on_bytes)
}

fn passing(
    inner: Incoming,
    limit: u64,
    timeout: Duration,
    fault: UploadFault,
    on_bytes: OnBytes,
) -> Body {
    let idle = Box::pin(tokio::time::sleep(timeout));
    Passing {
        inner,
        timeout,
        idle,
        passed: 0,
        limit,
        fault,
        on_bytes,
    }
    .boxed_unsync()
}

impl http_body::Body for Passing {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let fail = |code: u8, text: &'static str| {
            this.fault.0.store(code, Ordering::Release);
            Poll::Ready(Some(Err(text.into())))
        };
        let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(cx) else {
            ready!(this.idle.as_mut().poll(cx));
            return fail(2, "the body stands still");
        };
        this.idle.as_mut().reset(Instant::now() + this.timeout);
        let frame = match frame {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => {
                this.fault.0.store(3, Ordering::Release);
                return Poll::Ready(Some(Err(error.into())));
            }
            None => return Poll::Ready(None),
        };
        let Some(data) = frame.data_ref() else {
            // Trailers: nothing here promises to pass them on, and a recipient may drop them (RFC
            // 9110 §6.5.1).
            cx.waker().wake_by_ref();
            return Poll::Pending;
        };
        this.passed += data.len() as u64;
        if this.passed > this.limit {
            return fail(1, "the body is too long");
        }
        if let Err(text) = (this.on_bytes)(data.len() as u64) {
            return Poll::Ready(Some(Err(text.into())));
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
