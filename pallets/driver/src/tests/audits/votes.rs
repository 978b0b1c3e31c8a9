//! Looking, voting and revealing beside honest gateways.

use super::*;
use selvedge_primitives_math::draw::{entry_draws, DISPUTED};

#[test]
fn a_gateway_is_looked_at_whole_voted_for_and_revealed() {
    audited(|net| {
        let trees = trees(1, 100);
        net.serve_public(&url(1), Box::new(honest(trees.clone())));
        set_phase(AuditPhase::Look, &[&trees]);
        work(1);
        assert_eq!(net.take_lines(), ["GET audit/v1/5/leaves?limit=100"]);
        assert_eq!(take_said(), [], "no vote is taken yet");

        set_phase(AuditPhase::Vote, &[&trees]);
        work(2);
        let ballot = voted().unwrap();
        assert_eq!(net.take_lines().len(), 0, "it was looked at");
        assert_eq!(
            (ballot.auditor, ballot.window, ballot.round),
            (AUDITOR, WINDOW, 0)
        );
        let expected = stated(&trees, &duty(&trees, AuditPhase::Vote));
        assert_eq!(verdicts(&ballot), [expected]);

        // The gateway is gone, and the node was restarted: what was found and voted is known.
        net.serve_public(&url(1), Box::new(|_| None));
        set_phase(AuditPhase::Reveal, &[&trees]);
        work(3);
        assert_eq!(take_said(), [Said::Reveal(ballot)]);
    });
}

#[test]
fn another_commitment_after_a_reorganisation_is_looked_at_anew() {
    audited(|net| {
        let (before, after) = (trees(1, 100), trees(1, 99));
        net.serve_public(&url(1), Box::new(honest(before.clone())));
        set_phase(AuditPhase::Look, &[&before]);
        work(1);
        set_phase(AuditPhase::Vote, &[&after]);
        set_elapsed(25_000);
        work(2);
        assert_eq!(verdicts(&voted().unwrap()), [Verdict::Withheld]);
    });
}

#[test]
fn small_trees_are_stated_whole_in_their_order() {
    audited(|net| {
        let trees = trees(1, 44);
        net.serve_public(&url(1), Box::new(honest(trees.clone())));
        set_phase(AuditPhase::Vote, &[&trees]);
        work(1);
        let expected = stated(&trees, &duty(&trees, AuditPhase::Vote));
        assert_eq!(verdicts(&voted().unwrap()), [expected]);
    });
}

#[test]
fn the_largest_commitment_that_is_looked_at_whole_fits_its_bound() {
    audited(|net| {
        let trees = trees(1, 16_384);
        net.serve_public(&url(1), Box::new(honest(trees.clone())));
        set_phase(AuditPhase::Vote, &[&trees]);
        work(1);
        assert_eq!(net.bytes_read(), trees.leaves().encode().len());
        assert_eq!(net.take_lines(), ["GET audit/v1/5/leaves?limit=16384"]);
        let expected = stated(&trees, &duty(&trees, AuditPhase::Vote));
        assert_eq!(verdicts(&voted().unwrap()), [expected]);
    });
}

#[test]
fn of_a_large_gateway_drawn_leaves_are_looked_at() {
    audited(|net| {
        let trees = trees(1, 20_000);
        net.serve_public(&url(1), Box::new(honest(trees.clone())));
        set_phase(AuditPhase::Vote, &[&trees]);
        work(1);
        let read = net.bytes_read();
        assert_eq!(net.take_lines(), ["POST audit/v1/5/open"; 4]);
        assert!(read < 1_000_000, "{read} of 7 MB");
        let expected = stated(&trees, &duty(&trees, AuditPhase::Vote));
        assert_eq!(verdicts(&voted().unwrap()), [expected]);
    });
}

#[test]
fn what_takes_longer_than_a_block_goes_on_in_the_next() {
    audited(|net| {
        let trees = trees(1, 20_000);
        let mut gateway = honest(trees.clone());
        let slow = move |request: &net::Request| {
            gateway(request).map(|answer| Answer {
                after: 500,
                ..answer
            })
        };
        net.serve_public(&url(1), Box::new(slow));
        set_phase(AuditPhase::Vote, &[&trees]);
        let mut asked = 0;
        for block in 1..=4 {
            let before = net.now();
            work(block);
            assert!(net.now() - before <= longest());
            asked += net.take_lines().len();
            if let Some(ballot) = voted() {
                let expected = stated(&trees, &duty(&trees, AuditPhase::Vote));
                assert_eq!(verdicts(&ballot), [expected]);
                // Four exchanges, and the ones that the end of a block cut off.
                assert!(block > 1 && asked <= 6, "{block}, {asked}");
                return;
            }
        }
        panic!("no vote");
    });
}

#[test]
fn a_gateway_too_slow_to_be_looked_at_whole_is_asked_for_its_draws() {
    audited(|net| {
        let trees = trees(1, 1_000);
        let mut gateway = honest(trees.clone());
        let slow = move |request: &net::Request| {
            gateway(request).map(|answer| Answer {
                per_chunk: 60,
                ..answer
            })
        };
        net.serve_public(&url(1), Box::new(slow));
        set_phase(AuditPhase::Vote, &[&trees]);
        let ballot = (1..=20).find_map(|block| {
            work(block);
            voted()
        });
        let expected = stated(&trees, &duty(&trees, AuditPhase::Vote));
        assert_eq!(verdicts(&ballot.unwrap()), [expected]);
        let lines = net.take_lines();
        let whole = lines.iter().filter(|line| line.starts_with("GET")).count();
        assert_eq!(whole, 1, "{lines:?}");
    });
}

#[test]
fn a_vote_is_sent_again_while_the_chain_lacks_it_and_says_the_same() {
    audited(|net| {
        let trees = trees(1, 50);
        net.serve_public(&url(1), Box::new(honest(trees.clone())));
        set_phase(AuditPhase::Vote, &[&trees]);
        work(1);
        let first = voted().unwrap();
        for block in 2..=5 {
            work(block);
            assert_eq!(take_said(), []);
        }
        work(6);
        assert_eq!(voted().unwrap(), first);
        set_phase(AuditPhase::Reveal, &[&trees]);
        work(7);
        assert_eq!(take_said(), [Said::Reveal(first)]);
    });
}

#[test]
fn votes_wait_for_what_is_not_looked_at_until_time_is_short() {
    audited(|net| {
        let (good, gone) = (trees(1, 50), trees(2, 50));
        net.serve_public(&url(1), Box::new(honest(good.clone())));
        set_phase(AuditPhase::Vote, &[&good, &gone]);
        work(1);
        assert_eq!(voted(), None);
        // Three quarters of the first half of a minute.
        set_elapsed(22_499);
        work(2);
        assert_eq!(voted(), None);
        set_elapsed(22_500);
        work(3);
        let expected = stated(&good, &duty(&good, AuditPhase::Vote));
        assert_eq!(verdicts(&voted().unwrap()), [expected, Verdict::Withheld]);
    });
}

#[test]
fn who_holds_no_key_of_an_auditor_asks_nobody() {
    audited(|net| {
        let trees = trees(1, 50);
        net.serve_public(&url(1), Box::new(honest(trees.clone())));
        set_phase(AuditPhase::Vote, &[&trees]);
        set_registered(true, [5; 32]);
        work(1);
        set_auditors(&[]);
        work(2);
        assert_eq!((net.take_lines().len(), take_said().len()), (0, 0));
    });
}

#[test]
fn leaves_of_disputed_lines_are_others_than_those_of_the_audit() {
    audited(|net| {
        let trees = trees(1, 20_000);
        net.serve_public(&url(1), Box::new(honest(trees.clone())));
        set_phase(AuditPhase::Vote, &[&trees]);
        work(1);
        assert!(voted().is_some());
        let lines = AuditDuty {
            window: WINDOW.next(),
            round: DISPUTED,
            sample: Sample::Drawn(entry_draws::<HostKeccak>(
                &[4; 32],
                &device(1),
                SERVED,
                17,
                4 * DRAWS,
            )),
            ..duty(&trees, AuditPhase::Vote)
        };
        set_audits(vec![lines.clone()]);
        let ballot = (2..=20).find_map(|block| {
            work(block);
            voted()
        });
        let ballot = ballot.unwrap();
        assert_eq!(ballot.round, DISPUTED);
        assert_eq!(verdicts(&ballot), [stated(&trees, &lines)]);
    });
}
