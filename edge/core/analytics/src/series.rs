//! The last hour in slices.

use std::collections::VecDeque;

use selvedge_primitives_types::Millis;

use crate::recorder::Totals;
use crate::{Counts, Recorder};

/// Periods up to this long are made of seconds.
pub const RECENT: Millis = Millis(60_000);
/// The longest period that is known.
pub const LONGEST: Millis = Millis(3_600_000);

/// Collecting more often than this changes nothing, so that slices are bounded.
const SHORTEST: u64 = 900;
const MINUTE: u64 = 60_000;

/// What was counted from one moment to another.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Slice {
    from: Millis,
    to: Millis,
    counts: Counts,
}

/// The counts of a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// When the period began: as asked for, or a slice earlier, or when counting began.
    pub from: Millis,
    /// When it ended.
    pub to: Millis,
    /// What was counted in it.
    pub counts: Counts,
}

/// What was counted since a moment, slice by slice. Slices in which nothing happened are left out.
#[derive(Debug)]
pub struct Series {
    began: Millis,
    collected: Millis,
    totals: Box<Totals>,
    seconds: VecDeque<Slice>,
    minutes: VecDeque<Slice>,
    /// The minute under way.
    minute: Slice,
    /// When something was counted last.
    last: Millis,
}

impl Series {
    /// Counting began at `began`: before it there was nothing to count.
    pub fn new(began: Millis, now: Millis) -> Self {
        Self {
            began,
            collected: now,
            totals: Totals::zero(),
            seconds: VecDeque::new(),
            minutes: VecDeque::new(),
            minute: Slice {
                from: now,
                to: now,
                counts: Counts::default(),
            },
            last: now,
        }
    }

    /// Takes what was recorded since the last time; call it once a second.
    pub fn collect(&mut self, recorder: &Recorder, now: Millis) {
        // A clock that was set back begins anew, one that stands still waits.
        let since = now.0.saturating_sub(self.collected.0);
        if since < SHORTEST && now >= self.collected {
            return;
        }
        let totals = recorder.read();
        if *totals != *self.totals {
            let slice = Slice {
                from: self.collected.min(now),
                to: now,
                counts: totals.since(&self.totals),
            };
            self.minute.counts.merge(&slice.counts);
            self.seconds.push_back(slice);
            self.totals = totals;
            self.last = now;
        }
        self.collected = now;
        if now.0.abs_diff(self.minute.from.0) >= MINUTE {
            let next = Slice {
                from: now,
                to: now,
                counts: Counts::default(),
            };
            let mut whole = std::mem::replace(&mut self.minute, next);
            whole.to = now;
            if !whole.counts.is_empty() {
                self.minutes.push_back(whole);
            }
        }
        // What lies in the future is from before a clock was set back.
        forget(&mut self.seconds, now, RECENT);
        forget(&mut self.minutes, now, LONGEST);
    }

    /// What was counted in the `length` before `now`, with what was recorded up to now. Longer
    /// periods than [`LONGEST`] are cut to it.
    pub fn window(&self, recorder: &Recorder, length: Millis, now: Millis) -> Window {
        let since = Millis(now.0.saturating_sub(length.min(LONGEST).0));
        let mut counts = recorder.read().since(&self.totals);
        let mut from = since.max(self.began.min(now));
        let mut add = |slice: &Slice| {
            if slice.to > since && !slice.counts.is_empty() {
                counts.merge(&slice.counts);
                from = from.min(slice.from);
            }
        };
        if length <= RECENT {
            self.seconds.iter().for_each(&mut add);
        } else {
            self.minutes.iter().for_each(&mut add);
            let minute = Slice {
                to: now,
                ..self.minute.clone()
            };
            add(&minute);
        }
        // What is not collected yet may be as old as the last collection.
        let from = if counts.is_empty() {
            from
        } else {
            from.min(self.collected)
        };
        Window {
            from,
            to: now,
            counts,
        }
    }

    /// How long nothing was counted, as far as it was collected.
    pub fn idle(&self, now: Millis) -> Millis {
        Millis(now.0.saturating_sub(self.last.0))
    }
}

fn forget(slices: &mut VecDeque<Slice>, now: Millis, length: Millis) {
    slices.retain(|slice| slice.to <= now && slice.to.0.saturating_add(length.0) > now.0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;
    use proptest::prelude::*;

    const START: u64 = 1_000_000_000;

    fn answer(recorder: &Recorder, times: u64) {
        for _ in 0..times {
            recorder.answered(0, Source::Memory, 200, 40);
            recorder.sent(0, Source::Memory, 7);
        }
    }

    #[test]
    fn a_window_holds_what_was_recorded_in_it_up_to_now() {
        let (recorder, began) = (Recorder::new(1), Millis(START));
        let mut series = Series::new(began, began);
        for second in 1..=30 {
            answer(&recorder, 2);
            series.collect(&recorder, Millis(START + second * 1_000));
        }
        answer(&recorder, 5);
        let now = Millis(START + 30_400);
        let window = series.window(&recorder, Millis(10_000), now);
        // Ten slices end within the last ten seconds; the earliest began 400 ms before them.
        assert_eq!(window.counts.requests(), 10 * 2 + 5);
        assert_eq!((window.from.0, window.to), (START + 20_000, now));
        assert_eq!(window.counts.bytes(), 7 * 25);
        assert_eq!(window.counts.first_byte.count(), 25);
        let all = series.window(&recorder, LONGEST, now);
        assert_eq!((all.counts.requests(), all.from), (65, began));
    }

    #[test]
    fn silence_is_part_of_the_period() {
        let (recorder, began) = (Recorder::new(1), Millis(START));
        let mut series = Series::new(began, began);
        answer(&recorder, 3);
        for second in 1..=40 {
            series.collect(&recorder, Millis(START + second * 1_000));
        }
        let now = Millis(START + 40_000);
        let window = series.window(&recorder, Millis(20_000), now);
        assert_eq!(
            (window.counts.requests(), window.from.0),
            (0, START + 20_000)
        );
        let window = series.window(&recorder, Millis(50_000), now);
        assert_eq!((window.counts.requests(), window.from), (3, began));
        assert_eq!(series.idle(now), Millis(39_000));
    }

    #[test]
    fn an_hour_is_kept_and_not_more() {
        let (recorder, began) = (Recorder::new(1), Millis(START));
        let mut series = Series::new(began, began);
        for second in 1..=3 * 3_600 {
            answer(&recorder, 1);
            series.collect(&recorder, Millis(START + second * 1_000));
        }
        let now = Millis(START + 3 * 3_600_000);
        let window = series.window(&recorder, Millis(u64::MAX), now);
        let length = window.to.0 - window.from.0;
        assert_eq!(window.counts.requests(), length / 1_000);
        assert!((3_600_000..3_660_000).contains(&length), "{length}");
        assert!(series.seconds.len() <= 60 && series.minutes.len() <= 61);
    }

    #[test]
    fn a_clock_that_is_set_back_loses_no_answer() {
        let (recorder, began) = (Recorder::new(1), Millis(START));
        let mut series = Series::new(began, began);
        answer(&recorder, 2);
        let earlier = Millis(START - 5_000_000);
        series.collect(&recorder, earlier);
        answer(&recorder, 2);
        let window = series.window(&recorder, LONGEST, Millis(earlier.0 + 10));
        assert_eq!(window.counts.requests(), 4);
        assert!(window.from <= window.to);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_doubled_by_collecting(
            steps in prop::collection::vec((0u64..2_500, 0u64..4), 1..200),
        ) {
            let (recorder, began) = (Recorder::new(2), Millis(START));
            let mut series = Series::new(began, began);
            let (mut now, mut all) = (START, 0);
            for (pause, times) in steps {
                now += pause;
                answer(&recorder, times);
                all += times;
                series.collect(&recorder, Millis(now));
                let window = series.window(&recorder, LONGEST, Millis(now));
                prop_assert_eq!(window.counts.requests(), all);
                prop_assert_eq!(window.counts.first_byte.count(), all);
            }
        }
    }
}
