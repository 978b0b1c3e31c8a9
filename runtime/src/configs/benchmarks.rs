//! What benchmarks of one pallet need of the others.

use alloc::{string::String, vec};
use frame_support::traits::{fungible::Mutate, BuildGenesisConfig, Get};
use frame_system::RawOrigin;
use pallet_edge_registry::GenesisDevice;
use pallet_edge_services::types::{Kept, KeptHistory, Service, Terms, MAX_KEPT};
use pallet_edge_staking::GenesisStake;
use pallet_edge_traits::{EpochClock, StakeInspect};
use selvedge_primitives_types::{
    DeviceId, Epoch, Millis, Planck, Region, Role, ServiceId, UsageCommitment,
};
use sp_runtime::traits::Convert;

use super::params::{dynamic_params::billing::UnsettledEpochs, RoleAmount};
use crate::{AccountId, Balances, Billing, Runtime, UsageClock};

/// Sets up what other pallets answer, by way of their own storage.
pub struct Helper;

impl pallet_edge_traits::BenchmarkNodes<AccountId> for Helper {
    fn add_node(device: DeviceId, role: Role, owner: &AccountId, agent_key: [u8; 32]) {
        // No agent key is all zeros; a node without an agent has some other one.
        let agent_key = if agent_key == [0; 32] {
            [1; 32]
        } else {
            agent_key
        };
        pallet_edge_registry::GenesisConfig::<Runtime> {
            devices: vec![GenesisDevice {
                operator: owner.clone(),
                device,
                role,
                region: Region::parse("bench").expect("five letters are a region"),
                endpoint: String::from("127.0.0.1:1"),
                public_url: String::from("http://127.0.0.1"),
                capacity: 1,
                agent_key,
            }],
        }
        .build();
        let amount = RoleAmount::convert(role);
        Balances::mint_into(owner, amount * 2).expect("issuance has room");
        pallet_edge_staking::GenesisConfig::<Runtime> {
            stakes: vec![GenesisStake {
                owner: owner.clone(),
                device,
                role,
                amount: Some(amount),
            }],
            ..Default::default()
        }
        .build();
    }
}

impl pallet_edge_billing::benchmarking::BenchmarkHelper for Helper {
    fn set_clock(epoch: Epoch, quarters: u64) {
        pallet_edge_clock::Genesis::<Runtime>::put(Millis(1));
        pallet_edge_clock::Current::<Runtime>::put(epoch);
        let start = UsageClock::start_of(epoch).0;
        let now = start + UsageClock::length().0 * quarters / 4;
        pallet_timestamp::Now::<Runtime>::put(now);
    }

    fn add_service(owner: &AccountId, cap: Planck) -> ServiceId {
        let id = pallet_edge_services::NextId::<Runtime>::mutate(|next| {
            let id = *next;
            next.0 += 1;
            id
        });
        let service = Service {
            owner: owner.clone(),
            origin: b"http://127.0.0.1"
                .to_vec()
                .try_into()
                .expect("it is short"),
            hosts: Default::default(),
            deposit: 0,
        };
        pallet_edge_services::Services::<Runtime>::insert(id, service);
        let terms = Terms {
            from: Epoch(0),
            cap,
            price_version: 1,
            active: true,
        };
        pallet_edge_services::History::<Runtime>::mutate(id, |history| {
            history.try_push(terms).expect("it is the first")
        });
        let kept = (0..MAX_KEPT).map(|epoch| Kept {
            from: Epoch(epoch.into()),
            most: 1,
            last: 1,
        });
        let kept = KeptHistory::truncate_from(kept.collect());
        pallet_edge_services::KeptBytes::<Runtime>::insert(id, kept);
        pallet_edge_services::Owned::<Runtime>::mutate(owner, |services| {
            services.try_push(id).expect("there is room")
        });
        id
    }
}

impl pallet_edge_audits::benchmarking::BenchmarkHelper for Helper {
    fn commit(commitment: UsageCommitment) {
        use pallet_edge_billing::types::{Books, CommitmentRecord, EpochBook, Referral, Status};
        let UsageCommitment { gateway, epoch, .. } = commitment;
        let record = CommitmentRecord {
            commitment,
            status: Status::Pending,
            late: 0,
            settled: 0,
            void_reason: None,
            books: Books::default(),
            stake: RoleAmount::convert(Role::Gateway),
            referral: Referral::default(),
        };
        pallet_edge_billing::Commitments::<Runtime>::insert(epoch, gateway, record);
        pallet_edge_billing::Open::<Runtime>::mutate(gateway, |open| {
            open.try_push(epoch).expect("it is the first")
        });
        let book = EpochBook {
            commitments: 1,
            unsettled: 1,
            open: 1,
            ..Default::default()
        };
        pallet_edge_billing::EpochBooks::<Runtime>::insert(epoch, book);
    }

    fn add_service(owner: &AccountId, cap: Planck) -> ServiceId {
        <Self as pallet_edge_billing::benchmarking::BenchmarkHelper>::add_service(owner, cap)
    }

    fn set_take(take: Planck) {
        pallet_edge_billing::RunningTotals::<Runtime>::mutate(|totals| {
            totals.books.shares.treasury = take;
        });
    }

    fn set_clock(epoch: Epoch, quarters: u64) {
        <Self as pallet_edge_billing::benchmarking::BenchmarkHelper>::set_clock(epoch, quarters);
    }
}

impl pallet_edge_claims::benchmarking::BenchmarkHelper for Helper {
    fn set_epoch(epoch: Epoch) {
        <Self as pallet_edge_billing::benchmarking::BenchmarkHelper>::set_clock(epoch, 0);
    }

    fn paid(commitment: UsageCommitment, gateway_share: Planck) {
        use pallet_edge_billing::{types::Status, Commitments, Payouts};
        let UsageCommitment { gateway, epoch, .. } = commitment;
        if !Commitments::<Runtime>::contains_key(epoch, gateway) {
            <Self as pallet_edge_audits::benchmarking::BenchmarkHelper>::commit(commitment);
        }
        Commitments::<Runtime>::mutate(epoch, gateway, |record| {
            let record = record.as_mut().expect("it was committed");
            record.status = Status::Credited;
            record.books.shares.gateways = gateway_share;
        });
        let owner = <crate::NodeStaking as StakeInspect<AccountId>>::owner_at(&gateway, epoch);
        let owner = owner.expect("the node was added");
        Payouts::<Runtime>::mutate(owner, |payout| payout.payable += gateway_share);
        Balances::mint_into(
            &Billing::pot(),
            gateway_share + crate::constants::currency::SEL,
        )
        .expect("issuance has room");
    }

    fn held(
        commitment: UsageCommitment,
        customer: &AccountId,
        service: ServiceId,
        amount: Planck,
        matures: Epoch,
    ) {
        use pallet_edge_billing::{
            types::{InvoiceLine, Status},
            Commitments, InvoiceLines,
        };
        let UsageCommitment { gateway, epoch, .. } = commitment;
        <Self as pallet_edge_audits::benchmarking::BenchmarkHelper>::commit(commitment);
        Commitments::<Runtime>::mutate(epoch, gateway, |record| {
            let record = record.as_mut().expect("it was committed");
            record.status = Status::HeldBack {
                matures,
                checked: 0,
            };
        });
        let line = InvoiceLine {
            paid: Default::default(),
            free: Default::default(),
            amount,
            price_version: 1,
            entry: 0,
            refunded: false,
        };
        InvoiceLines::<Runtime>::insert((epoch, customer, (service, gateway)), line);
    }

    fn void(gateway: DeviceId, epoch: Epoch) {
        use pallet_edge_billing::types::{Status, VoidReason};
        let tree = selvedge_primitives_types::TreeCommitment {
            root: [0; 32],
            entries: 1,
            min: selvedge_primitives_types::EntryKey([0; 40]),
            max: selvedge_primitives_types::EntryKey([0; 40]),
            sum: Default::default(),
        };
        let commitment = UsageCommitment {
            gateway,
            epoch,
            customers: tree,
            caches: tree,
        };
        <Self as pallet_edge_audits::benchmarking::BenchmarkHelper>::commit(commitment);
        pallet_edge_billing::Commitments::<Runtime>::mutate(epoch, gateway, |record| {
            let record = record.as_mut().expect("it was committed");
            record.status = Status::Void;
            record.void_reason = Some(VoidReason::Ruled);
        });
    }
}

impl pallet_edge_reputation::benchmarking::BenchmarkHelper for Helper {
    fn set_clock(epoch: Epoch, quarters: u64) {
        <Self as pallet_edge_billing::benchmarking::BenchmarkHelper>::set_clock(epoch, quarters);
    }
}

impl pallet_edge_services::BenchmarkHelper<AccountId> for Helper {
    fn fund(who: &AccountId, caps: Planck) {
        // Every epoch that may be unsettled is reserved for, and one more for a later raise.
        let amount = caps.max(1_000_000_000_000) * Planck::from(UnsettledEpochs::get() + 1);
        // The rest is for deposits of services and host names.
        Balances::mint_into(who, amount * 1_000).expect("issuance has room");
        Billing::deposit(RawOrigin::Signed(who.clone()).into(), amount)
            .expect("the account has as much");
    }
}

impl pallet_transaction_payment::BenchmarkConfig for Runtime {}
