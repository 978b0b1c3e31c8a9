//! A life of the network, from staked nodes to paid ones, with transactions as they come from
//! wallets and agents.

use crate::{
    auditors,
    chain::{account, hold_back, run, validate, Chain, Device},
};
use frame_support::{assert_ok, traits::fungible::InspectHold};
use pallet_edge_billing::{types::Status, Call as BillingCall, HoldReason};
use pallet_edge_driver::{EntryPage, SubmitUsage};
use pallet_edge_registry::{Address, Call as RegistryCall};
use pallet_edge_services::Call as ServicesCall;
use pallet_edge_staking::Call as StakingCall;
use pallet_edge_traits::{DeviceInspect, EpochClock, HostKeccak, Job, Settlement, StakeInspect};
use selvedge_primitives_math::{price::charge, TreeKind, UsageTrees};
use selvedge_primitives_runtime_api::CommitmentStatus;
use selvedge_primitives_types::{
    signing::{AssignStakePayload, RegisterDevicePayload},
    Domain, Epoch, Leaf, LeafBody, Planck, Region, Role, ServiceId, Slice, StakeId, Usage,
    UsageClass,
};
use selvedge_runtime::{
    configs::driver::Submitter, constants::currency::SEL, presets::PRICES, views, Balances,
    Billing, NodeRegistry, NodeStaking, Runtime, UsageClock,
};
use sp_keyring::Sr25519Keyring;
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};

/// Who pays.
pub const CUSTOMER: Sr25519Keyring = Sr25519Keyring::Ferdie;
/// Who runs the gateway.
pub const GATEWAY_OWNER: Sr25519Keyring = Sr25519Keyring::Eve;
/// Who runs the caches.
pub const CACHE_OWNERS: [Sr25519Keyring; 2] = [Sr25519Keyring::Bob, Sr25519Keyring::Charlie];
const CAP: Planck = 10 * SEL;
/// What is served.
pub const SERVICE: ServiceId = ServiceId(0);
/// Served in 1, committed in 2, voted on in 3.
pub const ACCEPTED: u64 = 4;

/// A gateway and two caches that are active from epoch 1 on, and a funded service.
pub struct Network {
    /// The gateway.
    pub gateway: Device,
    caches: [Device; 2],
}

impl Network {
    /// Lets them join, up to the begin of epoch 1.
    pub fn start(chain: &mut Chain) -> Self {
        let gateway = Device::new(1);
        let caches = [Device::new(2), Device::new(3)];
        join(chain, &gateway, GATEWAY_OWNER, Role::Gateway);
        for (cache, owner) in caches.iter().zip(CACHE_OWNERS) {
            join(chain, cache, owner, Role::Cache);
        }
        assert_ok!(chain.send(CUSTOMER, BillingCall::deposit { amount: 200 * SEL }));
        let create = ServicesCall::create_service {
            hosts: vec![b"docs.localhost".to_vec()],
            origin_url: b"http://127.0.0.1:8000".to_vec(),
            cap: CAP,
            price_version: 1,
        };
        assert_ok!(chain.send(CUSTOMER, create));
        chain.run_to(1, 0);
        Self { gateway, caches }
    }

    /// A cache.
    pub fn cache(&self, number: usize) -> &Device {
        &self.caches[number]
    }

    /// The agent commits its use of epoch 1, and a block takes it.
    pub fn commit(&self, chain: &mut Chain, trees: &UsageTrees) {
        let commitment = trees.commitment(self.gateway.id(), Epoch(1));
        Submitter::commit(&self.gateway.agent_key, commitment).expect("the pool takes it");
        chain.apply_submitted();
    }

    /// The validators look at what was committed for epoch 1, and pass it: it may be charged from epoch
    /// [`ACCEPTED`] on.
    pub fn pass(&self, chain: &mut Chain) {
        auditors::pass(chain, &self.gateway, &auditors::ALL);
        chain.run_to(ACCEPTED, 0);
        // The first block of an epoch may be the first of a session too, which has no room to decide.
        chain.blocks(2);
    }

    /// The agent has all customers of epoch 1 charged.
    pub fn settle(&self, chain: &mut Chain, trees: &UsageTrees) {
        let page = page(trees, TreeKind::Customers);
        Submitter::settle(&self.gateway.agent_key, self.gateway.id(), Epoch(1), page)
            .expect("the pool takes it");
        chain.apply_submitted();
    }

    /// The agent shows all caches of epoch 1, or has them paid.
    pub fn credit(&self, chain: &mut Chain, trees: &UsageTrees) {
        let page = page(trees, TreeKind::Caches);
        Submitter::credit(&self.gateway.agent_key, self.gateway.id(), Epoch(1), page)
            .expect("the pool takes it");
        chain.apply_submitted();
    }

    /// Both usage trees of an epoch: each cache supplied some, and some could not be cached.
    pub fn trees(&self, epoch: u64, requests: u64) -> UsageTrees {
        self.trees_with(epoch, requests, |_| ())
    }

    /// As [`trees`](Self::trees), with each leaf's body changed before its cache signs it.
    pub fn trees_with(
        &self,
        epoch: u64,
        requests: u64,
        change: impl Fn(&mut LeafBody),
    ) -> UsageTrees {
        let caches = [self.caches[0].id(), self.caches[1].id(), Default::default()];
        let leaf = |index: usize| {
            let paid = Usage::ZERO
                .with(UsageClass::Requests, requests)
                .with(UsageClass::EgressBytes, requests * 12_345)
                .with(UsageClass::OriginBytes, 777);
            let mut body = LeafBody {
                gateway: self.gateway.id(),
                epoch: Epoch(epoch),
                customer: account(CUSTOMER),
                service: SERVICE,
                cache: caches[index % 3],
                slice: Slice(index as u16),
                price_version: 1,
                paid,
                amount: charge(&paid, &PRICES).expect("it fits"),
                ..Default::default()
            };
            change(&mut body);
            let mut leaf = Leaf {
                body,
                ..Default::default()
            };
            if let Some(cache) = self.caches.get(index % 3) {
                leaf.cache_signature = cache.sign(Domain::Leaf, &leaf.body);
            }
            leaf
        };
        UsageTrees::build::<HostKeccak>((0..12).map(leaf).collect()).expect("honest leaves")
    }
}

/// Registers a device of `owner`, stakes for it and assigns the stake, which it returns.
pub fn join(chain: &mut Chain, device: &Device, owner: Sr25519Keyring, role: Role) -> StakeId {
    assert_ok!(chain.send(owner, register(device, owner, role)));
    let stake = pallet_edge_staking::NextStake::<Runtime>::get();
    assert_ok!(chain.send(owner, StakingCall::create_stake { role }));
    assert_ok!(chain.send(owner, assign(device, owner, stake)));
    stake
}

/// The registration that a device agrees to now.
pub fn register(device: &Device, owner: Sr25519Keyring, role: Role) -> RegistryCall<Runtime> {
    let agent_key = device.agent_key;
    let until = UsageClock::current().next();
    let payload = RegisterDevicePayload {
        operator: account(owner),
        device: device.id(),
        agent_key,
        until,
    };
    RegistryCall::register_device {
        device: device.id(),
        role,
        region: Region::parse("eu-west").expect("it is a region"),
        endpoint: text("127.0.0.1:9000"),
        public_url: text("http://127.0.0.1:9001"),
        capacity: 1,
        agent_key,
        until,
        signature: device.sign(Domain::RegisterDevice, &payload),
    }
}

/// The assignment of a stake that a device agrees to now.
pub fn assign(device: &Device, owner: Sr25519Keyring, stake: StakeId) -> StakingCall<Runtime> {
    let device_id = device.id();
    let entry = pallet_edge_staking::Stakes::<Runtime>::get(stake);
    let payload = AssignStakePayload {
        stake,
        owner: account(owner),
        device: device_id,
        nonce: entry.map_or(0, |entry| entry.assignments),
    };
    let signature = device.sign(Domain::AssignStake, &payload);
    StakingCall::assign {
        stake,
        device: device_id,
        signature,
    }
}

fn text(text: &str) -> Address {
    text.as_bytes().to_vec().try_into().expect("it is short")
}

/// All entries of a tree as one page.
pub fn page(trees: &UsageTrees, kind: TreeKind) -> EntryPage {
    let entries = trees.entries(kind).to_vec();
    let proof = trees.prove_entries::<HostKeccak>(kind, 0, entries.len() as u32);
    (entries, proof)
}

/// How far the gateway's commitment is.
pub fn status(network: &Network, epoch: u64) -> Option<CommitmentStatus> {
    views::commitment(network.gateway.id(), Epoch(epoch)).map(|(_, status)| status)
}

/// What the customer has on deposit.
pub fn prepaid() -> Planck {
    Balances::balance_on_hold(&HoldReason::Prepaid.into(), &CUSTOMER.to_account_id())
}

/// Genesis, stakes, service, commitment, settlement, credit, claim: the books balance to the unit,
/// and every figure a wallet reads agrees with them.
#[test]
fn usage_is_charged_to_the_byte_and_paid_out() {
    run("local_testnet", |chain| {
        let network = Network::start(chain);
        let gateway = network.gateway.id();
        assert!(NodeStaking::is_active(&gateway, Role::Gateway, Epoch(1)));
        let trees = network.trees(1, 1_000);
        let commitment = trees.commitment(gateway, Epoch(1));
        let amount = commitment.customers.sum.amount;
        assert!(amount > 0 && amount < CAP);

        // Served in epoch 1, committed at the begin of 2 by the agent's key, for free.
        chain.run_to(2, 0);
        assert_eq!(Billing::jobs(&gateway, 4)[0], Job::Commit(Epoch(1)));
        network.commit(chain, &trees);
        assert_eq!(status(&network, 1), Some(CommitmentStatus::Pending));

        // Charged once auditors have passed it.
        chain.run_to(2, 2);
        assert!(!Billing::jobs(&gateway, 4).contains(&Job::Settle(Epoch(1), 0)));
        network.pass(chain);
        let before = prepaid();
        assert!(Billing::jobs(&gateway, 4).contains(&Job::Settle(Epoch(1), 0)));
        network.settle(chain, &trees);
        assert_eq!(status(&network, 1), Some(CommitmentStatus::HeldBack));
        assert_eq!(before - prepaid(), amount);

        let head = views::invoice_head(account(CUSTOMER), Epoch(1)).expect("the epoch ended");
        assert_eq!(head.lines.len(), 1);
        let line = &head.lines[0];
        assert_eq!(
            (line.service, line.gateway, line.amount),
            (SERVICE, gateway, amount)
        );
        assert_eq!(line.paid.of(UsageClass::Requests), 12_000);
        assert_eq!(line.paid.of(UsageClass::EgressBytes), 12_000 * 12_345);
        assert_eq!(line.commitment, commitment);
        assert_eq!(line.proof_url, b"http://127.0.0.1:9001");
        assert_eq!(head.prices.len(), 1);
        assert!(head.complete);

        // Shown, held back, and paid.
        network.credit(chain, &trees);
        assert_eq!(status(&network, 1), Some(CommitmentStatus::HeldBack));
        chain.run_to(ACCEPTED + hold_back(), 0);
        assert!(Billing::jobs(&gateway, 4).contains(&Job::Credit(Epoch(1), 0)));
        network.credit(chain, &trees);
        assert_eq!(status(&network, 1), Some(CommitmentStatus::Credited));

        let books = pallet_edge_billing::RunningTotals::<Runtime>::get().books;
        assert_eq!(
            (books.charged, books.escrow, books.refunded),
            (amount, 0, 0)
        );
        assert_eq!(books.shares.total(), Some(amount));
        assert!(books.shares.caches > books.shares.gateways);

        let mut claimed = 0;
        for owner in [GATEWAY_OWNER, CACHE_OWNERS[0], CACHE_OWNERS[1]] {
            let earned = views::earnings(account(owner));
            assert!(earned.usage_payable > 0, "{owner}");
            let before = Balances::free_balance(owner.to_account_id());
            assert_ok!(chain.send(
                CUSTOMER,
                BillingCall::claim_for {
                    account: owner.to_account_id()
                }
            ));
            let paid = Balances::free_balance(owner.to_account_id()) - before;
            assert_eq!(paid, earned.usage_payable);
            claimed += paid;
        }
        // Both caches' owners are auditors too.
        let as_auditors = books.shares.auditors / 4 * 2;
        assert_eq!(
            claimed,
            books.shares.caches + books.shares.gateways + as_auditors
        );

        // A hundredth is the auditors', but for what a division by four leaves on each leaf's page.
        let fee = books.shares.auditors;
        assert!(
            fee > 0 && fee <= amount / 100 && fee >= amount / 100 - 10,
            "{fee}"
        );
        for key in auditors::ALL {
            let own = views::earnings(account(key)).usage_payable;
            let cache = CACHE_OWNERS.contains(&key);
            assert!(own == fee / 4 || cache && own > fee / 4, "{key}");
        }

        // The era's close scores and pays the nodes that the charge matured on.
        chain.run_to(16, 2);
        let node = views::node(gateway).expect("it is registered");
        assert!(node.active && node.score.is_some());
        let matured: Planck = node.eras.iter().map(|era| era.matured).sum();
        assert_eq!(matured, amount);
        assert!(views::earnings(account(GATEWAY_OWNER)).yield_payable > 0);
        let claim = pallet_edge_yields::Call::claim {};
        assert_ok!(chain.send(GATEWAY_OWNER, claim));
    });
}

/// What an agent sends twice, or for what is not there, is kept out of the pool.
#[test]
fn an_agent_cannot_send_what_does_nothing() {
    run("local_testnet", |chain| {
        let network = Network::start(chain);
        let (gateway, key) = (network.gateway.id(), network.gateway.agent_key);
        let trees = network.trees(1, 10);
        let commit = |chain: &mut Chain| {
            Submitter::commit(&key, trees.commitment(gateway, Epoch(1))).expect("it is signed");
            chain.submitted().remove(0)
        };
        let refused = |reason| Err(TransactionValidityError::Invalid(reason));
        let early = commit(chain);
        assert_eq!(validate(early), refused(InvalidTransaction::Future));
        chain.run_to(2, 0);
        let good = commit(chain);
        assert_eq!(validate(good.clone()), Ok(()));
        assert_ok!(chain.block([good.clone()]).remove(0).expect("it is valid"));
        assert_eq!(validate(good), refused(InvalidTransaction::Stale));

        // Another gateway's key, or none of the node's.
        let other = network
            .trees(1, 11)
            .commitment(network.caches[0].id(), Epoch(1));
        Submitter::commit(&key, other).expect("it is signed");
        let other = chain.submitted().remove(0);
        assert_eq!(validate(other), refused(InvalidTransaction::BadSigner));
        let unknown = Submitter::commit(&[9; 32], trees.commitment(gateway, Epoch(1)));
        assert_eq!(unknown, Err(pallet_edge_driver::SubmitError::NoKey));
    });
}

/// A claim above the gateway's lease makes the whole commitment void, and the customer keeps the
/// money.
#[test]
fn a_claim_above_the_lease_is_void() {
    run("local_testnet", |chain| {
        let network = Network::start(chain);
        let gateway = network.gateway.id();
        let trees = network.trees(1, 10_000_000);
        assert!(trees.commitment(gateway, Epoch(1)).customers.sum.amount > CAP);
        chain.run_to(2, 0);
        let before = prepaid();
        network.commit(chain, &trees);
        network.pass(chain);
        network.settle(chain, &trees);
        assert_eq!(status(&network, 1), Some(CommitmentStatus::Void));
        assert_eq!(prepaid(), before);
        assert_eq!(views::earnings(account(GATEWAY_OWNER)).usage_payable, 0);
        let record = Billing::commitment(&gateway, Epoch(1)).expect("it is kept");
        assert_eq!(record.status, Status::Void);
    });
}

/// What a device signed for an operator is of no use to it once the device has left.
#[test]
fn a_retired_device_is_not_registered_again_by_an_old_signature() {
    run("local_testnet", |chain| {
        let device = Device::new(1);
        let old = register(&device, GATEWAY_OWNER, Role::Gateway);
        assert_ok!(chain.send(GATEWAY_OWNER, old.clone()));
        let retire = || RegistryCall::retire_device {
            device: device.id(),
        };
        let stays = pallet_edge_registry::Error::<Runtime>::AgreementHolds;
        assert_eq!(chain.send(GATEWAY_OWNER, retire()), Err(stays.into()));
        let entry = pallet_edge_registry::Devices::<Runtime>::get(device.id());
        chain.run_to(entry.expect("it is registered").free_from.0, 0);
        assert_ok!(chain.send(GATEWAY_OWNER, retire()));

        let over = pallet_edge_registry::Error::<Runtime>::AgreementOver;
        assert_eq!(chain.send(GATEWAY_OWNER, old), Err(over.into()));
        assert!(NodeRegistry::device(&device.id()).is_none());
        let fresh = register(&device, CACHE_OWNERS[0], Role::Cache);
        assert_ok!(chain.send(CACHE_OWNERS[0], fresh));
    });
}
