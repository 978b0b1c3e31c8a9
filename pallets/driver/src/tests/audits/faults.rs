//! Dead, slow, endless and lying gateways: each costs its bound, and the others are audited.

use super::*;
use crate::mock::net::Handler;
use selvedge_primitives_math::fraud::verify;

/// Audits a bad gateway of so many leaves beside a good one until time is short, and returns what
/// is voted of the bad one.
fn beside(leaves: u64, bad: impl Fn() -> Handler) -> Verdict {
    let mut verdict = None;
    audited(|net| {
        let (good, bad_trees) = (trees(1, 50), trees(2, leaves));
        net.serve_public(&url(1), Box::new(honest(good.clone())));
        net.serve_public(&url(2), bad());
        for block in 1..=6 {
            set_phase(AuditPhase::Vote, &[&good, &bad_trees]);
            if block == 6 {
                set_elapsed(25_000);
            }
            let (before, read) = (net.now(), net.bytes_read());
            work(block);
            // A chunk that is there when the host looks may come a moment late.
            assert!(net.now() - before <= longest() + 10, "block {block}");
            let bound = leaves as usize * 400 + 4_000_000;
            assert!(net.bytes_read() - read < bound, "block {block}");
        }
        let ballot = voted().expect("a vote, whatever one gateway does");
        let expected = stated(&good, &duty(&good, AuditPhase::Vote));
        assert_eq!(verdicts(&ballot)[0], expected);
        verdict = Some(verdicts(&ballot)[1]);
    });
    verdict.unwrap()
}

fn answering(answer: impl Fn() -> Option<Answer> + Send + 'static) -> Handler {
    Box::new(move |_| answer())
}

fn body(bytes: Vec<u8>) -> Option<Answer> {
    Some(Answer {
        body: bytes,
        ..Answer::ok(()).unwrap()
    })
}

#[test]
fn a_dead_gateway_has_withheld() {
    for leaves in [10, 20_000] {
        assert_eq!(beside(leaves, || answering(|| None)), Verdict::Withheld);
        let refuses = || answering(|| Answer::status(503));
        assert_eq!(beside(leaves, refuses), Verdict::Withheld);
    }
}

#[test]
fn a_slow_gateway_and_one_that_drips_have_withheld() {
    for leaves in [10, 1_000, 20_000] {
        let slow = || {
            answering(|| {
                Answer::ok(0u8).map(|answer| Answer {
                    after: 60_000,
                    ..answer
                })
            })
        };
        assert_eq!(beside(leaves, slow), Verdict::Withheld);
        let drips = || {
            answering(|| {
                Some(Answer {
                    per_chunk: 7,
                    chunk: 1,
                    ..Answer::ok([0u8; 4_096]).unwrap()
                })
            })
        };
        assert_eq!(beside(leaves, drips), Verdict::Withheld);
    }
}

#[test]
fn an_endless_gateway_has_withheld() {
    for leaves in [10, 1_000, 20_000] {
        let endless = || answering(|| body(vec![7; 100_000_000]));
        assert_eq!(beside(leaves, endless), Verdict::Withheld);
    }
}

#[test]
fn garbage_is_withheld() {
    for leaves in [10, 1_000, 20_000] {
        for garbage in [vec![], vec![0xff; 40], vec![7; 30_000]] {
            let bad = || {
                let garbage = garbage.clone();
                answering(move || body(garbage.clone()))
            };
            assert_eq!(beside(leaves, bad), Verdict::Withheld);
        }
    }
}

#[test]
fn another_epochs_leaves_are_withheld() {
    // True leaves and openings, of what was not committed.
    for leaves in [10, 1_000, 20_000] {
        let other = || {
            let mut gateway = honest(trees(2, leaves - 1));
            let answer = move |request: &net::Request| {
                let limit = format!("limit={leaves}");
                let fewer = format!("limit={}", leaves - 1);
                let mut request = request.clone();
                request.url = request.url.replace(&limit, &fewer);
                gateway(&request)
            };
            let handler: Handler = Box::new(answer);
            handler
        };
        assert_eq!(beside(leaves, other), Verdict::Withheld);
    }
}

#[test]
fn a_lie_is_proven_and_voted_bad() {
    // In one of few leaves, and in every one of many, of which some are drawn.
    for (count, lies) in [(60, 1), (20_000, 20_000)] {
        audited(|net| {
            let mut leaves: Vec<_> = (0..count).map(|service| leaf(1, service)).collect();
            for leaf in &mut leaves[..lies] {
                leaf.body.price_version = 2;
            }
            let trees = build(leaves);
            net.serve_public(&url(1), Box::new(honest(trees.clone())));
            set_phase(AuditPhase::Vote, &[&trees]);
            work(1);
            let ballot = voted().unwrap();
            assert_eq!(verdicts(&ballot), [Verdict::Bad]);
            // Not before votes are sealed: it would tell others what to vote.
            set_phase(AuditPhase::Reveal, &[&trees]);
            work(2);
            let said = take_said();
            let [Said::Proof(gateway, epoch, proof), Said::Reveal(revealed)] = &said[..] else {
                panic!("{said:?}");
            };
            assert_eq!((*gateway, *epoch, revealed), (device(1), SERVED, &ballot));
            let committed = commitment(&trees);
            assert!(verify::<HostKeccak>(proof, &committed, &Knows).is_ok());
            // Nothing more is fetched, and the proof is sent again should it have been lost.
            net.take_lines();
            set_phase(AuditPhase::Prove, &[&trees]);
            for block in 3..=6 {
                work(block);
            }
            assert_eq!(take_said(), []);
            work(7);
            let again = take_said();
            assert!(matches!(&again[0], Said::Proof(_, _, other) if other == proof));
            assert_eq!(net.take_lines().len(), 0);
        });
    }
}

#[test]
fn many_slow_gateways_starve_nobody() {
    audited(|net| {
        let all: Vec<_> = (1..=9).map(|gateway| trees(gateway, 50)).collect();
        for (gateway, trees) in (1..).zip(&all) {
            let handler: Handler = if gateway % 3 == 0 {
                Box::new(honest(trees.clone()))
            } else {
                answering(|| {
                    Answer::ok(0u8).map(|answer| Answer {
                        after: 60_000,
                        ..answer
                    })
                })
            };
            net.serve_public(&url(gateway), handler);
        }
        set_phase(AuditPhase::Vote, &all.iter().collect::<Vec<_>>());
        // One of them uses up a block; after nine blocks everyone had a turn.
        for block in 1..=9 {
            work(block);
        }
        set_elapsed(25_000);
        work(10);
        let ballot = voted().unwrap();
        let is_ok = |verdict: &Verdict| matches!(verdict, Verdict::Ok { .. });
        let good: Vec<_> = verdicts(&ballot).iter().map(is_ok).collect();
        let expected: Vec<_> = (1..=9).map(|gateway| gateway % 3 == 0).collect();
        assert_eq!(good, expected);
    });
}

#[test]
fn on_a_live_network_private_addresses_are_not_asked() {
    audited(|net| {
        let trees = trees(1, 50);
        net.serve_public(&url(1), Box::new(honest(trees.clone())));
        set_private(false);
        set_phase(AuditPhase::Vote, &[&trees]);
        set_elapsed(25_000);
        work(1);
        assert_eq!(net.take_lines().len(), 0);
        assert_eq!(verdicts(&voted().unwrap()), [Verdict::Withheld]);
    });
}

#[test]
fn what_cannot_be_judged_any_more_is_not_fetched() {
    audited(|net| {
        let trees = trees(1, 50);
        net.serve_public(&url(1), Box::new(honest(trees.clone())));
        set_forgotten(true);
        set_phase(AuditPhase::Look, &[&trees]);
        work(1);
        assert_eq!((net.take_lines().len(), take_said().len()), (0, 0));
    });
}

#[test]
fn damaged_memory_costs_the_vote_and_nothing_else() {
    audited(|net| {
        let trees = trees(1, 50);
        net.serve_public(&url(1), Box::new(honest(trees.clone())));
        let key = [b"selvedge::audits::", &AUDITOR.0[..]].concat();
        net.store(&key, b"rubbish");
        set_phase(AuditPhase::Reveal, &[&trees]);
        work(1);
        assert_eq!(take_said(), [], "there is nothing to be revealed");
        set_phase(AuditPhase::Vote, &[&trees]);
        work(2);
        assert!(voted().is_some());
    });
}
