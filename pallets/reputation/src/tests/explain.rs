//! `explain_score`.

use crate::{mock::*, *};
use selvedge_primitives_math::{probe, score};
use selvedge_primitives_types::{Epoch, Score};

#[test]
fn of_an_unknown_device_there_is_nothing_to_say() {
    run(|| assert_eq!(Reputation::explain_score(device(1)), None));
}

#[test]
fn of_a_new_node_everything_is_one() {
    run(|| {
        node(1, Role::Cache);
        let said = Reputation::explain_score(device(1)).unwrap();
        assert_eq!(said.score, ScoreRecord::default());
        assert_eq!(said.expected, Ppm::percent(20));
        assert_eq!(
            (said.out, said.disputed, said.draining),
            (None, None, false)
        );
    });
}

#[test]
fn every_component_can_be_computed_again_from_its_inputs() {
    run(|| {
        (1..=8).for_each(|id| node(id, Role::Gateway));
        for epoch in 1..24 {
            mock::probe(epoch, |_, node| match node.0[0] {
                1 if epoch < 5 => silent(node),
                1 => good(node, 1_300),
                _ => good(node, 1_000),
            });
        }
        turn_to(24);
        let said = Reputation::explain_score(device(1)).unwrap();
        let observed = said.probes.observed;
        assert_eq!((observed.sampled, observed.answered), (23, 19));
        let speed = probe::speed(observed.pace(), Some(said.probes.median_pace));
        let quality = probe::quality(observed.answered(), speed, observed.right());
        assert_eq!((said.score.speed, said.score.ok), (speed, observed.ok()));
        assert_eq!(said.probes.quality, quality);
        assert!(quality < Score::ONE);
        let smooth = |new| score::smooth(Score::ONE, new);
        assert_eq!(said.score.quality, smooth(quality));
        let service = score::service(said.score.ok, said.score.jobs, speed);
        assert_eq!(said.score.service, smooth(service));

        mock::probe(25, |_, node| good(node, 1_000));
        let by = RuntimeOrigin::signed(account(2));
        Reputation::dispute_region(by, device(1)).unwrap();
        turn_to(26);
        let said = Reputation::explain_score(device(1)).unwrap();
        assert_eq!(said.current.sampled, 1);
        assert_eq!(said.disputed, Some(Epoch(25)));
    });
}
