//! Decision: whether something may be asked a second time, and after how long.
//!
//! Asks nobody, and has no clock: the caller says that a request came, how long an answer took, and
//! what it wants to do. Whoever is in trouble is asked more by everybody; a [`Budget`] keeps that to
//! a share of the traffic, so that help never becomes the larger part of the trouble. [`Latency`]
//! says after how long an answer is late, by what the same peer's answers took before.
//!
//! Invariants
//! 1. What a budget grants is never more than its burst and its share of the requests since it began.
//! 2. A budget whose share was not used for a while grants its burst again, and no more.
//! 3. What [`Latency`] tells is at least as long as the answers it is about, and at most a quarter
//!    longer.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

mod latency;

pub use latency::Latency;

/// How much of the traffic may be asked twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Percent of the requests.
    pub percent: u32,
    /// Beyond it, as many as this at once, so that little traffic has help too.
    pub burst: u32,
}

impl Share {
    /// Nothing is asked twice.
    pub const NONE: Self = Self {
        percent: 0,
        burst: 0,
    };
}

/// Tokens in hundredths: one for each percent of each request, a hundred for each second try.
#[derive(Clone, Debug)]
pub struct Budget {
    share: Share,
    tokens: u64,
}

impl Budget {
    const WHOLE: u64 = 100;

    /// A full budget.
    pub fn new(share: Share) -> Self {
        Self {
            share,
            tokens: u64::from(share.burst) * Self::WHOLE,
        }
    }

    /// A request came.
    pub fn came(&mut self) {
        let most = u64::from(self.share.burst) * Self::WHOLE;
        self.tokens = most.min(self.tokens + u64::from(self.share.percent));
    }

    /// Takes one second try; `false` when there is none.
    pub fn take(&mut self) -> bool {
        let left = self.tokens.checked_sub(Self::WHOLE);
        if let Some(left) = left {
            self.tokens = left;
        }
        left.is_some()
    }
}
