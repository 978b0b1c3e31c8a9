//! Remembers what was sent for a device and when, so that the next block's worker does not send it
//! again.
//!
//! It lies in the node's off-chain persistent storage, under `selvedge::sent::` and the device.
//! What is older than
//! `ResubmitAfter` blocks is forgotten, so it never grows; losing it costs a transaction that the
//! pool refuses.

use alloc::vec::Vec;
use codec::{Decode, Encode};
use pallet_edge_traits::Job;
use selvedge_primitives_math::draw::Draw;
use selvedge_primitives_types::{DeviceId, Epoch, Hash, ServiceId};
use sp_runtime::offchain::storage::StorageValueRef;

const PREFIX: &[u8] = b"selvedge::sent::";

/// Something that was tried.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) enum Try {
    #[codec(index = 0)]
    Job(Job),
    /// A host name, by the digest of its bytes, was looked up for a service.
    #[codec(index = 1)]
    Host(ServiceId, Hash, Epoch),
    /// The probes of an epoch were ordered.
    #[codec(index = 2)]
    Order(Epoch),
    /// They were reported.
    #[codec(index = 3)]
    Report(Epoch),
    /// A leaf of a gateway's epoch was shown on chain.
    #[codec(index = 4)]
    Leaf(DeviceId, Epoch, Draw),
}

/// What was tried lately for one device.
pub(crate) struct Memory {
    key: Vec<u8>,
    block: u32,
    tries: Vec<(Try, u32)>,
}

impl Memory {
    /// Reads what is not older than `span` blocks at `block`. Blocks may also lie ahead, after a
    /// reorganisation.
    pub(crate) fn read(device: &DeviceId, block: u32, span: u32) -> Self {
        let key = [PREFIX, &device.0].concat();
        let stored = StorageValueRef::persistent(&key).get::<Vec<(Try, u32)>>();
        let mut tries = stored.ok().flatten().unwrap_or_default();
        tries.retain(|(_, at)| at.abs_diff(block) < span);
        Self { key, block, tries }
    }

    pub(crate) fn knows(&self, wanted: &Try) -> bool {
        self.tries.iter().any(|(one, _)| one == wanted)
    }

    /// Notes a try at once: should the worker be cut off later, the next one must know of it.
    pub(crate) fn note(&mut self, one: Try) {
        self.tries.push((one, self.block));
        StorageValueRef::persistent(&self.key).set(&self.tries);
    }
}
