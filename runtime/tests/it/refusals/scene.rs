//! What a row's call is sent to: a network with two gateways and two caches, and a customer.

use crate::{
    chain::{signed_by, Chain},
    sequences::cast::{named, nodes, Node, Signer},
};
use frame_support::assert_ok;
use frame_system::offchain::CreateAuthorizedTransaction;
use pallet_edge_billing::{
    agent::commit_payload,
    types::{Page, VoidReason},
    Call as Billing,
};
use pallet_edge_governance::Origin;
use pallet_edge_services::Call as Services;
use pallet_edge_traits::HostKeccak;
use selvedge_primitives_math::{price::charge, RangeProof, TreeKind, UsageTrees};
use selvedge_primitives_types::{
    DeviceId, EntryKey, Epoch, Leaf, LeafBody, ServiceId, Slice, Usage, UsageClass,
};
use selvedge_runtime::{
    constants::currency::SEL, presets::PRICES, Runtime, RuntimeCall, UncheckedExtrinsic,
};
use sp_keyring::Sr25519Keyring::{self, Ferdie};

/// Who pays.
pub const CUSTOMER: Sr25519Keyring = Ferdie;
/// Operates the first gateway and the second cache.
pub const OPERATOR: Sr25519Keyring = Sr25519Keyring::Bob;
/// Has nothing to do with any of it.
pub const STRANGER: Sr25519Keyring = Sr25519Keyring::Eve;

/// Position of the first gateway among the devices.
pub const GATEWAY: usize = 4;
/// Position of the first cache, which another operates.
pub const CACHE: usize = 6;
/// Position of a gateway that is not registered.
pub const SPARE: usize = 8;

/// A chain, with the keys of its devices.
pub struct Scene<'a> {
    /// The chain.
    pub chain: &'a mut Chain,
    /// The devices.
    pub nodes: Vec<Node>,
}

impl<'a> Scene<'a> {
    /// The scene of the first block.
    pub fn new(chain: &'a mut Chain) -> Self {
        Self {
            chain,
            nodes: nodes(),
        }
    }

    /// Has a call of an account done.
    pub fn send(&mut self, signer: Sr25519Keyring, call: impl Into<RuntimeCall>) {
        assert_ok!(self.chain.send(signer, call));
    }

    /// Has a call done that an agent brings.
    pub fn bring(&mut self, call: impl Into<RuntimeCall>) {
        let outcome = self.chain.block([brought(call)]).remove(0);
        assert_ok!(outcome.expect("it is let in"));
    }

    /// Goes on to an epoch, up to a quarter of it.
    pub fn at(&mut self, epoch: u64, quarters: u64) {
        self.chain.leap_to(epoch, quarters);
    }

    /// A device.
    pub fn node(&self, place: usize) -> &Node {
        &self.nodes[place]
    }

    /// A device's id.
    pub fn id(&self, place: usize) -> DeviceId {
        self.nodes[place].id()
    }

    /// The customer deposits enough for some services.
    pub fn deposit(&mut self) {
        let amount = 300 * SEL;
        self.send(CUSTOMER, Billing::deposit { amount });
    }

    /// The customer has a service, and the name of one that is not proven yet.
    pub fn service(&mut self) -> ServiceId {
        self.deposit();
        self.another("one.localhost")
    }

    /// The customer has another service.
    pub fn another(&mut self, host: &str) -> ServiceId {
        let service = pallet_edge_services::NextId::<Runtime>::get();
        self.send(CUSTOMER, create(&[host]));
        service
    }

    /// The usage of the first gateway in epoch 0: two services, by a cache and by none.
    pub fn trees(&mut self) -> UsageTrees {
        self.deposit();
        let services = [self.another("one.localhost"), self.another("two.localhost")];
        let paid = Usage::ZERO.with(UsageClass::Requests, 1_000);
        let leaf = |service: ServiceId, cache: DeviceId| {
            let body = LeafBody {
                gateway: self.id(GATEWAY),
                epoch: Epoch(0),
                customer: named(&CUSTOMER.to_account_id()),
                service,
                cache,
                slice: Slice(0),
                price_version: 1,
                paid,
                amount: charge(&paid, &PRICES).expect("it fits"),
                ..Default::default()
            };
            Leaf {
                body,
                ..Default::default()
            }
        };
        let caches = [self.id(CACHE), DeviceId::default()];
        let leaves = services.map(|service| caches.map(|cache| leaf(service, cache)));
        UsageTrees::build::<HostKeccak>(leaves.concat()).expect("honest leaves")
    }

    /// What the first gateway's agent signs for its usage.
    pub fn commitment(&self, trees: &UsageTrees) -> Billing<Runtime> {
        let commitment = trees.commitment(self.id(GATEWAY), Epoch(0));
        Billing::commit_usage {
            agent_signature: self
                .node(GATEWAY)
                .sign_as_agent(&commit_payload(&commitment)),
            commitment: commitment.into(),
        }
    }

    /// Usage that is committed to, at the begin of epoch 1.
    pub fn committed(&mut self) -> UsageTrees {
        let trees = self.trees();
        self.at(1, 0);
        let commit = self.commitment(&trees);
        self.bring(commit);
        trees
    }

    /// Usage that is charged, in epoch 1.
    pub fn settled(&mut self) -> UsageTrees {
        let trees = self.committed();
        self.at(1, 2);
        let settle = self.settle(&trees, 0, 2);
        self.send(STRANGER, settle);
        trees
    }

    /// Usage that is paid, in epoch 9: so little is audited by nobody, and held back twice as long.
    pub fn credited(&mut self) -> UsageTrees {
        let trees = self.settled();
        let credit = || self.credit(&trees, 0, 2);
        let (shown, paid) = (credit(), credit());
        self.send(STRANGER, shown);
        self.at(9, 0);
        self.send(STRANGER, paid);
        trees
    }

    /// Usage that was charged and is void.
    pub fn voided(&mut self) -> UsageTrees {
        let trees = self.settled();
        let (gateway, epoch) = (self.id(GATEWAY), Epoch(0));
        let reason = VoidReason::Ruled;
        let origin = Origin::Brake.into();
        let voided = pallet_edge_billing::Pallet::<Runtime>::void(origin, gateway, epoch, reason);
        assert_ok!(voided);
        trees
    }

    fn page(&self, trees: &UsageTrees, kind: TreeKind, start: u32, length: u32) -> Paged {
        let entries = trees.entries(kind)[start as usize..][..length as usize].to_vec();
        let entries = Page::try_from(entries).expect("they are few");
        (
            entries,
            trees.prove_entries::<HostKeccak>(kind, start, length),
        )
    }

    /// A page of customer entries, to be charged.
    pub fn settle(&self, trees: &UsageTrees, start: u32, length: u32) -> Billing<Runtime> {
        let (entries, proof) = self.page(trees, TreeKind::Customers, start, length);
        Billing::settle {
            gateway: self.id(GATEWAY),
            epoch: Epoch(0),
            entries,
            proof,
            agent_signature: None,
        }
    }

    /// A page of cache entries, to be shown or paid.
    pub fn credit(&self, trees: &UsageTrees, start: u32, length: u32) -> Billing<Runtime> {
        let (entries, proof) = self.page(trees, TreeKind::Caches, start, length);
        Billing::credit {
            gateway: self.id(GATEWAY),
            epoch: Epoch(0),
            entries,
            proof,
            agent_signature: None,
        }
    }

    /// A page of customer entries, to be given back.
    pub fn refund(&self, trees: &UsageTrees, start: u32, length: u32) -> Billing<Runtime> {
        let (entries, proof) = self.page(trees, TreeKind::Customers, start, length);
        Billing::refund {
            gateway: self.id(GATEWAY),
            epoch: Epoch(0),
            entries,
            proof,
            agent_signature: None,
        }
    }
}

type Paged = (Page, RangeProof<EntryKey>);

/// A service of 10 SEL an epoch.
pub fn create(hosts: &[&str]) -> Services<Runtime> {
    Services::create_service {
        hosts: hosts.iter().map(|host| host.as_bytes().to_vec()).collect(),
        origin_url: b"http://127.0.0.1:8000".to_vec(),
        cap: 10 * SEL,
        price_version: 1,
    }
}

/// A transaction without an account.
pub fn brought(call: impl Into<RuntimeCall>) -> UncheckedExtrinsic {
    <Runtime as CreateAuthorizedTransaction<RuntimeCall>>::create_authorized_transaction(
        call.into(),
    )
}

/// A transaction of an account.
pub fn signed(signer: Sr25519Keyring, call: RuntimeCall) -> UncheckedExtrinsic {
    let signer = Signer::Person(signer);
    signed_by(&signer.account(), call, |message| signer.sign(message))
}
