use super::*;
use pallet_edge_traits::HostKeccak;
use selvedge_primitives_math::proof::{verify_entries, verify_leaves};

#[test]
fn shows_what_every_gateway_charged() {
    run(|| {
        let ours = settled();
        let theirs = trees(RIVAL, 10, &[Used(1, 0, CACHE, 40)]);
        commit(&theirs);
        at(12, 2);
        assert_ok!(send(5, settle(&theirs, 0, 64)));
        let invoice = Billing::invoice(&account(1), Epoch(10)).unwrap();
        let mut lines: Vec<_> = invoice
            .lines
            .iter()
            .map(|item| (item.gateway, item.line.amount))
            .collect();
        lines.sort();
        assert_eq!(lines, [(GATEWAY, 240), (RIVAL, 60)]);
        assert_eq!(DEPOSIT - balance(1), 300);
        assert!(invoice.complete);

        // A client checks the line against the commitment with what the gateway serves.
        let item = invoice
            .lines
            .iter()
            .find(|item| item.gateway == GATEWAY)
            .unwrap();
        let kind = TreeKind::Customers;
        let entry = ours.entries(kind)[item.line.entry as usize];
        let proof = ours.prove_entries::<HostKeccak>(kind, item.line.entry, 1);
        verify_entries::<HostKeccak>(kind, &item.commitment.customers, &[entry], &proof).unwrap();
        assert_eq!(
            (entry.sum.amount, entry.sum.paid),
            (item.line.amount, item.line.paid)
        );
        let leaves = ours.leaves_of(kind, item.line.entry as usize);
        let proof = ours.prove_leaves::<HostKeccak>(kind, item.line.entry as usize, 0, 64);
        verify_leaves::<HostKeccak>(kind, &entry, &leaves, &proof).unwrap();
    });
}

#[test]
fn is_complete_once_nothing_more_can_come() {
    run(|| {
        let is_complete = || Billing::invoice(&account(1), Epoch(10)).unwrap().complete;
        network();
        assert_eq!(Billing::invoice(&account(1), Epoch(10)), None);
        at(11, 0);
        let trees = usual(GATEWAY, 10);
        commit(&trees);
        at(11, 2);
        assert!(!is_complete(), "charges are due");
        assert_ok!(send(5, settle(&trees, 0, 64)));
        assert!(!is_complete(), "the other gateway may come late");
        at(14, 1);
        assert!(!is_complete());
        at(14, 2);
        assert!(is_complete(), "the last chance has passed");
    });
    run(|| {
        network();
        at(11, 0);
        commit(&usual(GATEWAY, 10));
        at(16, 3);
        assert!(!Billing::invoice(&account(1), Epoch(10)).unwrap().complete);
        at(17, 0);
        assert!(
            Billing::invoice(&account(1), Epoch(10)).unwrap().complete,
            "overdue"
        );
    });
}

#[test]
fn leases_follow_terms_funds_and_stakes() {
    run(|| {
        network();
        let lease =
            |service, gateway, epoch| Billing::lease_of(ServiceId(service), &gateway, Epoch(epoch));
        assert_eq!(lease(0, GATEWAY, 10), 500);
        assert_eq!(lease(0, CACHE, 10), 0);
        assert_eq!(lease(9, GATEWAY, 10), 0);
        assert_eq!(lease(0, GATEWAY, 9), 0, "not funded yet");
        world(|world| world.active.remove(&(Role::Gateway, RIVAL)));
        assert_eq!(lease(0, GATEWAY, 10), CAP);
        world(|world| world.services.get_mut(&ServiceId(0)).unwrap().active = false);
        assert_eq!(lease(0, GATEWAY, 10), 0);
    });
}
