//! One file per call, plus what other pallets ask and the invariants.

mod add_host;
mod attest_host;
mod create_service;
mod inspect;
mod invariants;
mod pause;
mod pin;
mod publish_prices;
mod remove_host;
mod remove_service;
mod set_cap;
mod set_origin;
mod set_price_version;
mod set_rules;
mod set_site;
mod unpin;

pub use crate::{mock::*, Error, Event};
pub use frame_support::{assert_noop, assert_ok};
pub use selvedge_primitives_types::{ContentKind, Epoch, Pin, Planck, Prices, ServiceId};
pub use sp_runtime::traits::BadOrigin;

/// A signed origin.
pub fn by(who: sp_core::crypto::AccountId32) -> RuntimeOrigin {
    RuntimeOrigin::signed(who)
}

/// An id nobody was given.
pub const NOBODYS: ServiceId = ServiceId(999);
