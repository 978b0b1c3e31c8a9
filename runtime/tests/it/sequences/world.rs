//! The chain that a plan is played on, with what the model remembers of it.

use super::{
    audits::{Ballot, Canary},
    cast::{nodes, Node, Signer, CUSTOMERS},
    judge::Judge,
    plan::Dice,
    story::{Outcome, Story},
    usage::Claim,
};
use crate::{
    chain::{apply, empty_slots_to, signed_by, Chain},
    offences,
};
use frame_support::traits::GetCallMetadata;
use frame_system::offchain::CreateAuthorizedTransaction;
use pallet_edge_traits::EpochClock;
use selvedge_primitives_types::{Epoch, ServiceId};
use selvedge_runtime::{constants::currency::SEL, Runtime, RuntimeCall, RuntimeOrigin, UsageClock};
use sp_runtime::{
    traits::Dispatchable,
    transaction_validity::{InvalidTransaction, TransactionValidityError},
    DispatchError,
};

/// Calls of one block. A block takes more; a plan is to see many of them.
const CALLS: u32 = 4;

/// A network under way.
pub struct World<'a> {
    chain: &'a mut Chain,
    /// Calls in the block that is open; `None` between two blocks.
    open: Option<u32>,
    judge: Judge,
    /// What has happened.
    pub story: Story,
    /// All devices.
    pub nodes: Vec<Node>,
    /// What gateways committed to, oldest first.
    pub claims: Vec<Claim>,
    /// What auditors voted.
    pub ballots: Vec<Ballot>,
    /// Canaries that were named.
    pub canaries: Vec<Canary>,
    /// Areas of acts that the plan knows.
    pub areas: usize,
}

impl<'a> World<'a> {
    /// A network with two gateways, two caches, two customers and three services.
    pub fn new(chain: &'a mut Chain, story: Story, areas: usize) -> Self {
        let mut world = Self {
            chain,
            open: None,
            judge: Judge::new(),
            story,
            nodes: nodes(),
            claims: Vec::new(),
            ballots: Vec::new(),
            canaries: Vec::new(),
            areas,
        };
        for (customer, caps) in CUSTOMERS.into_iter().zip([&[10, 2][..], &[5]]) {
            let amount = 400 * SEL;
            world.submit(customer, pallet_edge_billing::Call::deposit { amount });
            for cap in caps {
                let service = pallet_edge_services::NextId::<Runtime>::get();
                let create = pallet_edge_services::Call::create_service {
                    hosts: vec![format!("site-{service}.localhost").into_bytes()],
                    origin_url: b"http://127.0.0.1:8000".to_vec(),
                    cap: cap * SEL,
                    price_version: 1,
                };
                world.submit(customer, create);
            }
        }
        world.close();
        let services = pallet_edge_services::NextId::<Runtime>::get();
        assert_eq!(services, ServiceId(3), "the customers' services are there");
        world
    }

    /// Applies a transaction of an account. It may fail as a call, not as a transaction: wallets
    /// know how to make one.
    pub fn submit(&mut self, signer: Signer, call: impl Into<RuntimeCall>) {
        let call = call.into();
        self.make_room();
        let account = signer.account();
        let transaction = signed_by(&account, call.clone(), |message| signer.sign(message));
        let outcome = match apply(transaction) {
            Ok(outcome) => Outcome::of(outcome),
            Err(TransactionValidityError::Invalid(
                reason @ (InvalidTransaction::Payment | InvalidTransaction::ExhaustsResources),
            )) => Outcome::Invalid(reason.into()),
            Err(reason) => panic!("{call:?} of {signer:?} was refused: {reason:?}"),
        };
        self.note(&call, format!("{signer:?}"), outcome);
    }

    /// Applies a transaction that an agent brings without an account. What is let in for free does
    /// its work.
    pub fn bring(&mut self, call: impl Into<RuntimeCall>) {
        let call = call.into();
        self.make_room();
        let transaction =
            <Runtime as CreateAuthorizedTransaction<RuntimeCall>>::create_authorized_transaction(
                call.clone(),
            );
        let outcome = match apply(transaction) {
            Ok(outcome) => Outcome::of(outcome),
            Err(reason) => Outcome::Invalid(reason),
        };
        if let Outcome::Failed(error) = &outcome {
            let filtered = frame_system::Error::<Runtime>::CallFiltered;
            assert_eq!(
                *error,
                DispatchError::from(filtered),
                "it was let in for free and did nothing: {call:?}"
            );
        }
        self.note(&call, "an agent".into(), outcome);
    }

    /// Applies the report of an offence. It is not in a block of the offender's own, which could not
    /// be finalised.
    pub fn report(&mut self) {
        self.close();
        if offences::is_offender(self.chain.next_author()) {
            self.skip(0);
        }
        let Some(transaction) = offences::try_report(self.chain.slot()) else {
            return;
        };
        self.make_room();
        let outcome = match apply(transaction.clone()) {
            Ok(outcome) => Outcome::of(outcome),
            Err(reason) => Outcome::Invalid(reason),
        };
        self.note(&transaction.function, "a reporter".into(), outcome);
    }

    /// Dispatches what a referendum decided; whether that was done.
    pub fn decide(
        &mut self,
        origin: impl Into<RuntimeOrigin>,
        call: impl Into<RuntimeCall>,
    ) -> bool {
        let (origin, call) = (origin.into(), call.into());
        self.make_room();
        let by = format!("{:?}", origin.caller);
        let outcome = match call.clone().dispatch(origin) {
            Ok(_) => Outcome::Done,
            Err(error) => Outcome::Failed(error.error),
        };
        let is_done = outcome == Outcome::Done;
        self.note(&call, by, outcome);
        is_done
    }

    fn note(&mut self, call: &RuntimeCall, by: String, outcome: Outcome) {
        if let Outcome::Failed(error) = &outcome {
            self.judge.may_fail(error);
        }
        self.story.tell(call.get_call_metadata(), by, call, outcome);
    }

    /// Lets slots pass empty, then makes a block.
    pub fn skip(&mut self, slots: u64) {
        self.close();
        self.chain.stop(slots);
        self.begin();
        self.close();
    }

    /// Goes on to where an epoch has run for some quarters, within one block if that is to come.
    pub fn run_to(&mut self, epoch: Epoch, quarters: u64) {
        self.close();
        self.skip(empty_slots_to(epoch, quarters).unwrap_or(0));
    }

    /// Goes on to the next epoch.
    pub fn end_epoch(&mut self) {
        self.run_to(UsageClock::current().next(), 0);
    }

    /// Ends the block under way, and judges it.
    pub fn close(&mut self) {
        if self.open.take().is_some() {
            self.chain.end();
            self.judge.judge();
        }
    }

    fn begin(&mut self) {
        self.chain.begin();
        self.open = Some(0);
    }

    fn make_room(&mut self) {
        match &mut self.open {
            Some(calls) if *calls < CALLS => *calls += 1,
            _ => {
                self.close();
                self.begin();
            }
        }
    }

    /// One of the devices.
    pub fn any_node(&self, dice: &mut Dice) -> &Node {
        dice.of_all(&self.nodes)
    }
}
