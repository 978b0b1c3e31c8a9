//! What is to be audited, and what is said of it, thread-local.

use super::Chain;
use crate::{Ballot, SubmitAudits, SubmitError};
use frame_support::traits::Get;
use pallet_edge_traits::{AuditDuties, AuditRules};
use selvedge_primitives_math::{
    duty::{AuditDuty, LeafDuty},
    fraud::{Context, FraudProof, OpenedLeaf, Terms},
};
use selvedge_primitives_types::{Account, DeviceId, Epoch, Leaf, ServiceId, UsageCommitment};
use std::cell::{Cell, RefCell};

/// Something that was said on chain.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    Vote(Ballot),
    Reveal(Ballot),
    Proof(DeviceId, Epoch, Box<FraudProof>),
    Posted(DeviceId, Epoch, Box<OpenedLeaf>),
    Answer(LeafDuty, Box<OpenedLeaf>),
}

thread_local! {
    static AUDITORS: RefCell<Vec<DeviceId>> = const { RefCell::new(Vec::new()) };
    static AUDITS: RefCell<Vec<AuditDuty>> = const { RefCell::new(Vec::new()) };
    static LEAVES: RefCell<Vec<LeafDuty>> = const { RefCell::new(Vec::new()) };
    static COMMITTED: RefCell<Vec<UsageCommitment>> = const { RefCell::new(Vec::new()) };
    static SAID: RefCell<Vec<Said>> = const { RefCell::new(Vec::new()) };
    static PRIVATE: Cell<bool> = const { Cell::new(true) };
    static FORGOTTEN: Cell<bool> = const { Cell::new(false) };
}

/// Every service belongs to the account with its number, and whoever is named is a cache that
/// signed.
pub struct Knows;

impl Context for Knows {
    fn terms(&self, service: ServiceId) -> Option<Terms> {
        Some(Terms {
            owner: owner_of(service),
            lease: u128::MAX,
            price_version: 1,
            prices: None,
            storage: u64::MAX,
        })
    }
    fn is_cache(&self, _: &DeviceId) -> bool {
        true
    }
    fn is_signed(&self, _: &Leaf) -> bool {
        true
    }
}

pub(crate) fn owner_of(service: ServiceId) -> Account {
    let mut account = [0; 32];
    account[..8].copy_from_slice(&service.0.to_be_bytes());
    Account(account)
}

impl AuditDuties for Chain {
    fn audits(_: &DeviceId) -> Vec<AuditDuty> {
        AUDITS.with_borrow(Clone::clone)
    }
    fn leaves_due(_: &DeviceId) -> Vec<LeafDuty> {
        LEAVES.with_borrow(Clone::clone)
    }
}

impl AuditRules for Chain {
    type Known = Knows;

    fn auditors() -> Vec<DeviceId> {
        AUDITORS.with_borrow(Clone::clone)
    }
    fn known(_: Epoch) -> Option<Knows> {
        (!FORGOTTEN.get()).then_some(Knows)
    }
    fn commitment(gateway: &DeviceId, epoch: Epoch) -> Option<UsageCommitment> {
        let is_it = |one: &&UsageCommitment| (one.gateway, one.epoch) == (*gateway, epoch);
        COMMITTED.with_borrow(|all| all.iter().find(is_it).copied())
    }
}

fn say(said: Said) -> Result<(), SubmitError> {
    SAID.with_borrow_mut(|all| all.push(said));
    Ok(())
}

impl SubmitAudits for Chain {
    fn vote(_: &[u8; 32], ballot: Ballot) -> Result<(), SubmitError> {
        say(Said::Vote(ballot))
    }
    fn reveal(_: &[u8; 32], ballot: Ballot) -> Result<(), SubmitError> {
        say(Said::Reveal(ballot))
    }
    fn prove(
        _: &[u8; 32],
        _: DeviceId,
        gateway: DeviceId,
        epoch: Epoch,
        proof: Box<FraudProof>,
    ) -> Result<(), SubmitError> {
        say(Said::Proof(gateway, epoch, proof))
    }
    fn post_leaf(
        _: &[u8; 32],
        _: DeviceId,
        gateway: DeviceId,
        epoch: Epoch,
        leaf: Box<OpenedLeaf>,
    ) -> Result<(), SubmitError> {
        say(Said::Posted(gateway, epoch, leaf))
    }
    fn answer(_: &[u8; 32], duty: LeafDuty, leaf: Box<OpenedLeaf>) -> Result<(), SubmitError> {
        say(Said::Answer(duty, leaf))
    }
}

/// Whether gateways may have private addresses.
pub struct AllowPrivate;

impl Get<bool> for AllowPrivate {
    fn get() -> bool {
        PRIVATE.get()
    }
}

pub(crate) fn set_auditors(devices: &[DeviceId]) {
    AUDITORS.set(devices.to_vec());
}
pub(crate) fn set_audits(duties: Vec<AuditDuty>) {
    AUDITS.set(duties);
}
pub(crate) fn set_leaves(duties: Vec<LeafDuty>) {
    LEAVES.set(duties);
}
pub(crate) fn set_committed(commitment: UsageCommitment) {
    COMMITTED.set(vec![commitment]);
}
pub(crate) fn set_private(is_allowed: bool) {
    PRIVATE.set(is_allowed);
}
pub(crate) fn set_forgotten(is_forgotten: bool) {
    FORGOTTEN.set(is_forgotten);
}
/// What was said since the last look.
pub(crate) fn take_said() -> Vec<Said> {
    SAID.take()
}

/// Nobody audits anything.
pub(super) fn reset_audits() {
    set_auditors(&[]);
    set_audits(vec![]);
    set_leaves(vec![]);
    COMMITTED.set(vec![]);
    set_private(true);
    set_forgotten(false);
    take_said();
}
