//! Runs what hyper would spawn, and spawns only what has to wait.
//!
//! Over HTTP/2 hyper has a task for every request. An answer that is at hand needs none.

use std::future::Future;
use std::task::{Context, Waker};

use hyper::rt::Executor;

/// Polls a future where it is, and spawns it when it is not done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AtOnce;

impl<F> Executor<F> for AtOnce
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        let mut future = Box::pin(future);
        // Nobody is woken by this: a task polls anew when it begins.
        let mut context = Context::from_waker(Waker::noop());
        if future.as_mut().poll(&mut context).is_pending() {
            tokio::spawn(future);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn what_waits_is_woken_and_what_does_not_is_done_at_once() {
        let (done, mut is_done) = oneshot::channel();
        AtOnce.execute(async move { done.send(1).unwrap() });
        assert_eq!(is_done.try_recv(), Ok(1));
        let (go, wait) = oneshot::channel::<()>();
        let (done, is_done) = oneshot::channel();
        AtOnce.execute(async move {
            wait.await.unwrap();
            done.send(2).unwrap();
        });
        go.send(()).unwrap();
        assert_eq!(is_done.await, Ok(2));
    }
}
