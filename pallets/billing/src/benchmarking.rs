//! Benchmarks of every call, of its authorization, and of clearing.
//!
//! Customers have as many services as an account may have, since every charge looks at all their
//! allowances. A page covers its whole tree, so that the end of a walk is in it; what a deeper tree
//! adds is [`siblings`](benchmarks).

use crate::{agent::*, types::*, *};
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::{
    assert_ok,
    pallet_prelude::{Authorize, Get},
    traits::{
        fungible::{Inspect, Mutate},
        EnsureOrigin,
    },
    weights::WeightMeter,
};
use frame_system::RawOrigin;
use pallet_edge_traits::{genesis_hash, BenchmarkNodes, EpochClock, HostKeccak, ServiceInspect};
use selvedge_primitives_math::{
    price::charge, proof::verify_entries, Node, ProofError, RangeProof, TreeKind, UsageTrees,
};
use selvedge_primitives_types::{
    Account as AccountBytes, DeviceId, Domain, EntryKey, Epoch, Leaf, LeafBody, Millis, Planck,
    Role, ServiceId, Signature64, Slice, Sum, Usage, UsageClass,
};
use sp_core::crypto::KeyTypeId;
use sp_runtime::{transaction_validity::TransactionSource, AccountId32};

/// Sets up what other pallets answer in a benchmark.
pub trait BenchmarkHelper: BenchmarkNodes<AccountId32> {
    /// Moves the usage clock to so many quarters of an epoch.
    fn set_clock(epoch: Epoch, quarters: u64);
    /// Adds an active service with a published price list, in force from epoch 0 on, and pins that come to a byte or more
    /// in every epoch.
    fn add_service(owner: &AccountId32, cap: Planck) -> ServiceId;
}

const AGENT: KeyTypeId = KeyTypeId(selvedge_primitives_types::agent::AGENT_KEY_TYPE);
const GATEWAY: DeviceId = DeviceId([1; 32]);
const EPOCH: Epoch = Epoch(10);
/// Services that an account may have.
const SERVICES: u32 = 64;

fn account(kind: u8, number: u32) -> AccountId32 {
    let mut bytes = [kind; 32];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    AccountId32::new(bytes)
}

fn cache(number: u32) -> DeviceId {
    DeviceId(*account(3, number).as_ref())
}

/// An account with `amount` on deposit, and as much left.
fn customer<T: Config>(number: u32, amount: Planck) -> AccountId32 {
    let who = account(2, number);
    let funds = 2 * amount + T::Currency::minimum_balance();
    T::Currency::mint_into(&who, funds).expect("issuance has room");
    assert_ok!(Pallet::<T>::do_deposit(&who, amount, None));
    who
}

/// The first of as many services as the account may have.
fn services<T: Config>(who: &AccountId32, cap: Planck) -> ServiceId {
    let first = T::BenchmarkHelper::add_service(who, cap);
    for _ in 1..SERVICES {
        T::BenchmarkHelper::add_service(who, cap);
    }
    first
}

/// What a deposit has to be so that nothing in a benchmark exceeds it.
fn plenty<T: Config>() -> Planck {
    1_000_000_000_000u128
        .max(T::MinDeposit::get())
        .max(T::Currency::minimum_balance())
}

/// Use of `n` services of as many customers through as many caches, with the agent's public key.
fn usage<T: Config>(n: u32) -> (UsageTrees, sp_core::sr25519::Public) {
    let pot = Pallet::<T>::pot();
    T::Currency::mint_into(&pot, T::Currency::minimum_balance()).expect("issuance has room");
    T::BenchmarkHelper::set_clock(EPOCH, 0);
    let key = sp_io::crypto::sr25519_generate(AGENT, None);
    T::BenchmarkHelper::add_node(GATEWAY, Role::Gateway, &account(4, 0), key.0);
    let leaves = (0..n.max(1))
        .map(|number| {
            let who = customer::<T>(number, plenty::<T>());
            let service = services::<T>(&who, plenty::<T>() / 100);
            T::BenchmarkHelper::add_node(cache(number), Role::Cache, &account(5, number), [0; 32]);
            let terms = T::Services::terms_at(service, EPOCH).expect("the helper added it");
            let prices = T::Services::prices(terms.price_version).expect("it has prices");
            // Storage is held against what the pins of the service came to.
            let paid = Usage::ZERO
                .with(UsageClass::Requests, 1_000)
                .with(UsageClass::StorageByteHours, 1);
            let body = LeafBody {
                gateway: GATEWAY,
                epoch: EPOCH,
                customer: AccountBytes(who.into()),
                service,
                cache: cache(number),
                slice: Slice(0),
                price_version: terms.price_version,
                paid,
                amount: charge(&paid, &prices).expect("a small charge"),
                ..Default::default()
            };
            Leaf {
                body,
                ..Default::default()
            }
        })
        .collect();
    (
        UsageTrees::build::<HostKeccak>(leaves).expect("distinct leaves"),
        key,
    )
}

fn committed<T: Config>(n: u32) -> (UsageTrees, sp_core::sr25519::Public) {
    let (trees, key) = usage::<T>(n);
    T::BenchmarkHelper::set_clock(EPOCH.next(), 0);
    assert_ok!(Pallet::<T>::do_commit(trees.commitment(GATEWAY, EPOCH)));
    T::BenchmarkHelper::set_clock(EPOCH.next(), 2);
    (trees, key)
}

type Shown = (Page, RangeProof<EntryKey>);

fn page(trees: &UsageTrees, kind: TreeKind) -> Shown {
    let entries: Vec<_> = trees.entries(kind).to_vec();
    let len = entries.len() as u32;
    let page = entries.try_into().expect("at most a page of entries");
    (page, trees.prove_entries::<HostKeccak>(kind, 0, len))
}

fn settled<T: Config>(n: u32) -> UsageTrees {
    let (trees, _) = committed::<T>(n);
    let (entries, proof) = page(&trees, TreeKind::Customers);
    assert_ok!(Pallet::<T>::do_settle(GATEWAY, EPOCH, &entries, &proof));
    trees
}

fn sign<T: Config>(key: &sp_core::sr25519::Public, payload: &impl codec::Encode) -> Signature64 {
    let message = Domain::Agent.message(&genesis_hash::<T>(), payload);
    let signature = sp_io::crypto::sr25519_sign(AGENT, key, &message);
    Signature64(signature.expect("the key was generated here").0)
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn deposit() {
        let who = customer::<T>(0, plenty::<T>());
        services::<T>(&who, plenty::<T>());
        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), plenty::<T>());
        let balance = Accounts::<T>::get(who).map(|account| account.balance);
        assert_eq!(balance, Some(2 * plenty::<T>()));
    }

    #[benchmark]
    fn deposit_referred() {
        let who = account(2, 0);
        let funds = 2 * plenty::<T>();
        T::Currency::mint_into(&who, funds).expect("issuance has room");
        services::<T>(&who, plenty::<T>());
        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), plenty::<T>(), account(9, 0));
        assert_eq!(Referrers::<T>::get(who), Some(account(9, 0)));
    }

    #[benchmark]
    fn withdraw() {
        let who = customer::<T>(0, plenty::<T>());
        services::<T>(&who, 1);
        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), 1);
        let balance = Accounts::<T>::get(who).map(|account| account.balance);
        assert_eq!(balance, Some(plenty::<T>() - 1));
    }

    #[benchmark]
    fn close() {
        let who = customer::<T>(0, plenty::<T>());
        services::<T>(&who, 0);
        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()));
        let state = Accounts::<T>::get(who).map(|account| account.state);
        assert_eq!(state, Some(AccountState::Closed));
    }

    #[benchmark]
    fn poke() {
        let who = customer::<T>(0, plenty::<T>());
        services::<T>(&who, plenty::<T>());
        #[extrinsic_call]
        _(RawOrigin::Signed(account(9, 0)), who.clone());
        let state = Accounts::<T>::get(who).map(|account| account.state);
        assert!(matches!(state, Some(AccountState::Suspended(_))));
    }

    #[benchmark]
    fn commit_usage() {
        let (trees, _) = usage::<T>(1);
        T::BenchmarkHelper::set_clock(EPOCH.next(), 0);
        let commitment = trees.commitment(GATEWAY, EPOCH);
        #[extrinsic_call]
        _(
            RawOrigin::Authorized,
            commitment.into(),
            Signature64([0; 64]),
        );
        assert!(Pallet::<T>::commitment(&GATEWAY, EPOCH).is_some());
    }

    #[benchmark]
    fn authorize_commit_usage() -> Result<(), BenchmarkError> {
        let (trees, key) = usage::<T>(1);
        T::BenchmarkHelper::set_clock(EPOCH.next(), 0);
        let commitment = trees.commitment(GATEWAY, EPOCH);
        let agent_signature = sign::<T>(&key, &commit_payload(&commitment));
        let call = Call::<T>::commit_usage {
            commitment: commitment.into(),
            agent_signature,
        };
        #[block]
        {
            call.authorize(TransactionSource::External)
                .ok_or("commit_usage is authorized")?
                .map_err(|_| "refused")?;
        }
        Ok(())
    }

    #[benchmark]
    fn authorize_page(n: Linear<1, MAX_PAGE>) -> Result<(), BenchmarkError> {
        let (trees, key) = committed::<T>(n);
        let (entries, proof) = page(&trees, TreeKind::Customers);
        let payload = page_payload(Walk::Settle, GATEWAY, EPOCH, &entries, &proof);
        let agent_signature = Some(sign::<T>(&key, &payload));
        let (gateway, epoch) = (GATEWAY, EPOCH);
        let call = Call::<T>::settle {
            gateway,
            epoch,
            entries,
            proof,
            agent_signature,
        };
        #[block]
        {
            call.authorize(TransactionSource::External)
                .ok_or("settle is authorized")?
                .map_err(|_| "refused")?;
        }
        Ok(())
    }

    #[benchmark]
    fn siblings(s: Linear<0, 31>) {
        let (trees, _) = usage::<T>(1);
        let kind = TreeKind::Customers;
        let (entries, _) = page(&trees, kind);
        // The entry is the last one of its tree. Only the root is not right, which shows last.
        let mut tree = trees.commitment(GATEWAY, EPOCH).customers;
        tree.entries = 1 << s;
        let nodes = (0..s).map(|number| {
            let mut key = EntryKey([0; 40]);
            key.0[31] = number as u8;
            Node {
                min: key,
                max: key,
                sum: Sum::default(),
                hash: [1; 32],
            }
        });
        let proof = RangeProof {
            start: tree.entries - 1,
            siblings: nodes.collect(),
        };
        let result;
        #[block]
        {
            result = verify_entries::<HostKeccak>(kind, &tree, &entries, &proof);
        }
        let expected = match s {
            0 => Ok(()),
            _ => Err(ProofError::WrongRoot),
        };
        assert_eq!(result, expected);
    }

    #[benchmark]
    fn settle(n: Linear<1, MAX_PAGE>) {
        let (trees, _) = committed::<T>(n);
        let (entries, proof) = page(&trees, TreeKind::Customers);
        #[extrinsic_call]
        _(
            RawOrigin::Signed(account(9, 0)),
            GATEWAY,
            EPOCH,
            entries,
            proof,
            None,
        );
        let record = Pallet::<T>::commitment(&GATEWAY, EPOCH).expect("it was committed");
        assert_eq!(record.settled, n);
    }

    #[benchmark]
    fn credit(n: Linear<1, MAX_PAGE>) {
        let trees = settled::<T>(n);
        T::BenchmarkHelper::set_clock(EPOCH.plus(1 + T::HoldBackEpochs::get()), 0);
        let (entries, proof) = page(&trees, TreeKind::Caches);
        #[extrinsic_call]
        _(
            RawOrigin::Signed(account(9, 0)),
            GATEWAY,
            EPOCH,
            entries,
            proof,
            None,
        );
        let record = Pallet::<T>::commitment(&GATEWAY, EPOCH).expect("it was committed");
        assert_eq!(record.status, Status::Credited);
    }

    #[benchmark]
    fn refund(n: Linear<1, MAX_PAGE>) {
        let trees = settled::<T>(n);
        assert_ok!(Pallet::<T>::do_void(GATEWAY, EPOCH, VoidReason::Ruled));
        let (entries, proof) = page(&trees, TreeKind::Customers);
        #[extrinsic_call]
        _(
            RawOrigin::Signed(account(9, 0)),
            GATEWAY,
            EPOCH,
            entries,
            proof,
            None,
        );
        let record = Pallet::<T>::commitment(&GATEWAY, EPOCH).expect("it was committed");
        assert_eq!(record.status, Status::Void);
    }

    #[benchmark]
    fn pay_referrals(n: Linear<1, MAX_PAGE>) {
        settled::<T>(1);
        let each = 1_000;
        Commitments::<T>::mutate(EPOCH, GATEWAY, |record| {
            let record = record.as_mut().expect("it was committed");
            record.status = Status::Credited;
            let all = each * Planck::from(n);
            record.referral = Referral {
                charged: all,
                unpaid: all,
                pool: all,
            };
        });
        assert_ok!(Pallet::<T>::add_pending(each * Planck::from(n)));
        for number in 0..n {
            Referred::<T>::insert((EPOCH, GATEWAY, account(7, number)), each);
        }
        #[extrinsic_call]
        _(RawOrigin::Signed(account(9, 0)), GATEWAY, EPOCH);
        let paid = Payouts::<T>::get(account(7, n - 1)).payable;
        assert_eq!(paid, each);
    }

    #[benchmark]
    fn release_first() {
        let (_, _) = usage::<T>(1);
        let (owner, amount) = (account(4, 0), 1_000);
        let kept = Kept {
            since: Millis(0),
            amount,
        };
        FirstEarnings::<T>::insert(GATEWAY, &owner, kept);
        assert_ok!(Pallet::<T>::add_pending(amount));
        let epochs = 2 * T::FirstHoldBack::get() / T::Clock::length().0.max(1) + 2;
        T::BenchmarkHelper::set_clock(EPOCH.plus(epochs), 0);
        #[extrinsic_call]
        _(RawOrigin::Signed(account(9, 0)), GATEWAY, owner.clone());
        assert_eq!(Payouts::<T>::get(owner).payable, amount);
    }

    #[benchmark]
    fn claim() {
        let (who, amount) = (account(6, 0), plenty::<T>());
        T::Currency::mint_into(&Pallet::<T>::pot(), 2 * amount).expect("issuance has room");
        assert_ok!(Pallet::<T>::add_payable(&who, amount));
        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()));
        assert_eq!(Payouts::<T>::get(who).claimed, amount);
    }

    #[benchmark]
    fn void() -> Result<(), BenchmarkError> {
        settled::<T>(1);
        let origin = T::VoidOrigin::try_successful_origin().map_err(|()| "no void origin")?;
        #[extrinsic_call]
        _(
            origin as T::RuntimeOrigin,
            GATEWAY,
            EPOCH,
            VoidReason::Ruled,
        );
        let record = Pallet::<T>::commitment(&GATEWAY, EPOCH).ok_or("it was committed")?;
        assert_eq!(record.status, Status::Refunding(0));
        Ok(())
    }

    #[benchmark]
    fn clear_step() {
        T::BenchmarkHelper::set_clock(EPOCH.plus(T::HistoryEpochs::get() + MAX_UNSETTLED), 0);
        let mut meter = WeightMeter::with_limit(T::WeightInfo::clear_step().saturating_mul(2));
        #[block]
        {
            Pallet::<T>::clear_history(&mut meter);
        }
        assert!(ClearFrom::<T>::get() > Epoch(0));
    }

    #[benchmark]
    fn clear_batch(n: Linear<1, MAX_PAGE>) {
        settled::<T>(n);
        let removed;
        #[block]
        {
            removed = InvoiceLines::<T>::drain_prefix((EPOCH,))
                .take(n as usize)
                .count();
        }
        assert_eq!(removed, n as usize);
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::bare(), crate::mock::Test);
}
