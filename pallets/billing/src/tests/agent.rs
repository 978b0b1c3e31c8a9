//! Pages that an agent brings without an account.

use super::*;

/// The call with `by`'s signature over the page.
fn signed(step: Walk, trees: &UsageTrees, start: u32, by: DeviceId) -> Call<Test> {
    with_signature(walk(step, trees, start, 64), |payload_of| {
        Some(sign(
            by,
            &page_payload(step, payload_of.0, payload_of.1, payload_of.2, payload_of.3),
        ))
    })
}

type Parts<'a> = (DeviceId, Epoch, &'a [Entry], &'a RangeProof<EntryKey>);

fn with_signature(
    mut call: Call<Test>,
    sign: impl FnOnce(Parts<'_>) -> Option<Signature64>,
) -> Call<Test> {
    match &mut call {
        Call::settle {
            gateway,
            epoch,
            entries,
            proof,
            agent_signature,
        }
        | Call::credit {
            gateway,
            epoch,
            entries,
            proof,
            agent_signature,
        }
        | Call::refund {
            gateway,
            epoch,
            entries,
            proof,
            agent_signature,
        } => {
            *agent_signature = sign((*gateway, *epoch, entries, proof));
        }
        _ => panic!("not a walk"),
    }
    call
}

fn bring(call: Call<Test>) -> Result<(), DispatchError> {
    authorize(&call).expect("authorized");
    dispatch(RawOrigin::Authorized.into(), call)
}

#[test]
fn walks_a_commitment_to_its_end() {
    run(|| {
        let trees = committed();
        assert_ok!(bring(signed(Walk::Settle, &trees, 0, GATEWAY)));
        assert_ok!(bring(signed(Walk::Credit, &trees, 0, GATEWAY)));
        at(13, 0);
        assert_ok!(bring(signed(Walk::Credit, &trees, 0, GATEWAY)));
        assert_eq!(status(&trees), Status::Credited);
    });
    run(|| {
        let trees = settled();
        let void = Call::void {
            gateway: GATEWAY,
            epoch: Epoch(10),
            reason: VoidReason::Ruled,
        };
        assert_ok!(dispatch(root(), void));
        assert_ok!(bring(signed(Walk::Refund, &trees, 0, GATEWAY)));
        assert_eq!(status(&trees), Status::Void);
    });
}

#[test]
fn needs_the_gateways_own_agent() {
    run(|| {
        let trees = committed();
        let bad_proof = Err(InvalidTransaction::BadProof.into());
        assert_eq!(
            authorize(&signed(Walk::Settle, &trees, 0, RIVAL)),
            bad_proof
        );
        assert_eq!(authorize(&settle(&trees, 0, 64)), bad_proof);
        world(|world| world.agents.clear());
        assert_eq!(
            authorize(&signed(Walk::Settle, &trees, 0, GATEWAY)),
            bad_proof
        );
    });
}

#[test]
fn a_signature_is_for_one_page_of_one_walk() {
    run(|| {
        let trees = committed();
        let mut taken = None;
        let good = signed(Walk::Settle, &trees, 0, GATEWAY);
        with_signature(good, |_| None);
        let good = signed(Walk::Settle, &trees, 0, GATEWAY);
        if let Call::settle {
            agent_signature, ..
        } = &good
        {
            taken = *agent_signature;
        }
        let bad_proof = Err(InvalidTransaction::BadProof.into());
        // A shorter page under the same signature.
        let other = with_signature(walk(Walk::Settle, &trees, 0, 1), |_| taken);
        assert_eq!(authorize(&other), bad_proof);
        assert_ok!(bring(good));
        let other = with_signature(walk(Walk::Credit, &trees, 0, 64), |_| taken);
        assert_eq!(authorize(&other), bad_proof);
    });
}

#[test]
fn is_not_let_in_out_of_turn() {
    run(|| {
        network();
        let trees = usual(GATEWAY, 10);
        let call = || signed(Walk::Settle, &trees, 0, GATEWAY);
        assert_eq!(authorize(&call()), Err(InvalidTransaction::Call.into()));
        at(11, 0);
        commit(&trees);
        assert_eq!(authorize(&call()), Err(InvalidTransaction::Future.into()));
        at(11, 2);
        let second = signed(Walk::Settle, &trees, 1, GATEWAY);
        assert_eq!(authorize(&second), Err(InvalidTransaction::Stale.into()));
        let early = signed(Walk::Credit, &trees, 0, GATEWAY);
        assert_eq!(authorize(&early), Err(InvalidTransaction::Stale.into()));
        assert_ok!(bring(call()));
        assert_eq!(authorize(&call()), Err(InvalidTransaction::Stale.into()));
        assert_ok!(bring(signed(Walk::Credit, &trees, 0, GATEWAY)));
        let held = signed(Walk::Credit, &trees, 0, GATEWAY);
        assert_eq!(authorize(&held), Err(InvalidTransaction::Future.into()));
        let refund = signed(Walk::Refund, &trees, 0, GATEWAY);
        assert_eq!(authorize(&refund), Err(InvalidTransaction::Stale.into()));
    });
}

/// A free transaction is one that will do its work: a page that proves nothing is not let in, even
/// signed.
#[test]
fn is_not_let_in_with_an_empty_page() {
    run(|| {
        let trees = committed();
        let proof = RangeProof {
            start: 0,
            siblings: Vec::new(),
        };
        let empty = Call::settle {
            gateway: GATEWAY,
            epoch: Epoch(10),
            entries: Default::default(),
            proof,
            agent_signature: None,
        };
        let call = with_signature(empty, |(gateway, epoch, entries, proof)| {
            Some(sign(
                gateway,
                &page_payload(Walk::Settle, gateway, epoch, entries, proof),
            ))
        });
        assert_eq!(authorize(&call), Err(InvalidTransaction::Call.into()));
        // Except to end what is overdue, which needs no page.
        at(17, 0);
        assert_ok!(bring(call));
        assert_eq!(void_reason(&trees), Some(VoidReason::Overdue));
    });
}

#[test]
fn a_proof_is_never_decoded_beyond_its_bound() {
    use codec::Decode;
    let trees = usual(GATEWAY, 10);
    let (_, mut proof) = page(&trees, TreeKind::Customers, 0, 1);
    proof.siblings = vec![proof.siblings[0]; 65];
    assert!(RangeProof::<EntryKey>::decode(&mut &proof.encode()[..]).is_err());
    proof.siblings.truncate(64);
    assert!(RangeProof::<EntryKey>::decode(&mut &proof.encode()[..]).is_ok());
}
