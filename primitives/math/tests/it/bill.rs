//! The bill: what is on it, and that nothing can be changed behind it.

use crate::testkit::{build, leaf, Keccak};
use codec::{Decode, Encode};
use proptest::{prelude::*, sample::Index};
use selvedge_primitives_math::{
    bill::{check, Bill, Day, Evidence, HeadDefect, Item, ItemKind, LeafPage, Unverified},
    price::charge,
    ProofError, TreeKind, UsageTrees,
};
use selvedge_primitives_types::{
    Account, CommitmentStatus, CustomerEntryKey, DeviceId, EntryKey, Epoch, InvoiceHead,
    InvoiceLine, Leaf, Millis, PriceList, Prices, ServiceId, UsageClass,
};
use std::{collections::BTreeMap, ops::RangeInclusive};

/// Who reads the bill.
pub(crate) const CUSTOMER: Account = Account([2; 32]);
/// The epochs it is about; nothing was served in the last.
pub(crate) const EPOCHS: RangeInclusive<Epoch> = Epoch(100)..=Epoch(104);
const HOUR: u64 = 3_600_000;
/// Leaves in a page of evidence; small, so that there are several.
const PAGE: usize = 3;

pub(crate) type Shown = BTreeMap<(Epoch, ServiceId, DeviceId), Evidence>;

/// What a customer reads: heads of five epochs over midnight, two services at two gateways, a new price list on the way, a void
/// commitment, and all evidence.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) heads: Vec<InvoiceHead>,
    pub(crate) shown: Shown,
}

fn list(version: u32) -> PriceList {
    let prices = [3 << 31, (5 << 29) + u64::from(version), 7, 1 << 40, 0, 9];
    PriceList {
        version,
        prices: Prices(prices),
    }
}

/// The list that is in force in an epoch.
fn in_force(epoch: u64) -> PriceList {
    list(if epoch < 102 { 1 } else { 2 })
}

fn served(gateway: DeviceId, epoch: u64) -> UsageTrees {
    let leaves = (1u8..4).flat_map(|customer| {
        let services = 0..if customer == CUSTOMER.0[0] { 2 } else { 1 };
        services.flat_map(move |service| {
            (0u8..3).flat_map(move |cache| {
                (0u16..2).map(move |slice| leaf(customer, service, cache, slice))
            })
        })
    });
    let leaves = leaves.map(|mut leaf| {
        leaf.body.gateway = gateway;
        leaf.body.epoch = Epoch(epoch);
        leaf.body.price_version = in_force(epoch).version;
        leaf.body.paid.0[3] = u64::from(leaf.body.slice.0);
        leaf.body.amount = charge(&leaf.body.paid, &in_force(epoch).prices).unwrap();
        leaf
    });
    build(leaves.collect())
}

fn status(gateway: u8, epoch: u64) -> CommitmentStatus {
    match (gateway, epoch) {
        (2, 101) => CommitmentStatus::Void,
        (_, 100 | 101) => CommitmentStatus::Credited,
        (_, 102) => CommitmentStatus::HeldBack,
        _ => CommitmentStatus::Settling(3),
    }
}

pub(crate) fn scene() -> Scene {
    let mut shown = Shown::new();
    let heads = (100..=104).map(|epoch| {
        let mut lines = Vec::new();
        for gateway in if epoch == 104 { 1..1u8 } else { 1..3 } {
            let device = DeviceId([0xa0 + gateway; 32]);
            let trees = served(device, epoch);
            for service in [ServiceId(0), ServiceId(1)] {
                let (line, evidence) = line(&trees, device, Epoch(epoch), service);
                lines.push(InvoiceLine {
                    status: status(gateway, epoch),
                    ..line
                });
                shown.insert((Epoch(epoch), service, device), evidence);
            }
        }
        // Three hours before midnight of the 20,000th day.
        let from = Day(20_000).begin().0 - 3 * HOUR + (epoch - 100) * HOUR;
        InvoiceHead {
            customer: CUSTOMER,
            epoch: Epoch(epoch),
            from: Millis(from),
            to: Millis(from + HOUR),
            prices: if lines.is_empty() {
                Vec::new()
            } else {
                vec![in_force(epoch)]
            },
            lines,
            complete: epoch < 103,
        }
    });
    let heads = heads.collect();
    Scene { heads, shown }
}

fn line(
    trees: &UsageTrees,
    gateway: DeviceId,
    epoch: Epoch,
    service: ServiceId,
) -> (InvoiceLine, Evidence) {
    let (kind, customer) = (TreeKind::Customers, CUSTOMER);
    let entries = trees.entries(kind);
    let key = EntryKey::from(CustomerEntryKey { customer, service });
    let index = entries.iter().position(|entry| entry.key == key).unwrap();
    let entry = entries[index];
    let leaves = trees.leaves_of(kind, index);
    let pages = leaves.chunks(PAGE).enumerate().map(|(page, leaves)| {
        let (start, len) = ((page * PAGE) as u32, leaves.len() as u32);
        LeafPage {
            leaves: leaves.to_vec(),
            proof: trees.prove_leaves::<Keccak>(kind, index, start, len),
        }
    });
    let evidence = Evidence {
        entry,
        entry_proof: trees.prove_entries::<Keccak>(kind, index as u32, 1),
        pages: pages.collect(),
    };
    let line = InvoiceLine {
        service,
        gateway,
        paid: entry.sum.paid,
        free: entry.sum.free,
        amount: entry.sum.amount,
        entry: index as u32,
        proof_url: b"http://gateway.example.net:9802".to_vec(),
        commitment: trees.commitment(gateway, epoch),
        status: CommitmentStatus::HeldBack,
    };
    (line, evidence)
}

impl Scene {
    pub(crate) fn bill(&self) -> Bill {
        check::<Keccak>(CUSTOMER, EPOCHS, self.heads.clone(), |epoch, line| {
            let key = (epoch, line.service, line.gateway);
            self.shown.get(&key).cloned()
        })
        .expect("its sums fit")
    }

    /// The reason for which the first line of the first epoch is not verified after a change.
    fn reason(&self, change: impl FnOnce(&mut InvoiceHead, &mut Evidence)) -> Unverified {
        let mut scene = self.clone();
        let head = &mut scene.heads[0];
        let key = (head.epoch, head.lines[0].service, head.lines[0].gateway);
        change(head, scene.shown.get_mut(&key).unwrap());
        let bill = scene.bill();
        assert!(!bill.is_whole());
        bill.lines[0].outcome.expect_err("it was changed")
    }
}

/// `charges + rounding - refunds` of the items and what is unverified.
fn adds_up_to(bill: &Bill) -> i128 {
    let items = bill.items.iter().map(|item| match item.kind {
        ItemKind::Charge { amount, .. } => amount as i128,
        ItemKind::Free { .. } => 0,
        ItemKind::Rounding(amount) => amount,
        ItemKind::Refund(amount) => -(amount as i128),
    });
    items.sum::<i128>() + bill.totals.unverified as i128
}

#[test]
fn an_honest_month_is_verified_and_adds_up() {
    let bill = scene().bill();
    assert!(bill.is_sound() && bill.is_whole() && !bill.is_final());
    assert_eq!(bill.lines.len(), 4 * 2 * 2);
    assert!(bill.absent.is_empty() && bill.defects.is_empty());
    assert_eq!(bill.incomplete, [Epoch(103), Epoch(104)]);
    let totals = &bill.totals;
    assert_eq!(totals.unverified, 0);
    assert_eq!(totals.charged, totals.refunded + totals.due);
    assert!(totals.refunded > 0 && totals.free > 0);
    assert!(0 < totals.settled && totals.settled < totals.due);
    assert_eq!(adds_up_to(&bill), totals.due as i128);

    let days: Vec<_> = bill.items.iter().map(|item| item.day).collect();
    assert!(days.contains(&Day(19_999)) && days.contains(&Day(20_000)));
    let versions = |day: u64| -> Vec<u32> {
        let of_day = bill.items.iter().filter(|item| item.day == Day(day));
        let mut versions: Vec<_> = of_day
            .filter_map(|item| match item.kind {
                ItemKind::Charge { version, .. } => Some(version),
                _ => None,
            })
            .collect();
        versions.sort_unstable();
        versions.dedup();
        versions
    };
    assert_eq!((versions(19_999), versions(20_000)), (vec![1, 2], vec![2]));
}

#[test]
fn the_items_of_a_day_are_the_use_of_its_leaves() {
    let scene = scene();
    let bill = scene.bill();
    let leaves = scene
        .shown
        .iter()
        .filter(|((epoch, service, _), _)| epoch.0 < 102 && service.0 == 1);
    let leaves: Vec<_> = leaves.flat_map(|(_, shown)| shown.leaves()).collect();
    let requests: u64 = leaves.iter().map(|leaf| leaf.body.paid.0[0]).sum();
    let free: u64 = leaves.iter().map(|leaf| leaf.body.free.0[1]).sum();
    let has = |wanted: &dyn Fn(ItemKind) -> bool| {
        let place = |item: &&Item| (item.service, item.day) == (ServiceId(1), Day(19_999));
        bill.items
            .iter()
            .filter(place)
            .any(|item| wanted(item.kind))
    };
    assert!(has(
        &|kind| matches!(kind, ItemKind::Charge { class: UsageClass::Requests, units, version: 1, price, amount }
        if units == u128::from(requests) && price == 3 << 31 && amount == units * 3 / 2)
    ));
    assert!(has(
        &|kind| matches!(kind, ItemKind::Free { class: UsageClass::EgressBytes, units, version: 1, credit, .. }
        if units == u128::from(free) && credit > 0)
    ));
    // A leaf loses less than a planck by rounding; here some do.
    let count = leaves.len() as i128;
    assert!(has(
        &|kind| matches!(kind, ItemKind::Rounding(amount) if amount < 0 && -count < amount)
    ));
}

#[test]
fn a_line_of_a_silent_gateway_stays_with_its_reason() {
    let mut scene = scene();
    let gateway = scene.heads[2].lines[0].gateway;
    scene.shown.retain(|(_, _, shown), _| *shown != gateway);
    let bill = scene.bill();
    assert!(bill.is_sound() && !bill.is_whole());
    let silent: Vec<_> = bill
        .lines
        .iter()
        .filter(|line| line.outcome.is_err())
        .collect();
    assert_eq!(silent.len(), 8);
    for line in &silent {
        assert_eq!(
            (line.gateway, line.outcome),
            (gateway, Err(Unverified::NotShown))
        );
    }
    let amount: u128 = silent.iter().map(|line| line.amount).sum();
    assert_eq!(bill.totals.unverified, amount);
    assert_eq!(adds_up_to(&bill), bill.totals.due as i128);
}

#[test]
fn what_is_wrong_with_a_line_is_named() {
    let scene = scene();
    assert_eq!(
        scene.reason(|head, _| head.lines[0].commitment.epoch.0 += 1),
        Unverified::ForeignCommitment
    );
    assert_eq!(
        scene.reason(|head, _| head.lines[0].commitment.caches.sum.amount += 1),
        Unverified::Commitment(ProofError::TotalsDiffer)
    );
    assert_eq!(
        scene.reason(|_, shown| shown.entry.key.0[39] ^= 1),
        Unverified::ForeignEntry
    );
    assert_eq!(
        scene.reason(|head, _| head.lines[0].entry = 3),
        Unverified::OtherEntry {
            shown: 1,
            charged: 3
        }
    );
    assert_eq!(
        scene.reason(|_, shown| shown.entry.leaves_root[0] ^= 1),
        Unverified::Entry(ProofError::WrongRoot)
    );
    for change in [
        |head: &mut InvoiceHead| head.lines[0].amount += 1,
        |head: &mut InvoiceHead| head.lines[0].paid.0[0] += 1,
        |head: &mut InvoiceHead| head.lines[0].free.0[0] += 1,
    ] {
        let reason = scene.reason(|head, _| change(head));
        assert_eq!(reason, Unverified::OtherSums);
    }
    assert_eq!(
        scene.reason(|_, shown| shown.pages[1].leaves[0].body.amount -= 1),
        Unverified::Leaves(ProofError::WrongRoot)
    );
    assert_eq!(
        scene.reason(|_, shown| drop(shown.pages.remove(0))),
        Unverified::LeavesMissing { known: 0, of: 6 }
    );
    assert_eq!(
        scene.reason(|_, shown| drop(shown.pages.pop())),
        Unverified::LeavesMissing { known: 3, of: 6 }
    );
    assert_eq!(
        scene.reason(|head, _| head.prices[0].version = 9),
        Unverified::UnknownPrices(1)
    );
    assert!(matches!(
        scene.reason(|head, _| head.prices[0].prices.0[1] = 0),
        Unverified::WrongCharge { stated, right, .. } if right < stated
    ));
    assert_eq!(
        scene.reason(|head, _| head.prices[0].prices = Prices([u64::MAX; 6])),
        Unverified::WrongCharge {
            slice: selvedge_primitives_types::Slice(0),
            stated: scene.shown.values().next().unwrap().pages[0].leaves[0]
                .body
                .amount,
            right: charge(
                &scene.shown.values().next().unwrap().pages[0].leaves[0]
                    .body
                    .paid,
                &Prices([u64::MAX; 6])
            )
            .unwrap(),
        }
    );
}

/// A gateway that lies in leaves that it then commits to is found out by the same check.
#[test]
fn committed_lies_are_named_too() {
    let (gateway, epoch) = (DeviceId([0xa1; 32]), Epoch(100));
    let reason = |change: fn(usize, &mut Leaf)| {
        let mut leaves = served(gateway, 100).leaves().to_vec();
        let own = leaves
            .iter_mut()
            .filter(|leaf| leaf.body.customer == CUSTOMER);
        own.enumerate()
            .for_each(|(index, leaf)| change(index, leaf));
        let (line, evidence) = line(&build(leaves), gateway, epoch, ServiceId(0));
        let mut scene = scene();
        scene.heads[0].prices.push(list(2));
        scene.heads[0].lines[0] = line;
        scene.shown.insert((epoch, ServiceId(0), gateway), evidence);
        scene.bill().lines[0].outcome.expect_err("it lies")
    };
    assert!(matches!(
        reason(|index, leaf| leaf.body.amount += u128::from(index == 1)),
        Unverified::WrongCharge { stated, right, .. } if stated == right + 1
    ));
    assert!(matches!(
        reason(|index, leaf| if index == 1 {
            leaf.body.price_version = 2
        }),
        Unverified::MixedPrices(_)
    ));
    let other = |_, leaf: &mut Leaf| {
        leaf.body.amount = charge(&leaf.body.paid, &list(1).prices).unwrap() + 7
    };
    assert!(matches!(reason(other), Unverified::WrongCharge { .. }));
}

#[test]
fn a_leaf_of_another_epoch_is_named() {
    let (gateway, epoch) = (DeviceId([0xa1; 32]), Epoch(100));
    let trees = served(gateway, 101);
    let (line, evidence) = line(&trees, gateway, epoch, ServiceId(0));
    let mut scene = scene();
    scene.heads[0].lines[0] = line;
    scene.shown.insert((epoch, ServiceId(0), gateway), evidence);
    let outcome = scene.bill().lines[0].outcome;
    assert!(matches!(outcome, Err(Unverified::ForeignLeaf(_))));
}

#[test]
fn what_is_wrong_with_a_head_is_named_and_its_lines_are_not_verified() {
    type Change = fn(&mut Vec<InvoiceHead>);
    let cases: [(Change, HeadDefect); 7] = [
        (
            |heads| heads[1].customer.0[0] ^= 1,
            HeadDefect::ForeignCustomer,
        ),
        (|heads| heads[1].epoch.0 = 99, HeadDefect::OutOfOrder),
        (|heads| heads[1].epoch.0 = 100, HeadDefect::OutOfOrder),
        (|heads| heads[1].from.0 += 1, HeadDefect::WrongTime),
        (|heads| heads[4].to = heads[4].from, HeadDefect::WrongTime),
        (
            |heads| {
                let again = heads[1].lines[0].clone();
                heads[1].lines.push(again)
            },
            HeadDefect::DoubleLine,
        ),
        (
            |heads| heads[1].prices[0].prices.0[5] += 1,
            HeadDefect::PricesDiffer(1),
        ),
    ];
    for (change, defect) in cases {
        let mut scene = scene();
        change(&mut scene.heads);
        let bill = scene.bill();
        assert!(!bill.is_sound());
        assert_eq!(bill.defects[0].1, defect);
        let outcomes = bill
            .lines
            .iter()
            .filter(|line| line.epoch == bill.defects[0].0);
        let unverified = outcomes.filter(|line| line.outcome == Err(Unverified::Head));
        let wanted = scene
            .heads
            .iter()
            .find(|head| head.epoch == bill.defects[0].0);
        assert!(
            unverified.count() >= wanted.unwrap().lines.len().min(1),
            "{defect:?}"
        );
        assert_eq!(adds_up_to(&bill), bill.totals.due as i128);
    }
}

#[test]
fn epochs_without_a_head_are_named() {
    let mut scene = scene();
    scene.heads.remove(4);
    scene.heads.drain(1..3);
    let bill = scene.bill();
    assert_eq!(
        bill.absent,
        [(Epoch(101), Epoch(102)), (Epoch(104), Epoch(104))]
    );
    assert!(bill.is_sound() && !bill.is_whole() && !bill.is_final());
    scene.heads.clear();
    assert_eq!(scene.bill().absent, [(Epoch(100), Epoch(104))]);
}

#[test]
fn sums_out_of_range_are_an_error() {
    let mut scene = scene();
    scene.heads[0].lines[0].amount = u128::MAX;
    let bill = check::<Keccak>(CUSTOMER, EPOCHS, scene.heads, |_, _| None);
    assert!(bill.is_err());
}

/// One bit of the encoding of `value` turned around; `None` when that cannot be read.
fn flipped<T: Encode + Decode>(value: &T, at: &Index) -> Option<T> {
    let mut bytes = value.encode();
    let bit = at.index(bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
    let mut input = bytes.as_slice();
    T::decode(&mut input).ok().filter(|_| input.is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_changed_bit_of_the_evidence_is_noticed(line: Index, bits: [Index; 16]) {
        let scene = scene();
        let key = *scene.shown.keys().nth(line.index(scene.shown.len())).unwrap();
        for bit in &bits {
            let mut changed = scene.clone();
            let Some(evidence) = flipped(&scene.shown[&key], bit) else { continue };
            changed.shown.insert(key, evidence);
            let bill = changed.bill();
            prop_assert!(!bill.is_sound());
            let wrong: Vec<_> = bill.lines.iter().filter(|line| line.outcome.is_err()).collect();
            prop_assert_eq!(wrong.len(), 1);
            prop_assert_eq!((wrong[0].epoch, wrong[0].service, wrong[0].gateway), key);
        }
    }

    #[test]
    fn every_changed_bit_of_a_line_that_its_commitment_binds_is_noticed(
        head in 0usize..4, line in 0usize..4, bits: [Index; 16],
    ) {
        let scene = scene();
        let was = &scene.heads[head].lines[line];
        for bit in &bits {
            let Some(mut now) = flipped(was, bit) else { continue };
            // The tree by cache is not the customer's; of it the totals are all that a bill looks at.
            let caches = &mut now.commitment.caches;
            let ours = &was.commitment.caches;
            (caches.root, caches.min, caches.max, caches.entries) = (ours.root, ours.min, ours.max, ours.entries);
            (now.proof_url, now.status) = (was.proof_url.clone(), was.status);
            if now == *was {
                continue;
            }
            let mut changed = scene.clone();
            changed.heads[head].lines[line] = now;
            let bill = changed.bill();
            prop_assert!(!bill.is_whole());
            prop_assert!(bill.totals != scene.bill().totals || bill.lines[head * 4 + line].outcome.is_err());
            prop_assert!(bill.lines[head * 4 + line].outcome.is_err());
        }
    }

    #[test]
    fn every_changed_bit_of_a_head_changes_the_digest_or_cannot_be_read(head in 0usize..5, bits: [Index; 16]) {
        let scene = scene();
        let digest = scene.bill().heads;
        for bit in &bits {
            let Some(now) = flipped(&scene.heads[head], bit) else { continue };
            let mut changed = scene.clone();
            changed.heads[head] = now;
            let heads = changed.heads.clone();
            // Sums may leave their range: that is noticed as well.
            if let Ok(bill) = check::<Keccak>(CUSTOMER, EPOCHS, heads, |_, _| None) {
                prop_assert_ne!(bill.heads, digest);
            }
        }
    }

    #[test]
    fn whatever_is_left_out_the_bill_adds_up(heads in any::<[bool; 5]>(), shown: [Index; 6]) {
        let mut scene = scene();
        let keys: Vec<_> = scene.shown.keys().copied().collect();
        for at in &shown {
            scene.shown.remove(at.get(&keys));
        }
        let mut keep = heads.iter();
        scene.heads.retain(|_| *keep.next().unwrap());
        let bill = scene.bill();
        prop_assert_eq!(adds_up_to(&bill), bill.totals.due as i128);
        prop_assert_eq!(bill.totals.charged, bill.totals.due + bill.totals.refunded);
        let absent: u64 = bill.absent.iter().map(|(first, last)| last.0 - first.0 + 1).sum();
        prop_assert_eq!(absent as usize, heads.iter().filter(|kept| !**kept).count());
    }
}
