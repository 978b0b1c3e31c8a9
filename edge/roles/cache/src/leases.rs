//! Who fetches what: one lease per key, and what is known not to be for sharing.

use crate::under_way::{Outcome, UnderWay};
use parking_lot::Mutex;
use selvedge_edge_core_verify::LeaseId;
use selvedge_primitives_types::{DeviceId, Millis, ServiceId};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// Leases at a time; beyond it gateways fetch for themselves.
const MAX_LEASES: usize = 65_536;
/// Keys remembered as not for sharing; beyond it all are forgotten at once, which costs a lease each.
const MAX_PASSES: usize = 65_536;
/// The longest time a key counts as not for sharing.
const MAX_PASS: Duration = Duration::from_secs(600);

type Key = (ServiceId, Vec<u8>);

/// What a gateway that finds nothing stored may do.
pub(crate) enum Turn {
    /// It fetches.
    Holder(Arc<UnderWay>),
    /// Another one does.
    Waiter(Arc<UnderWay>),
    /// Everybody for themselves, for this long.
    Pass(Duration),
    /// There are too many fetches.
    Full,
}

/// The leases of a cache.
#[derive(Default)]
pub(crate) struct Leases(Mutex<Table>);

#[derive(Default)]
struct Table {
    next: u64,
    by_key: HashMap<Key, Arc<UnderWay>>,
    by_lease: HashMap<LeaseId, Key>,
    passes: HashMap<Key, Instant>,
}

impl Leases {
    /// Takes a gateway's turn at a key.
    pub(crate) fn turn(
        &self,
        service: ServiceId,
        key: &[u8],
        gateway: DeviceId,
        now: Instant,
    ) -> Turn {
        let mut table = self.0.lock();
        let key = (service, key.to_vec());
        if let Some(until) = table.passes.get(&key) {
            if *until > now {
                return Turn::Pass(*until - now);
            }
            table.passes.remove(&key);
        }
        if let Some(under_way) = table.by_key.get(&key) {
            return Turn::Waiter(under_way.clone());
        }
        if table.by_key.len() >= MAX_LEASES {
            return Turn::Full;
        }
        // A restart begins at the clock, so that a number of an earlier run never names a lease of this one.
        if table.next == 0 {
            let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
            table.next = since.as_micros() as u64;
        }
        table.next += 1;
        let under_way = Arc::new(UnderWay::new(LeaseId(table.next), gateway));
        table.by_lease.insert(under_way.lease, key.clone());
        table.by_key.insert(key, under_way.clone());
        Turn::Holder(under_way)
    }

    /// The fetch of a lease, if this gateway holds it.
    pub(crate) fn held(
        &self,
        lease: LeaseId,
        gateway: DeviceId,
    ) -> Option<(ServiceId, Vec<u8>, Arc<UnderWay>)> {
        let table = self.0.lock();
        let key = table.by_lease.get(&lease)?;
        let under_way = table
            .by_key
            .get(key)
            .filter(|under_way| under_way.holder == gateway)?;
        Some((key.0, key.1.clone(), under_way.clone()))
    }

    /// Ends a lease; those who wait learn how.
    pub(crate) fn end(&self, under_way: &UnderWay, outcome: Outcome, now: Instant) {
        let mut table = self.0.lock();
        if let Some(key) = table.by_lease.remove(&under_way.lease) {
            table.by_key.remove(&key);
            if let Outcome::Pass(Millis(millis)) = outcome {
                if table.passes.len() >= MAX_PASSES {
                    table.passes.clear();
                }
                table
                    .passes
                    .insert(key, now + Duration::from_millis(millis).min(MAX_PASS));
            }
        }
        drop(table);
        under_way.end(outcome);
    }

    /// Fetches under way.
    pub(crate) fn len(&self) -> usize {
        self.0.lock().by_key.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: ServiceId = ServiceId(1);
    const A: DeviceId = DeviceId([1; 32]);
    const B: DeviceId = DeviceId([2; 32]);

    fn holder(leases: &Leases, gateway: DeviceId, now: Instant) -> Arc<UnderWay> {
        match leases.turn(SERVICE, b"k", gateway, now) {
            Turn::Holder(under_way) => under_way,
            _ => panic!("the lease is free"),
        }
    }

    #[test]
    fn one_gateway_fetches_and_the_others_wait() {
        let (leases, now) = (Leases::default(), Instant::now());
        let lease = holder(&leases, A, now);
        assert!(
            matches!(leases.turn(SERVICE, b"k", B, now), Turn::Waiter(other) if other.lease == lease.lease)
        );
        assert!(matches!(
            leases.turn(SERVICE, b"other", B, now),
            Turn::Holder(_)
        ));
        assert!(
            leases.held(lease.lease, B).is_none(),
            "a lease is its holder's"
        );
        assert!(leases.held(lease.lease, A).is_some());
        leases.end(&lease, Outcome::Again, now);
        assert!(leases.held(lease.lease, A).is_none());
        assert_ne!(
            holder(&leases, B, now).lease,
            lease.lease,
            "no number is used twice"
        );
    }

    #[test]
    fn what_is_not_for_sharing_is_remembered_for_a_while() {
        let (leases, now) = (Leases::default(), Instant::now());
        let lease = holder(&leases, A, now);
        leases.end(&lease, Outcome::Pass(Millis(5_000)), now);
        assert!(matches!(leases.turn(SERVICE, b"k", B, now), Turn::Pass(_)));
        let later = now + Duration::from_secs(6);
        assert!(matches!(
            leases.turn(SERVICE, b"k", B, later),
            Turn::Holder(_)
        ));
    }

    #[test]
    fn those_who_wait_learn_only_the_first_end() {
        let (leases, now) = (Leases::default(), Instant::now());
        let lease = holder(&leases, A, now);
        let progress = lease.watch();
        leases.end(&lease, Outcome::Broken, now);
        leases.end(&lease, Outcome::Again, now);
        assert!(matches!(progress.borrow().outcome, Some(Outcome::Broken)));
    }
}
