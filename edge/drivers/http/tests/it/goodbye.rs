//! A server that ends while peers of HTTP/2 ask for more.
//!
//! They stand on `h2` itself: hyper's client gives up some requests that a `GOAWAY` meets.

use http::{Request, Response};
use hyper::body::Incoming;
use selvedge_edge_drivers_http::{full, Body, ConnInfo, Handler, Limits, Server};
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;

/// Counts what it answers.
#[derive(Default)]
struct Counting(AtomicUsize);

impl Counting {
    fn answered(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }
}

impl Handler for Counting {
    async fn handle(self: Arc<Self>, _: Request<Incoming>, _: ConnInfo) -> Response<Body> {
        self.0.fetch_add(1, Ordering::AcqRel);
        Response::new(full("an answer"))
    }
}

/// Asks until it is sent elsewhere; says how many answers it had.
async fn visit(stream: TcpStream) -> usize {
    let (mut sender, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let mut answers = 0;
    while poll_fn(|cx| sender.poll_ready(cx)).await.is_ok() {
        let request = Request::get("http://site.test/").body(()).unwrap();
        let Ok((answer, _)) = sender.send_request(request, true) else {
            break;
        };
        let Ok(answer) = answer.await else {
            break;
        };
        let piece = answer.into_body().data().await;
        assert_eq!(piece.unwrap().unwrap(), "an answer");
        answers += 1;
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_reaches_a_peer_that_is_sent_elsewhere() {
    const ROUNDS: usize = 100;
    const VISITORS: usize = 8;
    for round in 0..ROUNDS {
        let handler = Arc::new(Counting::default());
        let server = Server::bind("127.0.0.1:0".parse().unwrap(), Limits::default()).await;
        let server = server.unwrap().serve(handler.clone());
        let mut visits = Vec::new();
        for _ in 0..VISITORS {
            let stream = TcpStream::connect(server.local_addr()).await.unwrap();
            visits.push(tokio::spawn(visit(stream)));
        }
        while handler.answered() < VISITORS + round {
            tokio::task::yield_now().await;
        }
        server.drain();
        // Every other time at once everybody else too.
        if round % 2 == 0 {
            assert!(server.shutdown(Duration::from_secs(60)).await);
        }
        let mut answers = 0;
        for visit in visits {
            answers += visit.await.unwrap();
        }
        assert_eq!(answers, handler.answered(), "round {round}");
    }
}
