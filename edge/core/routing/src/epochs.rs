//! Where to look while copies move.

use std::sync::Arc;

use selvedge_primitives_types::{DeviceId, Epoch};

use crate::placement::Placement;
use crate::target::Target;

/// The placements of two config epochs. Copies move when somebody gets round to it: until then who
/// owned them in the epoch before still has them.
#[derive(Clone, Debug)]
pub struct Epochs {
    epoch: Epoch,
    current: Arc<Placement>,
    previous: Option<Arc<Placement>>,
}

impl Epochs {
    /// The first config.
    pub fn new(epoch: Epoch, placement: Placement) -> Self {
        Self {
            epoch,
            current: Arc::new(placement),
            previous: None,
        }
    }

    /// A newer config, of the same epoch or a later one. An earlier one, when the chain takes a
    /// block back, is in force as well.
    pub fn advance(&mut self, epoch: Epoch, placement: Placement) {
        let passed = std::mem::replace(&mut self.current, Arc::new(placement));
        if epoch != self.epoch {
            self.previous = Some(passed);
            self.epoch = epoch;
        }
    }

    /// Where copies belong.
    pub fn current(&self) -> &Arc<Placement> {
        &self.current
    }

    /// Who may have a copy, in the order of asking: the owners of this epoch, then those of the one
    /// before that are still registered.
    pub fn holders(&self, target: Target<'_>, factor: u8) -> Vec<DeviceId> {
        let mut holders = self.current.owners(target, factor);
        let previous = self.previous.iter().flat_map(|p| p.owners(target, factor));
        for holder in previous {
            if !holders.contains(&holder) && self.current.is_member(&holder) {
                holders.push(holder);
            }
        }
        holders
    }
}
