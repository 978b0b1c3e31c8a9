//! Who says that it holds what it does not counts for nothing, and is named.

use selvedge_edge_core_replication::{Error, Input, Output, Rules};
use selvedge_primitives_types::Millis;

use crate::net::{blob, device, Net};

const MIB: u64 = 1024 * 1024;

fn rules() -> Rules {
    Rules {
        challenge: Millis(120_000),
        ..Rules::default()
    }
}

#[test]
fn a_liar_is_named_and_others_hold_what_it_claims() {
    let mut net = Net::new(10, rules());
    let contents: Vec<_> = (0..40).map(|id| blob(id, MIB)).collect();
    net.seed(&contents, 3);
    let liar = device(5);
    net.peer(liar).holds.clear();
    net.peer(liar).lies = true;
    net.run(400_000);
    let named = |output: &Output| matches!(output, Output::Liar { cache, .. } if *cache == liar);
    assert!(net.said(named) > 0);
    assert_eq!(
        net.said(|output| matches!(output, Output::Liar { .. })),
        net.said(named)
    );
    assert_eq!(net.steward.figures().distrusted, 1);
    for content in &contents {
        assert_eq!(net.copies_of(content), 3);
        assert!(!net.steward.holders(&content.root).contains(&liar));
    }
}

#[test]
fn one_blob_that_was_damaged_is_copied_elsewhere_and_the_rest_counts() {
    let mut net = Net::new(10, rules());
    let contents: Vec<_> = (0..40).map(|id| blob(id, MIB)).collect();
    net.seed(&contents, 3);
    net.run(10_000);
    let victim = net.owners(&contents[0], 1)[0];
    net.peer(victim).holds.remove(&contents[0].root);
    net.input(Input::Challenged {
        root: contents[0].root,
        cache: victim,
        passed: false,
    });
    net.run(1_000);
    assert_eq!(net.ordered(0).len(), 1);
    assert_eq!(net.copies_of(&contents[0]), 3);
    assert_eq!(net.steward.figures().distrusted, 0);
    // It has noticed and says that it lacks the blob, so it is given it again.
    net.run(120_000);
    assert!(net.peers[&victim].holds.contains(&contents[0].root));
}

#[test]
fn what_only_liars_hold_is_unavailable_and_copied_from_nobody() {
    let mut net = Net::new(4, rules());
    let content = blob(1, MIB);
    net.keep(&[content], 2);
    for id in 1..=4 {
        net.peer(device(id)).lies = true;
    }
    net.run(600_000);
    assert_eq!(net.ordered(0), []);
    assert!(net.steward.holders(&content.root).is_empty());
}

#[test]
fn what_strangers_say_is_an_error_and_changes_nothing() {
    let mut net = Net::new(4, rules());
    let content = blob(1, MIB);
    net.keep(&[content], 2);
    let stranger = device(99);
    let inputs = [
        Input::Have {
            cache: stranger,
            roots: vec![(content.root, true)],
        },
        Input::Silent { cache: stranger },
        Input::CopyDone {
            root: content.root,
            to: stranger,
        },
        Input::Challenged {
            root: content.root,
            cache: stranger,
            passed: true,
        },
    ];
    for input in inputs {
        let said = net.steward.handle_input(Millis(net.now), input);
        assert_eq!(said, Err(Error::UnknownCache(stranger)));
    }
    assert!(net.steward.holders(&content.root).is_empty());
}
