//! Who is not asked for a while.

use std::time::Duration;

/// Failures without a success between them after which a peer is ejected.
pub const MOST_IN_A_ROW: u32 = 5;
/// Nobody is ejected for longer.
pub const LONGEST_EJECTION: Duration = Duration::from_secs(60);
/// The first ejection; each one after it is longer by as much.
const EJECTION: Duration = Duration::from_secs(10);
/// How often success is compared. An ejection is forgiven for each time without one.
pub(crate) const INTERVAL: Duration = Duration::from_secs(10);
/// Answers in an interval, below which a peer's share of successes says nothing.
const LEAST_ANSWERS: u32 = 20;
/// Peers with enough answers, below which there is nothing to compare with.
const LEAST_PEERS: usize = 3;
/// Standard deviations below the others' mean that are not chance.
const DEVIATIONS: f64 = 1.9;
/// A difference that nobody is ejected for, however even the others are.
const LEAST_DIFFERENCE: f64 = 0.05;

/// Successes and failures of one peer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    in_a_row: u32,
    successes: u32,
    failures: u32,
    /// Ejections that are not forgiven.
    ejections: u32,
    until: Option<Duration>,
}

impl Record {
    pub(crate) fn succeeded(&mut self) {
        self.in_a_row = 0;
        self.successes = self.successes.saturating_add(1);
    }

    /// Says whether it failed too often in a row. A fault counts as all of these: nobody is wrong
    /// about bytes by accident more than once.
    pub(crate) fn failed(&mut self, is_fault: bool) -> bool {
        self.in_a_row = if is_fault {
            MOST_IN_A_ROW
        } else {
            self.in_a_row.saturating_add(1)
        };
        self.failures = self.failures.saturating_add(1);
        self.in_a_row >= MOST_IN_A_ROW
    }

    pub(crate) fn is_ejected(&self, now: Duration) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// When it is over.
    pub(crate) fn until(&self) -> Option<Duration> {
        self.until
    }

    pub(crate) fn eject(&mut self, now: Duration) {
        self.ejections = self.ejections.saturating_add(1);
        let time = EJECTION.saturating_mul(self.ejections);
        self.until = Some(now.saturating_add(time.min(LONGEST_EJECTION)));
        // It begins anew when it is back.
        (self.in_a_row, self.successes, self.failures) = (0, 0, 0);
    }

    /// The share of successes in the interval that ends; `None` when there were too few answers.
    fn share(&self) -> Option<f64> {
        let all = self.successes.saturating_add(self.failures);
        (all >= LEAST_ANSWERS).then(|| f64::from(self.successes) / f64::from(all))
    }

    /// An interval ends.
    pub(crate) fn close(&mut self, now: Duration) {
        (self.successes, self.failures) = (0, 0);
        if !self.is_ejected(now) {
            self.ejections = self.ejections.saturating_sub(1);
        }
    }
}

/// Those who clearly fail more often than their peers, the worst first.
pub(crate) fn outliers<'a, T: Copy + Ord + 'a>(
    records: impl Iterator<Item = (T, &'a Record)>,
) -> Vec<T> {
    let mut shares: Vec<_> = records
        .filter_map(|(peer, record)| Some((peer, record.share()?)))
        .collect();
    if shares.len() < LEAST_PEERS {
        return Vec::new();
    }
    shares.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    let is_outlier = |index: usize| {
        // Against the others alone: one among few would hide in a mean that it is part of.
        let (_, own) = shares.get(index)?;
        let others = || shares.iter().skip(index + 1).map(|(_, share)| *share);
        let count = others().count() as f64;
        if count < (LEAST_PEERS - 1) as f64 {
            return None;
        }
        let mean = others().sum::<f64>() / count;
        let variance = others().map(|share| (share - mean).powi(2)).sum::<f64>() / count;
        let least = mean - (DEVIATIONS * variance.sqrt()).max(LEAST_DIFFERENCE);
        Some(*own < least)
    };
    let ends = (0..shares.len()).find(|index| is_outlier(*index) != Some(true));
    let count = ends.unwrap_or(0);
    shares.iter().take(count).map(|(peer, _)| *peer).collect()
}
