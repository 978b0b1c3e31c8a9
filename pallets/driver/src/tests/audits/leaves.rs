//! Leaves that are due on chain: of auditors, and of gateways.

use super::*;
use selvedge_primitives_math::{
    draw::{Draw, Place},
    duty::{LeafDuty, LeafPurpose},
    fraud::{open_leaf, OpenedLeaf},
    TreeKind,
};

const DRAW: Draw = Draw {
    tree: TreeKind::Customers,
    at: Place::Index(17),
};

fn due(gateway: u8, purpose: LeafPurpose) -> LeafDuty {
    LeafDuty {
        gateway: device(gateway),
        epoch: SERVED,
        draw: DRAW,
        purpose,
        until: EPOCH,
    }
}

fn opened(trees: &UsageTrees) -> Box<OpenedLeaf> {
    Box::new(open_leaf::<HostKeccak>(trees, &commitment(trees), &DRAW).unwrap())
}

#[test]
fn an_auditor_posts_the_leaf_it_is_asked_for() {
    audited(|net| {
        let trees = trees(1, 100);
        set_committed(commitment(&trees));
        set_leaves(vec![
            due(1, LeafPurpose::Posted),
            due(2, LeafPurpose::Challenged),
        ]);
        // The registered address is the mock's.
        let url = "http://127.0.0.1:9001";
        set_public_url(url);
        net.serve_public(url, Box::new(honest(trees.clone())));
        work(1);
        let expected = Said::Posted(device(1), SERVED, opened(&trees));
        assert_eq!(take_said(), std::slice::from_ref(&expected));
        for block in 2..=5 {
            work(block);
        }
        assert_eq!(take_said(), []);
        work(6);
        assert_eq!(take_said(), [expected]);
    });
}

#[test]
fn a_leaf_that_was_looked_at_is_posted_though_its_gateway_is_gone() {
    for count in [40, 100, 20_000] {
        audited(|net| {
            let trees = trees(1, count);
            net.serve_public(&url(1), Box::new(honest(trees.clone())));
            let audit = duty(&trees, AuditPhase::Vote);
            let draw = match &audit.sample {
                Sample::Whole => DRAW,
                Sample::Drawn(draws) => draws[31],
            };
            set_audits(vec![audit]);
            work(1);
            assert!(voted().is_some());
            net.serve_public(&url(1), Box::new(|_| None));
            set_leaves(vec![LeafDuty {
                draw,
                ..due(1, LeafPurpose::Posted)
            }]);
            work(2);
            let leaf = open_leaf::<HostKeccak>(&trees, &commitment(&trees), &draw).unwrap();
            let expected = Said::Posted(device(1), SERVED, Box::new(leaf));
            assert_eq!(take_said(), [expected]);
        });
    }
}

#[test]
fn what_was_looked_at_is_forgotten_in_time() {
    audited(|net| {
        let trees = trees(1, 100);
        net.serve_public(&url(1), Box::new(honest(trees.clone())));
        // Seven epochs ago.
        let mut old = duty(&trees, AuditPhase::Vote);
        old.window = Epoch(0);
        set_audits(vec![old]);
        work(1);
        let shown = [
            b"selvedge::audited::",
            &AUDITOR.0[..],
            &device(1).0,
            &SERVED.encode(),
        ]
        .concat();
        assert!(net.stored(&shown).is_some());
        set_audits(vec![]);
        work(2);
        assert_eq!(net.stored(&shown), None);
    });
}

#[test]
fn a_gateway_that_shows_something_else_gets_nothing_posted() {
    audited(|net| {
        let (trees, other) = (trees(1, 100), trees(1, 99));
        set_committed(commitment(&trees));
        set_leaves(vec![due(1, LeafPurpose::Posted)]);
        let url = "http://127.0.0.1:9001";
        set_public_url(url);
        net.serve_public(url, Box::new(honest(other)));
        work(1);
        assert_eq!(take_said(), []);
    });
}

#[test]
fn a_gateways_node_has_its_daemon_open_what_is_due() {
    run(|net| {
        let trees = trees(1, 100);
        let leaf = opened(&trees);
        let answer = move |request: &net::Request| {
            assert_eq!(request.path(), "control/v1/open/5");
            assert_eq!(request.body, DRAW.encode());
            Answer::ok(&*leaf)
        };
        net.serve(&endpoint(1), good(device(1), vec![], answer));
        net.list(&[endpoint(1)]);
        let owed = due(1, LeafPurpose::Owed);
        set_leaves(vec![owed, due(3, LeafPurpose::Posted)]);
        work(1);
        assert_eq!(take_said(), [Said::Answer(owed, opened(&trees))]);
        work(2);
        assert_eq!(take_said(), []);
        work(6);
        assert_eq!(take_said().len(), 1, "the chain still waits for it");
    });
}

#[test]
fn a_daemon_that_lacks_the_leaf_is_asked_again_after_a_while() {
    for answer in [Answer::status(404), Answer::ok(7u8)] {
        run(|net| {
            let answer = move |_: &net::Request| answer.clone();
            net.serve(&endpoint(1), good(device(1), vec![], answer));
            net.list(&[endpoint(1)]);
            set_leaves(vec![due(1, LeafPurpose::Challenged)]);
            for block in 1..=6 {
                work(block);
            }
            let lines = net.take_lines();
            let asked = lines.iter().filter(|line| line.contains("open")).count();
            assert_eq!((asked, take_said().len()), (2, 0));
        });
    }
}
