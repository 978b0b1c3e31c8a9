//! Many visitors at once, who count what they get.

use selvedge_edge_tools_testkit::{content, wait_for, Ask, Client};
use std::sync::{
    atomic::{AtomicBool, AtomicU64, Ordering},
    Arc,
};
use tokio::task::JoinHandle;

/// What visitors got.
#[derive(Clone, Copy, Debug, Default)]
pub struct Received {
    /// Whole answers.
    pub requests: u64,
    /// Octets of their bodies.
    pub octets: u64,
    /// Visitors whose last request failed.
    pub failed: u64,
}

/// Visitors that ask for small pages until a request fails or they are told to stop.
pub struct Crowd {
    visits: Vec<JoinHandle<Received>>,
    served: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
}

impl Crowd {
    /// One visit for each of these.
    pub fn start(visitors: Vec<Client>) -> Self {
        let (served, is_over) = (
            Arc::new(AtomicU64::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let visit = |(number, client): (usize, Client)| {
            let (served, is_over) = (served.clone(), is_over.clone());
            tokio::spawn(async move {
                let mut line = client.connect().await.unwrap();
                let mut received = Received::default();
                while !is_over.load(Ordering::Acquire) {
                    let page = (received.requests + 7 * number as u64) % 50;
                    let target = format!("/crowd/{page}?len=5000&cc=max-age=600");
                    let Ok(answer) = line.ask(Ask::get(&target)).await else {
                        received.failed = 1;
                        break;
                    };
                    assert!(
                        answer.status == 200 && answer.body == content(&target),
                        "{target}"
                    );
                    received.requests += 1;
                    received.octets += answer.body.len() as u64;
                    served.fetch_add(1, Ordering::AcqRel);
                }
                received
            })
        };
        let visits = visitors.into_iter().enumerate().map(visit).collect();
        Self {
            visits,
            served,
            is_over,
        }
    }

    /// Waits until so many more requests were served.
    pub async fn served(&self, more: u64) {
        let before = self.served.load(Ordering::Acquire);
        let enough = || self.served.load(Ordering::Acquire) >= before + more;
        wait_for("more requests", || async { enough().then_some(()) }).await;
    }

    /// Tells everybody to stop.
    pub async fn end(self) -> Received {
        self.is_over.store(true, Ordering::Release);
        let mut all = Received::default();
        for visit in self.visits {
            let one = visit.await.unwrap();
            all.requests += one.requests;
            all.octets += one.octets;
            all.failed += one.failed;
        }
        all
    }
}
