//! How many connections there may be, in all and from one address.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::Ordering;
use std::sync::Arc;

use crate::server::Shared;

/// A connection's place within the limits; given back when dropped.
pub(crate) struct Place<H> {
    pub(crate) shared: Arc<Shared<H>>,
    address: IpAddr,
}

impl<H> Place<H> {
    pub(crate) fn take(shared: &Arc<Shared<H>>, address: IpAddr) -> Option<Self> {
        let address = group_of(address);
        let stats = &shared.stats;
        let mut per_ip = shared.per_ip.lock();
        if stats.open.load(Ordering::Relaxed) >= shared.limits.connections {
            return None;
        }
        let count = per_ip.entry(address).or_default();
        if *count >= shared.limits.connections_per_ip {
            return None;
        }
        *count += 1;
        stats.open.fetch_add(1, Ordering::Relaxed);
        stats.accepted.fetch_add(1, Ordering::Relaxed);
        Some(Self {
            shared: shared.clone(),
            address,
        })
    }
}

impl<H> Drop for Place<H> {
    fn drop(&mut self) {
        let mut per_ip = self.shared.per_ip.lock();
        if let Some(count) = per_ip.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                per_ip.remove(&self.address);
            }
        }
        self.shared.stats.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One customer of a provider usually holds a whole /64, so that is what is counted.
fn group_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => {
                let s = v6.segments();
                IpAddr::V6(Ipv6Addr::new(s[0], s[1], s[2], s[3], 0, 0, 0, 0))
            }
        },
    }
}
