//! The inherent data of a BABE block: the slot and the time it claims.

use sp_consensus_babe::{inherents::InherentDataProvider as SlotProvider, SlotDuration};
use sp_inherents::CreateInherentDataProviders;
use sp_runtime::traits::Block as BlockT;
use sp_timestamp::InherentDataProvider as TimeProvider;

/// Derives the slot from the system clock and the slot length of the chain.
#[derive(Clone, Copy)]
pub(super) struct SlotAndTime {
    slot_duration: SlotDuration,
}

impl SlotAndTime {
    pub(super) fn new(slot_duration: SlotDuration) -> Self {
        Self { slot_duration }
    }
}

#[async_trait::async_trait]
impl<Block: BlockT> CreateInherentDataProviders<Block, ()> for SlotAndTime {
    // The slot comes first: the slot worker reads it from the head of the tuple.
    type InherentDataProviders = (SlotProvider, TimeProvider);

    async fn create_inherent_data_providers(
        &self,
        _parent: Block::Hash,
        _extra: (),
    ) -> Result<Self::InherentDataProviders, Box<dyn std::error::Error + Send + Sync>> {
        let time = TimeProvider::from_system_time();
        let slot = SlotProvider::from_timestamp_and_slot_duration(*time, self.slot_duration);
        Ok((slot, time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_runtime::{generic, traits::BlakeTwo256, OpaqueExtrinsic};

    type Block = generic::Block<generic::Header<u32, BlakeTwo256>, OpaqueExtrinsic>;

    #[test]
    fn the_slot_is_the_one_that_the_time_falls_into() {
        for millis in [1, 500, 3_000, 6_000] {
            let providers = SlotAndTime::new(SlotDuration::from_millis(millis));
            let created = CreateInherentDataProviders::<Block, ()>::create_inherent_data_providers(
                &providers,
                Default::default(),
                (),
            );
            let (slot, time) = futures::executor::block_on(created).unwrap();
            assert_eq!(
                u64::from(slot.slot()),
                time.timestamp().as_millis() / millis
            );
        }
    }
}
