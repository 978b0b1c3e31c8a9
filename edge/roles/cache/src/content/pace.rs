//! So many bytes in a second.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Who pauses after each piece keeps everybody together to a rate.
pub(super) struct Pace {
    rate: u64,
    free: Mutex<Instant>,
}

impl Pace {
    /// `rate` is in bytes a second.
    pub(super) fn new(rate: u64) -> Self {
        Self {
            rate: rate.max(1),
            free: Mutex::new(Instant::now()),
        }
    }

    /// Waits for the turn of so many bytes.
    pub(super) async fn wait(&self, bytes: u64) {
        tokio::time::sleep_until(self.turn(bytes, Instant::now())).await;
    }

    fn turn(&self, bytes: u64, now: Instant) -> Instant {
        let takes = Duration::from_secs_f64(bytes as f64 / self.rate as f64);
        let mut free = self.free.lock();
        let turn = (*free).max(now);
        *free = turn + takes;
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_together_keep_to_the_rate() {
        let pace = Pace::new(1_000);
        let now = Instant::now() + Duration::from_secs(1);
        let turns: Vec<_> = (0..3).map(|_| pace.turn(500, now) - now).collect();
        let expected = [0, 500, 1_000].map(Duration::from_millis);
        assert_eq!(turns, expected);
        // A pause is not saved up.
        let later = now + Duration::from_secs(9);
        assert_eq!(pace.turn(500, later), later);
    }
}
