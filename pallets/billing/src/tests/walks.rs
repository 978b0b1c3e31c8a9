//! Whatever is called in whatever order, the books balance after every call.

use super::*;
use proptest::prelude::*;

/// Something that happens.
#[derive(Clone, Debug)]
enum Step {
    Pass(u64),
    Deposit(u8, Planck),
    Withdraw(u8, Planck),
    Close(u8),
    Commit {
        rival: bool,
        back: u64,
        requests: [u64; 4],
        stranger: bool,
    },
    /// The step that a commitment is due for.
    Due {
        rival: bool,
        back: u64,
        len: u32,
    },
    /// Any step at any cursor.
    Walk {
        step: u8,
        rival: bool,
        back: u64,
        start: u32,
        len: u32,
    },
    Void {
        rival: bool,
        back: u64,
    },
    Claim(u8),
    Clear(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 1u8..=2;
    let back = || 1u64..=7;
    let requests = proptest::array::uniform4(0u64..180);
    prop_oneof![
        8 => (1u64..=3).prop_map(Step::Pass),
        1 => (who(), 0u128..3_000).prop_map(|(who, amount)| Step::Deposit(who, amount)),
        1 => (who(), 0u128..14_000).prop_map(|(who, amount)| Step::Withdraw(who, amount)),
        1 => who().prop_map(Step::Close),
        6 => (any::<bool>(), 1u64..=3, requests, proptest::bool::weighted(0.1)).prop_map(
            |(rival, back, requests, stranger)| Step::Commit { rival, back, requests, stranger }
        ),
        24 => (any::<bool>(), back(), 1u32..4)
            .prop_map(|(rival, back, len)| Step::Due { rival, back, len }),
        4 => (0u8..3, any::<bool>(), back(), 0u32..2, 1u32..4).prop_map(
            |(step, rival, back, start, len)| Step::Walk { step, rival, back, start, len }
        ),
        1 => (any::<bool>(), back()).prop_map(|(rival, back)| Step::Void { rival, back }),
        2 => prop_oneof![Just(11u8), Just(12), Just(21), Just(22), Just(200), Just(1)]
            .prop_map(Step::Claim),
        1 => (0u64..200_000).prop_map(Step::Clear),
    ]
}

#[derive(Default)]
struct Network {
    trees: std::collections::BTreeMap<(DeviceId, u64), UsageTrees>,
    quarters: u64,
}

impl Network {
    fn epoch(&self) -> u64 {
        10 + self.quarters / 4
    }

    /// Does a step; whether it had an effect.
    fn take(&mut self, step: Step) -> bool {
        let device = |rival| if rival { RIVAL } else { GATEWAY };
        match step {
            Step::Pass(quarters) => {
                self.quarters += quarters;
                at(self.epoch(), self.quarters % 4);
                true
            }
            Step::Deposit(who, amount) => send(who, deposit(amount)).is_ok(),
            Step::Withdraw(who, amount) => send(who, Call::withdraw { amount }).is_ok(),
            Step::Close(who) => send(who, Call::close {}).is_ok(),
            Step::Commit {
                rival,
                back,
                requests,
                stranger,
            } => {
                let (gateway, epoch) = (device(rival), self.epoch() - back);
                let [a, b, c, d] = requests;
                let last = if stranger {
                    DeviceId([77; 32])
                } else {
                    NO_CACHE
                };
                let used = [
                    Used(1, 0, CACHE, a),
                    Used(1, 0, OTHER_CACHE, b),
                    Used(2, 1, CACHE, c),
                    Used(2, 1, last, d),
                ];
                let trees = trees(gateway, epoch, &used);
                let call = commit_call(commitment(&trees));
                let done = authorize(&call).is_ok();
                assert_eq!(dispatch(RawOrigin::Authorized.into(), call).is_ok(), done);
                if done {
                    self.trees.insert((gateway, epoch), trees);
                }
                done
            }
            Step::Due { rival, back, len } => {
                let key = (device(rival), self.epoch().saturating_sub(back));
                let Some(trees) = self.trees.get(&key) else {
                    return false;
                };
                let Some(record) = Billing::commitment(&key.0, Epoch(key.1)) else {
                    return false;
                };
                let (step, start) = match record.status {
                    Status::Pending => (Walk::Settle, 0),
                    Status::Settling(cursor) => (Walk::Settle, cursor),
                    Status::HeldBack { checked, .. } => {
                        (Walk::Credit, checked % record.commitment.caches.entries)
                    }
                    Status::Crediting(cursor) => (Walk::Credit, cursor),
                    Status::Refunding(cursor) => (Walk::Refund, cursor),
                    Status::Credited | Status::Void => return false,
                };
                send(5, walk(step, trees, start, len)).is_ok()
            }
            Step::Walk {
                step,
                rival,
                back,
                start,
                len,
            } => {
                let key = (device(rival), self.epoch().saturating_sub(back));
                let Some(trees) = self.trees.get(&key) else {
                    return false;
                };
                let step = [Walk::Settle, Walk::Credit, Walk::Refund][usize::from(step)];
                send(5, walk(step, trees, start, len)).is_ok()
            }
            Step::Void { rival, back } => {
                let epoch = Epoch(self.epoch().saturating_sub(back));
                let reason = VoidReason::Ruled;
                dispatch(
                    root(),
                    Call::void {
                        gateway: device(rival),
                        epoch,
                        reason,
                    },
                )
                .is_ok()
            }
            Step::Claim(who) => send(
                5,
                Call::claim_for {
                    account: account(who),
                },
            )
            .is_ok(),
            Step::Clear(weight) => {
                use frame_support::{traits::Hooks, weights::Weight};
                Billing::on_idle(1, Weight::from_parts(weight, 0));
                true
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..Default::default() })]

    #[test]
    fn every_order_of_calls_keeps_the_books(steps in proptest::collection::vec(step(), 1..120)) {
        run(|| {
            network();
            HistoryEpochs::set(9);
            // Everything that exists: nothing is made, and only the burn is lost.
            let issued = pallet_balances::TotalIssuance::<Test>::get();
            let mut network = Network::default();
            for step in steps {
                let told = format!("{step:?}");
                network.take(step);
                assert_eq!(Billing::check_invariants(), Ok(()), "after {told}");
                assert_eq!(Billing::pot_surplus(), Some(0), "after {told}");
                let burnt = crate::RunningTotals::<Test>::get().books.shares.burn;
                assert_eq!(pallet_balances::TotalIssuance::<Test>::get() + burnt, issued);
            }
        });
    }
}

/// Steps of the random walks above have to reach the ends of a commitment's life, or they prove
/// little.
#[test]
fn random_walks_reach_every_end() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let (mut credited, mut voided, mut refunded) = (0, 0, 0);
    for _ in 0..60 {
        let steps = proptest::collection::vec(step(), 100..120)
            .new_tree(&mut runner)
            .unwrap();
        run(|| {
            network();
            let mut network = Network::default();
            steps.current().into_iter().for_each(|step| {
                network.take(step);
            });
            for record in Commitments::<Test>::iter_values() {
                credited += u32::from(record.status == Status::Credited);
                voided += u32::from(record.status == Status::Void);
                refunded += u32::from(record.books.refunded > 0);
            }
        });
    }
    assert!(
        credited > 0 && voided > 0 && refunded > 0,
        "{credited} {voided} {refunded}"
    );
}
