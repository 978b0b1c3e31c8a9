//! An accepted TCP connection that knows how far its peer is, and that gives up on one that stands
//! still.
//!
//! `TCP_INFO` counts the octets a peer has acknowledged since the connection began. Together with
//! the octets that were written before a response began, it says how much of an aborted response
//! has arrived.

use std::any::Any;
use std::future::Future;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::task::{ready, Context, Poll};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

/// How long a peer is listened to after its connection has ended.
const LINGER: Duration = Duration::from_secs(1);

/// Octets of an HTTP/2 preface, the longest thing needed to tell the protocol of a connection.
const PREFACE: u64 = 24;

/// What a connection wrote to its socket and what the peer has acknowledged, in octets since the
/// connection began.
///
/// It outlives the connection: then it gives the last figures.
#[derive(Debug, Default)]
pub struct Progress {
    written: AtomicU64,
    acked: AtomicU64,
    socket: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    socket: Handle,
    followers: usize,
}

#[derive(Debug, Default)]
enum Handle {
    /// The connection's own. It is not asked once the connection is gone, because its number may be
    /// another socket's by then.
    Open(RawFd),
    /// A second one for the same socket, because somebody follows what is still on the way.
    Kept(OwnedFd),
    #[default]
    Closed,
}

impl Progress {
    /// Octets handed to the socket.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// Octets the peer has acknowledged; octets written where the system does not say.
    pub fn acked(&self) -> u64 {
        self.sample(&self.socket.lock());
        self.acked.load(Ordering::Acquire)
    }

    /// Whether nothing more will be acknowledged.
    pub fn is_over(&self) -> bool {
        self.sample(&self.socket.lock())
    }

    /// Keeps the socket known to the system after the connection has closed it, until this is
    /// dropped, so that what is still on the way can be followed.
    pub fn follow(self: &Arc<Self>) -> Following {
        self.socket.lock().followers += 1;
        Following(self.clone())
    }

    fn sample(&self, held: &Held) -> bool {
        let fd = match &held.socket {
            Handle::Open(fd) => *fd,
            Handle::Kept(fd) => fd.as_raw_fd(),
            Handle::Closed => return true,
        };
        let written = self.written();
        let (acked, is_over) = tcp_info(fd).unwrap_or((written, true));
        // The counter includes the end of the connection as one octet.
        self.acked.fetch_max(acked.min(written), Ordering::AcqRel);
        is_over
    }

    fn close(&self) {
        let mut held = self.socket.lock();
        self.sample(&held);
        let kept = match held.socket {
            // SAFETY: the connection that owns the number calls this before it closes the socket.
            Handle::Open(fd) if held.followers > 0 => unsafe { BorrowedFd::borrow_raw(fd) }
                .try_clone_to_owned()
                .ok(),
            _ => None,
        };
        held.socket = kept.map_or(Handle::Closed, Handle::Kept);
    }
}

/// See [`Progress::follow`].
#[derive(Debug)]
pub struct Following(Arc<Progress>);

impl Drop for Following {
    fn drop(&mut self) {
        let mut held = self.0.socket.lock();
        held.followers -= 1;
        if held.followers == 0 && matches!(held.socket, Handle::Kept(_)) {
            self.0.sample(&held);
            held.socket = Handle::Closed;
        }
    }
}

/// Octets acknowledged, and whether the connection is over.
#[cfg(target_os = "linux")]
fn tcp_info(fd: RawFd) -> Option<(u64, bool)> {
    /// `TCP_CLOSE` of the system's `tcp_states.h`.
    const CLOSED: u8 = 7;
    // SAFETY: `tcp_info` is plain data for which all zeros are valid; the kernel writes at most
    // `length` bytes of it.
    unsafe {
        let mut info: libc::tcp_info = std::mem::zeroed();
        let mut length = std::mem::size_of::<libc::tcp_info>() as libc::socklen_t;
        let status = libc::getsockopt(
            fd,
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut info).cast(),
            &mut length,
        );
        let needed = std::mem::offset_of!(libc::tcp_info, tcpi_bytes_acked) + 8;
        let is_told = status == 0 && length as usize >= needed;
        is_told.then_some((info.tcpi_bytes_acked, info.tcpi_state == CLOSED))
    }
}

#[cfg(not(target_os = "linux"))]
fn tcp_info(_: RawFd) -> Option<(u64, bool)> {
    None
}

/// The stream itself.
///
/// It says goodbye when it is dropped: see [`linger`].
pub(crate) struct Socket {
    /// `None` only while it is dropped.
    stream: Option<TcpStream>,
    /// Given back when nothing is left of the connection.
    held: Option<Box<dyn Any + Send>>,
    /// Whether the peer has said its last word, or is gone.
    is_read_out: bool,
    progress: Arc<Progress>,
    read: u64,
    first_read: Pin<Box<Sleep>>,
    write_timeout: Duration,
    stalled: Pin<Box<Sleep>>,
    is_stalled: bool,
}

impl Socket {
    /// Wraps an accepted stream. The peer has `first_read` to send enough to tell its protocol.
    ///
    /// `held` is given back when the connection is over.
    pub(crate) fn new(
        stream: TcpStream,
        first_read: Duration,
        write_timeout: Duration,
        held: impl Any + Send,
    ) -> Self {
        let progress = Arc::new(Progress {
            socket: Mutex::new(Held {
                socket: Handle::Open(stream.as_raw_fd()),
                followers: 0,
            }),
            ..Progress::default()
        });
        Self {
            stream: Some(stream),
            held: Some(Box::new(held)),
            is_read_out: false,
            progress,
            read: 0,
            first_read: Box::pin(tokio::time::sleep(first_read)),
            write_timeout,
            stalled: Box::pin(tokio::time::sleep(write_timeout)),
            is_stalled: false,
        }
    }

    pub(crate) fn progress(&self) -> Arc<Progress> {
        self.progress.clone()
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        Ok(Pin::new(stream))
    }

    fn wrote(
        &mut self,
        result: Poll<io::Result<usize>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        match result {
            Poll::Ready(done) => {
                self.is_stalled = false;
                self.is_read_out |= done.is_err();
                if let Ok(count) = done {
                    self.progress
                        .written
                        .fetch_add(count as u64, Ordering::AcqRel);
                }
                Poll::Ready(done)
            }
            Poll::Pending => {
                if !self.is_stalled {
                    self.is_stalled = true;
                    let deadline = Instant::now() + self.write_timeout;
                    self.stalled.as_mut().reset(deadline);
                }
                ready!(self.stalled.as_mut().poll(cx));
                Poll::Ready(Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the peer takes nothing",
                )))
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.progress.close();
        let has_to_linger = !self.is_read_out && self.progress.written() > 0;
        let runtime = tokio::runtime::Handle::try_current();
        if let (true, Some(stream), Ok(runtime)) = (has_to_linger, self.stream.take(), runtime) {
            runtime.spawn(linger(stream, self.held.take()));
        }
    }
}

/// Ends a connection whose peer may still be sending, without taking from it what it was sent.
///
/// A socket that is closed with unread octets resets the connection (RFC 9112 §9.6), and the peer
/// may lose an answer that it has not read yet. So only the sending side is closed at first; what
/// still comes is dropped, for a short time.
async fn linger(mut stream: TcpStream, held: Option<Box<dyn Any + Send>>) {
    let ending = async {
        stream.shutdown().await?;
        let mut dropped = [0; 4096];
        while stream.read(&mut dropped).await? > 0 {}
        io::Result::Ok(())
    };
    // However it ends, nothing more can be done for the peer.
    let _ = tokio::time::timeout(LINGER, ending).await;
    drop((stream, held));
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        match this.stream()?.poll_read(cx, buffer) {
            Poll::Ready(done) => {
                let octets = (buffer.filled().len() - before) as u64;
                this.read += octets;
                this.is_read_out |= done.is_err() || (octets == 0 && buffer.remaining() > 0);
                Poll::Ready(done)
            }
            Poll::Pending if this.read >= PREFACE || this.progress.written() > 0 => Poll::Pending,
            Poll::Pending => {
                ready!(this.first_read.as_mut().poll(cx));
                Poll::Ready(Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the peer says nothing",
                )))
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = this.stream()?.poll_write(cx, bytes);
        this.wrote(result, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = this.stream()?.poll_write_vectored(cx, slices);
        this.wrote(result, cx)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream()?.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream()?.poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    async fn pair(first_read: Duration, write_timeout: Duration) -> (Socket, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let socket = Socket::new(accepted.unwrap().0, first_read, write_timeout, ());
        (socket, client.unwrap())
    }

    #[tokio::test]
    async fn acknowledged_octets_are_those_the_peer_took() {
        let long = Duration::from_secs(60);
        let (mut socket, mut client) = pair(long, long).await;
        let progress = socket.progress();
        socket.write_all(&[7; 100_000]).await.unwrap();
        let mut got = vec![0; 100_000];
        client.read_exact(&mut got).await.unwrap();
        assert_eq!(progress.written(), 100_000);
        while progress.acked() < 100_000 {
            tokio::task::yield_now().await;
        }
        drop(socket);
        assert_eq!(progress.acked(), 100_000);
    }

    #[tokio::test]
    async fn what_is_on_the_way_is_followed_after_the_connection_closed() {
        let long = Duration::from_secs(60);
        let (mut socket, mut client) = pair(long, long).await;
        let progress = socket.progress();
        // More than the client's system takes without being read.
        let mut sent = 0;
        while let Ok(count) =
            tokio::time::timeout(Duration::from_millis(200), socket.write(&[7; 65_536])).await
        {
            sent += count.unwrap();
        }
        let following = progress.follow();
        socket.shutdown().await.unwrap();
        drop(socket);
        assert!(progress.acked() < sent as u64);
        assert!(!progress.is_over());
        let mut got = Vec::new();
        client.read_to_end(&mut got).await.unwrap();
        assert_eq!(got.len(), sent);
        drop(client);
        while !progress.is_over() {
            tokio::task::yield_now().await;
        }
        drop(following);
        assert_eq!(progress.acked(), sent as u64);
    }

    #[tokio::test]
    async fn octets_in_flight_are_not_acknowledged() {
        let long = Duration::from_secs(60);
        let (mut socket, client) = pair(long, Duration::from_millis(200)).await;
        let progress = socket.progress();
        // Nobody reads: at some point both socket buffers are full and the stream gives up.
        let error = loop {
            if let Err(error) = socket.write(&[7; 65_536]).await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(progress.acked() < progress.written());
        drop(client);
    }

    #[tokio::test]
    async fn an_answer_is_not_lost_because_more_was_sent_than_read() {
        let long = Duration::from_secs(60);
        let (mut socket, mut client) = pair(long, long).await;
        client.write_all(&[1; 1_000]).await.unwrap();
        socket.read_exact(&mut [0; 10]).await.unwrap();
        socket.write_all(b"enough").await.unwrap();
        drop(socket);
        // Arrives at a socket that is closed, unless it lingers.
        client.write_all(&[1; 1_000]).await.unwrap();
        let mut got = Vec::new();
        client.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, b"enough");
    }

    #[tokio::test]
    async fn a_silent_peer_is_given_up() {
        let long = Duration::from_secs(60);
        let (mut socket, client) = pair(Duration::from_millis(20), long).await;
        let error = socket.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(client);
    }
}
