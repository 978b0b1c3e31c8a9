//! Probes, from the draw to the score, with reports as off-chain workers send them.

use crate::{
    chain::{run, validate, Chain, Device},
    economy::join,
};
use pallet_edge_driver::{SubmitError, SubmitUsage};
use pallet_edge_reputation::Round;
use selvedge_primitives_runtime_api::{PlaceView, ScoreExplanation};
use selvedge_primitives_types::{
    DeviceId, Domain, Epoch, FetchVerdict, Probe, ProbeAnswer, ProbeAnswerPayload, ProbeFetch,
    ProbeReport, Role, Score,
};
use selvedge_runtime::{configs::driver::Submitter, views, Reputation, Runtime};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};

const OWNERS: [Sr25519Keyring; 5] = [
    Sr25519Keyring::Alice,
    Sr25519Keyring::Bob,
    Sr25519Keyring::Charlie,
    Sr25519Keyring::Dave,
    Sr25519Keyring::Eve,
];

/// Five gateways of five operators.
pub fn gateways(chain: &mut Chain) -> Vec<Device> {
    let gateways: Vec<_> = (1..=5).map(Device::new).collect();
    for (gateway, owner) in gateways.iter().zip(OWNERS) {
        join(chain, gateway, owner, Role::Gateway);
    }
    gateways
}

/// What a gateway reports in an epoch, in which all of `nodes` but `silent` answer and serve, and nobody else does.
pub fn report(nodes: &[Device], prober: &Device, epoch: u64, silent: DeviceId) -> ProbeReport {
    let epoch = Epoch(epoch);
    let of = |device: DeviceId| nodes.iter().find(|node| node.id() == device);
    let probe = |probed: DeviceId| {
        let payload = ProbeAnswerPayload {
            prober: prober.id(),
            probed,
            epoch,
            nonce: [9; 16],
        };
        let answered = of(probed).filter(|_| probed != silent);
        Probe {
            probed,
            answer: answered.map(|gateway| ProbeAnswer {
                nonce: [9; 16],
                signature: gateway.sign(Domain::ProbeAnswer, &payload),
                round_trip: 2_000,
            }),
            fetch: answered.map(|_| ProbeFetch {
                object: [1; 32],
                bytes: 20_000,
                time: 5_000,
                verdict: FetchVerdict::Right,
            }),
        }
    };
    ProbeReport {
        prober: prober.id(),
        epoch,
        probes: Reputation::duty_of(&prober.id())
            .into_iter()
            .map(probe)
            .collect(),
    }
}

fn explained(device: DeviceId) -> ScoreExplanation {
    views::explain_score(device).expect("it is registered")
}

#[test]
fn reports_of_an_era_make_scores_that_can_be_explained() {
    run("development", |chain| {
        let gateways = gateways(chain);
        let dead = gateways[4].id();
        chain.run_to(4, 0);
        // The first whole era of these nodes.
        for epoch in 4..8 {
            chain.run_to(epoch, 2);
            for gateway in &gateways[..4] {
                let report = report(&gateways, gateway, epoch, dead);
                assert!(!report.probes.is_empty());
                Submitter::report_probes(&gateway.agent_key, report).expect("the pool takes it");
            }
            chain.apply_submitted();
        }
        chain.run_to(8, 1);
        for gateway in &gateways[..4] {
            let explained = explained(gateway.id());
            // Three of the four others reported; in the last of five a gateway says nothing.
            assert_eq!(
                (explained.probes.sampled, explained.probes.answered),
                (4, 4)
            );
            assert_eq!(
                (explained.score.ok, explained.score.speed),
                (Score::ONE, Score::ONE)
            );
            assert_eq!(explained.place, PlaceView::Plausible);
            assert_eq!(explained.out, None);
            assert_eq!(Reputation::quality_of(&gateway.id()), Score::ONE);
        }
        let explained = explained(dead);
        assert_eq!(
            (explained.probes.sampled, explained.probes.answered),
            (4, 0)
        );
        assert_eq!(explained.score.quality, Score(875_000));
        assert!(explained.out.is_some(), "it answered in no epoch");
        assert_eq!(Reputation::quality_of(&dead), Score::MIN);
    });
}

#[test]
fn a_report_is_refused_before_its_time_and_from_another_agent() {
    run("development", |chain| {
        let gateways = gateways(chain);
        chain.run_to(1, 1);
        assert!(Round::<Runtime>::exists());
        let nobody = DeviceId::default();
        let sent = |prober: &Device, key: &Device| {
            let report = report(&gateways, prober, 1, nobody);
            Submitter::report_probes(&key.agent_key, report)
        };
        sent(&gateways[0], &gateways[0]).expect("it is sent");
        let refused = |chain: &mut Chain| validate(chain.submitted().remove(0)).unwrap_err();
        let invalid = TransactionValidityError::Invalid;
        assert_eq!(refused(chain), invalid(InvalidTransaction::Future));
        chain.run_to(1, 2);
        sent(&gateways[0], &gateways[1]).expect("it is sent");
        assert_eq!(refused(chain), invalid(InvalidTransaction::BadProof));
        let stranger = Device {
            agent_key: [7; 32],
            ..Device::new(9)
        };
        assert_eq!(sent(&gateways[0], &stranger), Err(SubmitError::NoKey));
        sent(&gateways[0], &gateways[0]).expect("it is sent");
        chain.apply_submitted();
    });
}

#[test]
fn every_registered_device_is_explained() {
    run("development", |_| {
        let validator = DeviceId(Ed25519Keyring::Alice.to_raw_public());
        let explained = explained(validator);
        assert_eq!((explained.role, explained.out), (Role::Validator, None));
        assert_eq!(explained.score.quality, Score::ONE);
        assert_eq!(views::explain_score(DeviceId([9; 32])), None);
    });
}
