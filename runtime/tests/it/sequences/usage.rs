//! What agents commit to, and how it is charged, paid and given back: honest usage and every kind of
//! lie that the chain can see, in pages of any size, from anybody.

use super::{
    acts::{does, Kind},
    cast::{Node, Signer},
    money::anybody,
    plan::Dice,
    world::World,
};
use crate::chain::hold_back;
use pallet_edge_billing::{
    agent::{commit_payload, page_payload, Walk},
    types::{Page, Status},
    Call,
};
use pallet_edge_traits::{
    DeviceInspect, EpochClock, HostKeccak, Job, ServiceInspect, Settlement, StakeInspect,
};
use selvedge_primitives_math::{price::charge, TreeKind, UsageTrees};
use selvedge_primitives_types::{
    Account, DeviceId, Entry, Epoch, Leaf, LeafBody, Planck, Prices, Role, ServiceId, Signature64,
    Slice, Usage, UsageClass, UsageCommitment,
};
use selvedge_runtime::{
    constants::currency::SEL, Balances, Billing, NodeRegistry, NodeStaking, Runtime, Services,
    UsageClock,
};

pub const ACTS: &[Kind] = &[
    does("commit usage", 10, commit),
    does("do what is due", 12, work),
    does("bring a page", 14, bring),
];

/// A commitment that the chain took, with what stands behind it.
pub struct Claim {
    /// Who committed.
    pub gateway: DeviceId,
    /// The epoch served in.
    pub epoch: Epoch,
    /// What was committed to.
    pub trees: UsageTrees,
}

/// What a commitment is false about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    /// Nothing.
    None,
    /// Usage beyond the lease.
    OverLease,
    /// An amount that is a planck too high.
    TooDear,
    /// An amount that is too low for its leaves.
    TooCheap,
    /// A service that does not exist.
    UnknownService,
    /// A payer who does not own the service.
    WrongCustomer,
    /// A cache that is none.
    UnknownCache,
    /// Services that the gateway has no lease for.
    WithoutLease,
    /// Totals that contradict each other.
    TotalsDiffer,
    /// No entries.
    NoEntries,
    /// More entries than there are.
    MoreEntries,
}

/// Every lie, and the truth as often as all of them.
const LIES: [Lie; 20] = [
    Lie::None,
    Lie::None,
    Lie::None,
    Lie::None,
    Lie::None,
    Lie::None,
    Lie::None,
    Lie::None,
    Lie::None,
    Lie::None,
    Lie::OverLease,
    Lie::TooDear,
    Lie::TooCheap,
    Lie::UnknownService,
    Lie::WrongCustomer,
    Lie::UnknownCache,
    Lie::WithoutLease,
    Lie::TotalsDiffer,
    Lie::NoEntries,
    Lie::MoreEntries,
];

/// Services that usage is made up for, at most.
const SERVICES: u64 = 24;

/// Usage that costs about so much.
fn usage(target: Planck, prices: &Prices) -> Option<(Usage, Planck)> {
    let price = Planck::from(prices.of(UsageClass::Requests)).max(1);
    let requests = (target << Prices::FRACTION_BITS) / price;
    let requests = u64::try_from(requests).unwrap_or(u64::MAX / 64);
    let usage = Usage::ZERO.with(UsageClass::Requests, requests);
    charge(&usage, prices).ok().map(|amount| (usage, amount))
}

/// The leaves of a gateway's epoch.
fn leaves(
    world: &World<'_>,
    gateway: DeviceId,
    epoch: Epoch,
    lie: Lie,
    dice: &mut Dice,
) -> Vec<Leaf> {
    let active = |node: &&Node| NodeStaking::is_active(&node.id(), Role::Cache, epoch);
    let mut caches: Vec<_> = world.nodes.iter().filter(active).map(Node::id).collect();
    caches.push(DeviceId::default());
    let next = pallet_edge_services::NextId::<Runtime>::get().0;
    let mut leaves = Vec::new();
    for service in (0..next.min(SERVICES)).map(ServiceId) {
        let Some(terms) = Services::terms_at(service, epoch) else {
            continue;
        };
        let lease = match Billing::lease_of(service, &gateway, epoch) {
            0 if lie == Lie::WithoutLease => SEL / 10,
            0 => continue,
            lease => lease.min(1_000 * SEL),
        };
        let Some(prices) = Services::prices(terms.price_version) else {
            continue;
        };
        let target = match (lie, dice.below(4)) {
            (Lie::OverLease, _) => lease * 3,
            (_, 0) => 0,
            (_, 1) => lease,
            _ => lease / 100 * Planck::from(dice.below(100)),
        };
        let parts = 1 + dice.below(4);
        for part in 0..parts {
            let Some((paid, amount)) = usage(target / Planck::from(parts), &prices) else {
                continue;
            };
            let body = LeafBody {
                gateway,
                epoch,
                customer: Account(terms.owner.clone().into()),
                service,
                cache: *dice.of_all(&caches),
                slice: Slice(part as u16),
                price_version: terms.price_version,
                paid,
                amount,
                ..Default::default()
            };
            leaves.push(Leaf {
                body,
                ..Default::default()
            });
        }
    }
    if let Some(leaf) = leaves.last_mut() {
        let body = &mut leaf.body;
        match lie {
            Lie::TooDear => body.amount += 1,
            Lie::TooCheap => body.amount = body.amount.saturating_sub(10),
            Lie::UnknownService => body.service = ServiceId(u64::MAX),
            Lie::WrongCustomer => body.customer = Account([0x55; 32]),
            Lie::UnknownCache => body.cache = DeviceId([0x66; 32]),
            _ => {}
        }
    }
    leaves
}

fn stated(mut commitment: UsageCommitment, lie: Lie) -> UsageCommitment {
    match lie {
        Lie::TotalsDiffer => commitment.caches.sum.amount += 1,
        Lie::NoEntries => commitment.customers.entries = 0,
        Lie::MoreEntries => commitment.customers.entries += 1,
        _ => {}
    }
    commitment
}

/// The device whose agent may sign for a gateway: the one whose key is registered for it.
pub fn agent_of<'a>(world: &'a World<'_>, gateway: &DeviceId) -> Option<&'a Node> {
    let key = NodeRegistry::device(gateway)?.agent_key;
    world.nodes.iter().find(|node| node.agent_key() == key)
}

fn gateway(world: &World<'_>, dice: &mut Dice) -> DeviceId {
    let is_gateway = |node: &&Node| node.role == Role::Gateway;
    let gateways: Vec<_> = world.nodes.iter().filter(is_gateway).collect();
    if dice.one_in(16) {
        world.any_node(dice).id()
    } else {
        dice.of_all(&gateways).id()
    }
}

fn commit(world: &mut World<'_>, dice: &mut Dice) {
    let gateway = gateway(world, dice);
    let back = *dice.of_all(&[1, 1, 1, 1, 1, 0, 2, 3, 4, 5]);
    let lie = *dice.of_all(&LIES);
    commit_to(world, gateway, UsageClock::current().minus(back), lie, dice);
}

fn commit_to(world: &mut World<'_>, gateway: DeviceId, epoch: Epoch, lie: Lie, dice: &mut Dice) {
    let leaves = leaves(world, gateway, epoch, lie, dice);
    commit_as(world, gateway, epoch, leaves, lie, dice);
}

/// The leaves of a gateway's epoch, the last of which is a planck too dear, and that one.
pub fn with_one_too_dear(
    world: &World<'_>,
    gateway: DeviceId,
    epoch: Epoch,
    dice: &mut Dice,
) -> Option<(Vec<Leaf>, Leaf)> {
    let leaves = leaves(world, gateway, epoch, Lie::TooDear, dice);
    let last = *leaves.last()?;
    Some((leaves, last))
}

/// Commits to leaves as they are.
pub fn commit_leaves(
    world: &mut World<'_>,
    gateway: DeviceId,
    epoch: Epoch,
    leaves: Vec<Leaf>,
    dice: &mut Dice,
) {
    commit_as(world, gateway, epoch, leaves, Lie::None, dice);
}

fn commit_as(
    world: &mut World<'_>,
    gateway: DeviceId,
    epoch: Epoch,
    leaves: Vec<Leaf>,
    lie: Lie,
    dice: &mut Dice,
) {
    let Ok(trees) = UsageTrees::build::<HostKeccak>(leaves) else {
        return;
    };
    let commitment = stated(trees.commitment(gateway, epoch), lie);
    let payload = commit_payload(&commitment);
    let signer = match agent_of(world, &gateway) {
        Some(agent) if !dice.one_in(12) => agent,
        _ => world.any_node(dice),
    };
    let call = Call::commit_usage {
        commitment: commitment.into(),
        agent_signature: signer.sign_as_agent(&payload),
    };
    let was_known = Billing::commitment(&gateway, epoch).is_some();
    if dice.one_in(24) {
        return world.submit(anybody(dice), call);
    }
    world.bring(call);
    if !was_known && Billing::commitment(&gateway, epoch).is_some() {
        world.claims.push(Claim {
            gateway,
            epoch,
            trees,
        });
    }
}

/// An honest agent does all that it is told.
fn work(world: &mut World<'_>, dice: &mut Dice) {
    let gateway = gateway(world, dice);
    for job in Billing::jobs(&gateway, 8) {
        let (walk, epoch) = match job {
            Job::Commit(epoch) => {
                commit_to(world, gateway, epoch, Lie::None, dice);
                continue;
            }
            Job::Settle(epoch, _) => (Walk::Settle, epoch),
            Job::Credit(epoch, _) => (Walk::Credit, epoch),
            Job::Refund(epoch, _) => (Walk::Refund, epoch),
        };
        let mine = |claim: &Claim| claim.gateway == gateway && claim.epoch == epoch;
        if let Some(place) = world.claims.iter().position(mine) {
            let cursor = cursor(&world.claims[place], walk);
            bring_page(world, place, walk, cursor, 64, Bringer::Agent, false);
        }
    }
}

/// Who brings a page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bringer {
    Agent,
    WrongAgent,
    Nobody,
    Anybody(Signer),
}

/// Where a walk of a commitment stands.
fn cursor(claim: &Claim, walk: Walk) -> u32 {
    let record = Billing::commitment(&claim.gateway, claim.epoch);
    match (walk, record.map(|record| record.status)) {
        (Walk::Settle, Some(Status::Settling(cursor)))
        | (Walk::Credit, Some(Status::Crediting(cursor)))
        | (Walk::Refund, Some(Status::Refunding(cursor))) => cursor,
        (Walk::Credit, Some(Status::HeldBack { checked, .. }))
            if (checked as usize) < claim.trees.entries(TreeKind::Caches).len() =>
        {
            checked
        }
        _ => 0,
    }
}

/// The step that a commitment waits for.
fn next_walk(claim: &Claim) -> Option<Walk> {
    match Billing::commitment(&claim.gateway, claim.epoch)?.status {
        Status::Pending | Status::Settling(_) => Some(Walk::Settle),
        Status::HeldBack { .. } | Status::Crediting(_) => Some(Walk::Credit),
        Status::Refunding(_) => Some(Walk::Refund),
        Status::Credited | Status::Void => None,
    }
}

/// A page of some commitment: mostly the next one of a recent one, from its agent.
fn bring(world: &mut World<'_>, dice: &mut Dice) {
    if world.claims.is_empty() {
        return;
    }
    let count = world.claims.len() as u64;
    let recent = dice.below(count.min(8));
    let place = (count - 1 - recent) as usize;
    let claim = &world.claims[place];
    let walk = match next_walk(claim) {
        Some(walk) if !dice.one_in(5) => walk,
        _ => *dice.of_all(&[Walk::Settle, Walk::Credit, Walk::Refund]),
    };
    let cursor = match dice.below(6) {
        0 => dice.below(5) as u32,
        _ => cursor(claim, walk),
    };
    let length = *dice.of_all(&[1, 1, 2, 3, 64, 64]);
    let bringer = match dice.below(8) {
        0 => Bringer::WrongAgent,
        1 => Bringer::Nobody,
        2..5 => Bringer::Anybody(anybody(dice)),
        _ => Bringer::Agent,
    };
    let is_false = dice.one_in(10);
    bring_page(world, place, walk, cursor, length, bringer, is_false);
}

fn bring_page(
    world: &mut World<'_>,
    place: usize,
    walk: Walk,
    cursor: u32,
    length: u32,
    bringer: Bringer,
    is_false: bool,
) {
    let claim = &world.claims[place];
    let kind = match walk {
        Walk::Settle | Walk::Refund => TreeKind::Customers,
        Walk::Credit => TreeKind::Caches,
    };
    let all = claim.trees.entries(kind);
    let start = cursor.min(all.len() as u32 - 1);
    let length = length.min(all.len() as u32 - start);
    let proof = claim.trees.prove_entries::<HostKeccak>(kind, start, length);
    let mut entries: Vec<Entry> = all[start as usize..(start + length) as usize].to_vec();
    if is_false {
        entries[0].sum.amount += 1;
    }
    let (gateway, epoch) = (claim.gateway, claim.epoch);
    let payload = page_payload(walk, gateway, epoch, &entries, &proof);
    let agent = agent_of(world, &gateway);
    let agent_signature = match bringer {
        Bringer::Agent => agent.map(|agent| agent.sign_as_agent(&payload)),
        Bringer::WrongAgent => Some(Signature64([1; 64])),
        Bringer::Nobody | Bringer::Anybody(_) => None,
    };
    let entries = Page::try_from(entries).expect("a page is at most 64 entries");
    let call: Call<Runtime> = match walk {
        Walk::Settle => Call::settle {
            gateway,
            epoch,
            entries,
            proof,
            agent_signature,
        },
        Walk::Credit => Call::credit {
            gateway,
            epoch,
            entries,
            proof,
            agent_signature,
        },
        Walk::Refund => Call::refund {
            gateway,
            epoch,
            entries,
            proof,
            agent_signature,
        },
    };
    match bringer {
        Bringer::Anybody(signer) => world.submit(signer, call),
        _ => world.bring(call),
    }
}

/// Brings every commitment to its end: nothing that happened before keeps one from being charged,
/// paid, voided or given back in time, as long as somebody asks for it.
pub fn finish(world: &mut World<'_>) {
    let by = Bringer::Anybody(richest());
    // What nobody audits is held back twice as long, and waits for two epochs more where a line of it is disputed.
    let longest = 2 * Billing::unsettled_epochs() + 2 * hold_back() + 3;
    let last = UsageClock::current().plus(longest);
    loop {
        let mut waiting = 0;
        for place in 0..world.claims.len() {
            waiting += u32::from(!go_on(world, place, by));
        }
        if waiting == 0 {
            break;
        }
        assert!(
            UsageClock::current() < last,
            "{waiting} commitments are stuck"
        );
        world.end_epoch();
    }
    world.close();
    let books = pallet_edge_billing::RunningTotals::<Runtime>::get().books;
    assert_eq!(books.escrow, 0, "every commitment has ended");
}

/// Takes every step of a commitment that can be taken now; whether it has ended.
fn go_on(world: &mut World<'_>, place: usize, by: Bringer) -> bool {
    let (gateway, epoch) = (world.claims[place].gateway, world.claims[place].epoch);
    let record = || Billing::commitment(&gateway, epoch);
    while let Some(walk) = next_walk(&world.claims[place]) {
        let before = record();
        let cursor = cursor(&world.claims[place], walk);
        bring_page(world, place, walk, cursor, 64, by, false);
        if record() == before {
            // The block in which a session begins has no room: there is another behind it.
            world.skip(0);
            bring_page(world, place, walk, cursor, 64, by, false);
        }
        if record() == before {
            return false;
        }
    }
    true
}

/// Who can pay the fees.
fn richest() -> Signer {
    let free = |signer: &Signer| Balances::free_balance(signer.account());
    Signer::all().max_by_key(free).expect("there is somebody")
}
