//! `ServiceInspect` over time.

use super::*;
use pallet_edge_traits::{ServiceInspect, ServiceTerms};

fn terms_at(service: ServiceId, epoch: u64) -> Option<ServiceTerms<sp_core::crypto::AccountId32>> {
    Services::terms_at(service, Epoch(epoch))
}

#[test]
fn terms_of_past_epochs_stay_answerable() {
    run(|| {
        let id = create(&[]);
        assert_ok!(Services::set_cap(by(ALICE), id, 2_000));
        go_to(15);
        assert_ok!(Services::pause(by(ALICE), id));
        go_to(20);
        assert_eq!(terms_at(id, 9), None, "it did not exist yet");
        assert_eq!(terms_at(NOBODYS, 20), None);
        assert_eq!(
            terms_at(id, 10).map(|t| (t.owner, t.cap)),
            Some((ALICE, 1_000))
        );
        assert_eq!(terms_at(id, 11).map(|t| t.cap), Some(2_000));
        assert_eq!(terms_at(id, 15).map(|t| t.active), Some(true));
        assert_eq!(terms_at(id, 16).map(|t| t.active), Some(false));
        assert_eq!(terms_at(id, u64::MAX).map(|t| t.active), Some(false));
    });
}

#[test]
fn caps_are_summed_over_the_services_of_the_owner() {
    run(|| {
        let first = create(&[]);
        create(&[]);
        let caps = |from, to| Services::caps_of(&ALICE, Epoch(from), Epoch(to));
        assert_eq!(caps(10, 10), 2_000);
        assert_eq!(caps(0, 9), 0);
        assert_ok!(Services::set_cap(by(ALICE), first, 5_000));
        assert_eq!(caps(10, 10), 2_000);
        assert_eq!(caps(10, 11), 6_000, "the highest cap of the window");
        assert_ok!(Services::pause(by(ALICE), first));
        assert_eq!(caps(11, 11), 1_000, "a paused service charges nothing");
        assert_eq!(Services::caps_of(&BOB, Epoch(0), Epoch(99)), 0);
    });
}

#[test]
fn sums_of_caps_saturate() {
    run(|| {
        for cap in [Planck::MAX, Planck::MAX] {
            let origin = b"https://origin.example".to_vec();
            assert_ok!(Services::create_service(by(ALICE), vec![], origin, cap, 1));
        }
        assert_eq!(Services::caps_of(&ALICE, Epoch(10), Epoch(10)), Planck::MAX);
    });
}

#[test]
fn all_services_come_in_the_order_of_their_ids() {
    run(|| {
        let ids: Vec<_> = (0..20).map(|_| create(&[])).collect();
        let all = Services::summaries_at(Epoch(10));
        assert_eq!(
            all.iter().map(|summary| summary.id).collect::<Vec<_>>(),
            ids
        );
        assert_eq!(Services::summaries_of(&ALICE), all);
        assert!(Services::summaries_at(Epoch(9)).is_empty());
        assert!(Services::summaries_of(&BOB).is_empty());
    });
}
