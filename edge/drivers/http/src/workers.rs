//! Threads that serve connections, each with a runtime of its own.
//!
//! A connection stays with the thread that accepted it: no other thread looks for its work, wakes it
//! or takes it over. The system spreads new connections over the threads' listeners
//! (`SO_REUSEPORT`).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// Connections that the system accepts ahead of a listener.
const BACKLOG: u32 = 4096;
/// How long work that cannot be interrupted is waited for at the end.
const LAST_WORK: Duration = Duration::from_secs(1);

/// A number of serving threads. They end when this is dropped, with whatever they still do.
#[derive(Debug)]
pub struct Workers(Vec<Worker>);

#[derive(Debug)]
struct Worker {
    runtime: Handle,
    /// The thread ends when this is gone.
    _running: oneshot::Sender<()>,
}

impl Workers {
    /// Starts as many threads; 0 for one per core that this process may use.
    ///
    /// Errors: when the system gives no thread or no event queue.
    pub fn start(count: usize) -> io::Result<Self> {
        let count = match count {
            0 => std::thread::available_parallelism()?.get(),
            count => count,
        };
        (0..count)
            .map(Worker::start)
            .collect::<io::Result<_>>()
            .map(Self)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// A listener for each thread on one address; port 0 takes a free one.
    ///
    /// Errors: when the address cannot be listened on, also because somebody else does.
    pub(crate) fn listeners(
        &self,
        mut address: SocketAddr,
    ) -> io::Result<Vec<(Handle, TcpListener)>> {
        let is_shared = self.0.len() > 1;
        if is_shared && address.port() != 0 {
            // A second program of this user would be let into the group unnoticed, and take a share
            // of the connections.
            drop(std::net::TcpListener::bind(address)?);
        }
        let mut listeners = Vec::with_capacity(self.0.len());
        for worker in &self.0 {
            let _own_events = worker.runtime.enter();
            let socket = match address {
                SocketAddr::V4(_) => TcpSocket::new_v4()?,
                SocketAddr::V6(_) => TcpSocket::new_v6()?,
            };
            socket.set_reuseaddr(true)?;
            if is_shared {
                socket.set_reuseport(true)?;
            }
            socket.bind(address)?;
            let listener = socket.listen(BACKLOG)?;
            address = listener.local_addr()?;
            listeners.push((worker.runtime.clone(), listener));
        }
        Ok(listeners)
    }
}

impl Worker {
    fn start(number: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (running, ended) = oneshot::channel::<()>();
        std::thread::Builder::new()
            .name(format!("worker-{number}"))
            .spawn(move || {
                let _ = runtime.block_on(ended);
                runtime.shutdown_timeout(LAST_WORK);
            })?;
        Ok(Self {
            runtime: handle,
            _running: running,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    #[test]
    fn every_worker_listens_on_the_same_port_and_nobody_else_does() {
        let workers = Workers::start(3).unwrap();
        let free = "127.0.0.1:0".parse().unwrap();
        let listeners = workers.listeners(free).unwrap();
        let address = listeners[0].1.local_addr().unwrap();
        let of = |(_, listener): &(Handle, TcpListener)| listener.local_addr().unwrap();
        assert!(listeners.iter().all(|one| of(one) == address));
        assert_eq!(listeners.len(), workers.count());

        let others = Workers::start(2).unwrap();
        let refused = others.listeners(address).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);

        // Whichever thread the system gives it to, somebody is there.
        let (told, heard) = std::sync::mpsc::channel();
        for (runtime, listener) in listeners {
            let told = told.clone();
            runtime.spawn(async move {
                while let Ok((_, peer)) = listener.accept().await {
                    let _ = told.send((std::thread::current().name().map(str::to_owned), peer));
                }
            });
        }
        let mut names = std::collections::BTreeSet::new();
        for _ in 0..64 {
            let stream = TcpStream::connect(address).unwrap();
            let (name, peer) = heard.recv().unwrap();
            assert_eq!(peer, stream.local_addr().unwrap());
            names.extend(name);
        }
        // 64 of 64 on one of three threads comes once in 10^30.
        assert!(names.len() > 1, "{names:?}");
    }
}
