//! A cursor over all active nodes, role by role, for work that is spread over blocks.

use crate::StakeInspect;
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use selvedge_primitives_types::{DeviceId, Role};

/// Where a walk over the active nodes stands. Nodes that come or go while it is under way may be missed, never met
/// twice.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct NodeWalk {
    role: Option<Role>,
    after: Option<DeviceId>,
}

impl Default for NodeWalk {
    fn default() -> Self {
        Self {
            role: Role::ALL.first().copied(),
            after: None,
        }
    }
}

impl NodeWalk {
    /// A walk that leaves out the roles before this one.
    pub fn starting_at(role: Role) -> Self {
        Self {
            role: Some(role),
            after: None,
        }
    }

    /// Whether every role was walked through.
    pub fn is_done(&self) -> bool {
        self.role.is_none()
    }

    /// The next nodes, at most `limit` and all of one role; perhaps none at the end of one.
    pub fn page<AccountId, Stakes: StakeInspect<AccountId>>(
        &mut self,
        limit: u32,
    ) -> Vec<(Role, DeviceId)> {
        let Some(role) = self.role else {
            return Vec::new();
        };
        let page = Stakes::active_page(role, self.after, limit);
        if page.len() < limit as usize {
            *self = Self {
                role: Role::ALL.into_iter().find(|next| *next > role),
                after: None,
            };
        } else {
            self.after = page.last().copied();
        }
        page.into_iter().map(|device| (role, device)).collect()
    }
}
