//! A case of every defect.

use super::{build, caught, caught_lying, caught_with, commitment, leaf, resigned, usual, Chain};
use crate::{
    liar::Liar,
    testkit::{EPOCH, GATEWAY},
};
use selvedge_primitives_math::fraud::{Defect, FraudProof};
use selvedge_primitives_types::{
    Account, DeviceId, Epoch, LeafBody, ServiceId, Slice, UsageClass, UsageCommitment,
};

/// One case of every defect, as a lying gateway would commit it.
pub(crate) fn one_of_each() -> Vec<(Chain, Defect, FraudProof, UsageCommitment)> {
    let mut cases = Vec::new();
    let mut add = |chain: Chain, (defect, proof, commitment)| {
        cases.push((chain, defect, proof, commitment));
    };
    let usual_chain = Chain::default;
    let changed = |change: &dyn Fn(&mut LeafBody)| {
        let mut leaves = usual();
        change(&mut leaves[5].body);
        leaves[5] = resigned(leaves[5].body);
        leaves
    };

    // The trees themselves.
    add(
        usual_chain(),
        caught_lying(|liar| {
            liar.trees[0].node((0, 2)).sum.amount += 1;
            // One planck less elsewhere, so that the totals are what they were.
            liar.trees[0].node((2, 1)).sum.amount -= 1;
        }),
    );
    add(
        usual_chain(),
        caught_lying(|liar| {
            for node in [(0, 1), (1, 1)] {
                liar.trees[0].node(node).sum.amount = u128::MAX;
            }
        }),
    );
    add(
        usual_chain(),
        caught_lying(|liar| {
            let tree = &mut liar.trees[1];
            let (one, two) = (tree.leaf_nodes[1][&(0, 1)], tree.leaf_nodes[1][&(1, 1)]);
            tree.leaf_nodes[1].insert((0, 1), two);
            tree.leaf_nodes[1].insert((1, 1), one);
            tree.leaves[1].swap(0, 1);
        }),
    );
    add(
        usual_chain(),
        caught_lying(|liar| {
            let tree = &mut liar.trees[0];
            let again = tree.leaves[0][2];
            let node = tree.leaf_nodes[0][&(2, 1)];
            tree.leaf_nodes[0].insert((3, 1), node);
            tree.leaves[0][3] = again;
        }),
    );
    add(
        usual_chain(),
        caught_lying(|liar| {
            liar.trees[0].node((0, 2)).max = liar.trees[0].entries[0].key;
        }),
    );
    add(
        usual_chain(),
        caught_lying(|liar| {
            let leaves = &mut liar.trees[0].leaf_nodes[1];
            leaves.get_mut(&(0, 4)).expect("a node").sum.leaves -= 1;
            leaves.get_mut(&(4, 4)).expect("a node").sum.leaves += 1;
        }),
    );
    add(usual_chain(), caught_lying(|liar| liar.trees[1].claim(3)));
    add(
        usual_chain(),
        caught_lying(|liar| {
            let tree = &mut liar.trees[0];
            tree.leaves[2][7].body.service = ServiceId(7);
        }),
    );

    // What leaves say.
    let mut foreign: Vec<_> = usual();
    for leaf in &mut foreign {
        leaf.body.gateway = DeviceId([9; 32]);
        *leaf = resigned(leaf.body);
    }
    let trees = build(foreign);
    let committed = commitment(&trees);
    let (defect, proof) = caught(&trees, &committed, &usual_chain());
    add(usual_chain(), (defect, proof, committed));
    let mut early: Vec<_> = usual();
    for leaf in &mut early {
        leaf.body.epoch = Epoch(6);
        *leaf = resigned(leaf.body);
    }
    let trees = build(early);
    let committed = commitment(&trees);
    let (defect, proof) = caught(&trees, &committed, &usual_chain());
    add(usual_chain(), (defect, proof, committed));
    add(usual_chain(), {
        // No honest program builds such a tree, so the node is misstated to fit the leaf.
        let mut liar = Liar::of(&build(usual()));
        for tree in &mut liar.trees {
            let (entry, index) = tree.last_leaf();
            tree.restate_slice(entry, index, Slice(60));
        }
        liar.trees.iter_mut().for_each(|tree| tree.rehash(None));
        let committed = liar.commitment_as(GATEWAY, EPOCH);
        let (defect, proof) = caught(&liar, &committed, &usual_chain());
        (defect, proof, committed)
    });

    // Two faces.
    let mut other = usual();
    other[7] = leaf(0, 3, 2);
    other[7].body.paid = usual()[7].body.paid;
    other[7].body.free = usual()[7].body.free;
    other[7].body.amount = usual()[7].body.amount;
    other[7] = resigned(other[7].body);
    let liar = Liar::two_faced(&build(usual()), &build(other));
    let committed = liar.commitment_as(GATEWAY, EPOCH);
    let (defect, proof) = caught(&liar, &committed, &usual_chain());
    add(usual_chain(), (defect, proof, committed));

    // What the chain's terms forbid.
    let chain = Chain {
        services: 2,
        ..Chain::default()
    };
    add(chain.clone(), caught_with(usual(), &chain));
    add(
        usual_chain(),
        caught_with(
            usual()
                .into_iter()
                .filter(|leaf| leaf.body.service == ServiceId(0))
                .map(|mut leaf| {
                    leaf.body.customer = Account([1; 32]);
                    resigned(leaf.body)
                })
                .collect(),
            &usual_chain(),
        ),
    );
    let chain = Chain {
        lease: 100,
        ..Chain::default()
    };
    add(chain.clone(), caught_with(usual(), &chain));
    let chain = Chain {
        price_version: 2,
        ..Chain::default()
    };
    add(chain.clone(), caught_with(usual(), &chain));
    add(
        usual_chain(),
        caught_with(changed(&|body| body.amount += 1), &usual_chain()),
    );
    add(
        usual_chain(),
        caught_lying(|liar| {
            let tree = &mut liar.trees[1];
            let last = tree.entries.len() - 1;
            tree.entries[last].key.0[39] = 1;
            tree.restate_key(last);
        }),
    );
    let chain = Chain {
        caches: 2,
        ..Chain::default()
    };
    add(chain.clone(), caught_with(usual(), &chain));
    let mut forged = usual();
    forged[6].cache_signature.0[5] ^= 1;
    add(usual_chain(), caught_with(forged, &usual_chain()));
    let chain = Chain {
        storage: 999,
        ..Chain::default()
    };
    let stored = changed(&|body| {
        // One unit of it is free, and all of it counts.
        body.paid = body.paid.with(UsageClass::StorageByteHours, 999);
        body.free = body.free.with(UsageClass::StorageByteHours, 1);
    });
    add(chain.clone(), caught_with(stored, &chain));
    cases
}
