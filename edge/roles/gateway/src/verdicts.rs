//! By which rule the last answers were stored or not, for whoever asks why.

use std::collections::HashMap;

use parking_lot::Mutex;
use selvedge_edge_core_http_cache::{ResponseHead, Rule, StoreDecision, Times};
use selvedge_edge_drivers_agent::clock;
use selvedge_primitives_types::Millis;

use crate::gateway::Shared;
use crate::question::Question;
use crate::served::Served;

/// Keys remembered; beyond it all are forgotten at once.
const CAPACITY: usize = 65_536;

/// The last verdict of each key: [`Rule::Storable`], or why not, and when.
#[derive(Debug, Default)]
pub struct Verdicts(Mutex<HashMap<[u8; 16], (Rule, Millis)>>);

impl Verdicts {
    /// Notes what became of an answer.
    pub fn note<T>(&self, name: [u8; 16], verdict: &Result<T, Rule>, now: Millis) {
        let rule = verdict.as_ref().err().copied().unwrap_or(Rule::Storable);
        let mut verdicts = self.0.lock();
        if verdicts.len() >= CAPACITY && !verdicts.contains_key(&name) {
            verdicts.clear();
        }
        verdicts.insert(name, (rule, now));
    }

    /// What became of the last answer, if it is remembered.
    pub fn of(&self, name: &[u8; 16]) -> Option<(Rule, Millis)> {
        self.0.lock().get(name).copied()
    }
}

impl Shared {
    /// Notes whether what was passed by could have been stored.
    pub fn note_verdict(&self, question: &Question, served: &Served) {
        let now = clock::now();
        let times = Times {
            requested: question.exchange.arrived,
            received: now,
        };
        let head = ResponseHead {
            status: served.status,
            headers: &served.headers,
        };
        let policy = &self.options.policy;
        let verdict = match policy.store_decision(&question.head(), &head, times) {
            StoreDecision::Store(_) => Ok(()),
            StoreDecision::Pass { rule } => Err(rule),
        };
        self.verdicts.note(question.pass_name(), &verdict, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_verdict_counts_and_memory_is_bounded() {
        let verdicts = Verdicts::default();
        let name = |number: u32| {
            let mut name = [0; 16];
            name[..4].copy_from_slice(&number.to_le_bytes());
            name
        };
        verdicts.note(name(1), &Ok(()), Millis(1));
        verdicts.note(name(1), &Err::<(), _>(Rule::Private), Millis(2));
        assert_eq!(verdicts.of(&name(1)), Some((Rule::Private, Millis(2))));
        for number in 0..=CAPACITY as u32 {
            verdicts.note(name(number), &Ok(()), Millis(3));
        }
        assert!(verdicts.0.lock().len() <= CAPACITY);
        let last = verdicts.of(&name(CAPACITY as u32));
        assert_eq!(last, Some((Rule::Storable, Millis(3))));
    }
}
