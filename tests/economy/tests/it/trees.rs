//! The lines of the simulation stand for the leaves of the real usage trees.

use selvedge_economy_simulation::model::{audit::opened, Keccak, Line, Payer};
use selvedge_primitives_math::{
    draw::{draws, find, DRAWS},
    price::charge,
    UsageTrees,
};
use selvedge_primitives_types::{
    Account, DeviceId, Epoch, Leaf, LeafBody, Prices, ServiceId, Slice, Usage,
};

const GATEWAY: DeviceId = DeviceId([0xaa; 32]);
const EPOCH: Epoch = Epoch(7);

fn prices() -> Prices {
    Prices([0, Prices::per(50_000_000_000, 1 << 30).unwrap(), 0, 0, 0, 0])
}

fn account(payer: Payer) -> Account {
    Account(match payer {
        Payer::Stranger => [1; 32],
        Payer::Own { .. } => [2; 32],
    })
}

fn device(cache: Option<usize>) -> DeviceId {
    DeviceId([cache.map_or(0, |index| index as u8 + 1); 32])
}

/// The leaves that a line stands for, one per slice.
fn leaves(line: &Line) -> impl Iterator<Item = Leaf> + '_ {
    (0..line.leaves).map(|slice| Leaf {
        body: LeafBody {
            gateway: GATEWAY,
            epoch: EPOCH,
            customer: account(line.payer),
            service: ServiceId(1),
            cache: device(line.cache),
            slice: Slice(slice as u16),
            paid: Usage(line.paid.0.map(|units| units / line.leaves)),
            amount: line.amount / u128::from(line.leaves),
            ..Default::default()
        },
        ..Default::default()
    })
}

#[test]
fn draws_fall_on_the_same_leaves_as_in_the_real_trees() {
    let own = Payer::Own { referred: true };
    let lines: Vec<_> = [
        (Payer::Stranger, Some(3), 60, 7_000_000_000),
        (own, Some(1), 17, 90_000_000_000),
        (Payer::Stranger, None, 44, 1_000_000_000),
        (Payer::Stranger, Some(1), 1, 400_000_000_000),
        (own, Some(3), 60, 5_000_000),
    ]
    .into_iter()
    .map(|(payer, cache, leaves, amount)| Line::of(payer, cache, leaves, amount, &prices()))
    .collect::<Result<_, _>>()
    .expect("the charges fit");
    let trees = UsageTrees::build::<Keccak>(lines.iter().flat_map(leaves).collect())
        .expect("every leaf has its place");
    let total = trees.commitment(GATEWAY, EPOCH).customers.sum;
    let amount: u128 = lines.iter().map(|line| line.amount).sum();
    assert_eq!((total.leaves, total.amount), (182, amount));

    for seed in 0..50 {
        let draws = draws::<Keccak>(&[seed; 32], &GATEWAY, EPOCH, &total, DRAWS);
        let expected: Vec<_> = draws
            .iter()
            .map(|draw| {
                let (entry, leaf) = find(&trees, draw).expect("the draw is of this tree");
                let body = trees.leaves_of(draw.tree, entry)[leaf].body;
                (body.customer, body.cache)
            })
            .collect();
        let found: Vec<_> = opened(&lines, &draws)
            .into_iter()
            .map(|line| (account(line.payer), device(line.cache)))
            .collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn a_line_charges_leaf_by_leaf_and_rounds_down() {
    let line = Line::of(Payer::Stranger, Some(1), 60, 1_000_000_007, &prices()).unwrap();
    let each = Usage(line.paid.0.map(|units| units / 60));
    assert_eq!(line.amount, 60 * charge(&each, &prices()).unwrap());
    assert!(line.amount <= 1_000_000_007 && line.amount > 999_000_000);
    let free = line.clone().for_free();
    assert_eq!((free.amount, free.free), (0, line.paid));
}
