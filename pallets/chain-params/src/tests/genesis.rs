//! What genesis accepts, and what the runtime reads of it.

use crate::{mock::*, *};

fn config(slot_duration_ms: u64, babe_epoch_length: u64) -> GenesisConfig<Test> {
    GenesisConfig {
        slot_duration_ms,
        babe_epoch_length,
        allow_local_names: true,
        ..Default::default()
    }
}

#[test]
fn the_runtime_reads_what_genesis_wrote() {
    build(config(6_000, 20)).execute_with(|| {
        assert_eq!(Engine::<Test>::get(), EngineKind::BabeGrandpa);
        assert_eq!(SlotDurationOf::<Test>::get(), 6_000);
        assert_eq!(MinimumPeriod::<Test>::get(), 3_000);
        assert_eq!(BabeEpochDuration::<Test>::get(), 20);
        assert!(LocalNames::<Test>::get());
        assert_eq!(ReferendumDayOf::<Test>::get(), 28_800);
        assert_eq!(CheckCostOf::<Test>::get(), 125_000_000);
        ChainParams::check_invariants().unwrap();
    });
}

#[test]
fn by_default_slots_last_three_seconds_and_names_need_proof() {
    build(Default::default()).execute_with(|| {
        assert_eq!(SlotDurationOf::<Test>::get(), 3_000);
        assert_eq!(BabeEpochDuration::<Test>::get(), 300);
        assert!(!LocalNames::<Test>::get());
        ChainParams::check_invariants().unwrap();
    });
}

#[test]
fn the_preset_is_readable_json() {
    let json = serde_json::to_value(config(6_000, 20)).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "engine": "babe-grandpa",
            "slotDurationMs": 6000,
            "babeEpochLength": 20,
            "allowLocalNames": true,
            "checkCost": 125_000_000,
            "firstHoldBackMs": 1_209_600_000u64,
            "referendumDayBlocks": 28800,
        })
    );
}

#[test]
#[should_panic(expected = "invariant 1")]
fn a_slot_below_a_second_is_refused() {
    build(config(998, 20));
}

#[test]
#[should_panic(expected = "invariant 1")]
fn a_slot_of_odd_milliseconds_is_refused() {
    build(config(3_001, 20));
}

#[test]
#[should_panic(expected = "invariant 2")]
fn a_babe_epoch_without_slots_is_refused() {
    build(config(3_000, 0));
}

#[test]
#[should_panic(expected = "invariant 3")]
fn a_day_of_referenda_without_blocks_is_refused() {
    build(GenesisConfig {
        referendum_day_blocks: 0,
        ..Default::default()
    });
}

#[test]
fn each_invariant_can_fail() {
    build(Default::default()).execute_with(|| {
        SlotDuration::<Test>::put(0);
        assert!(ChainParams::check_invariants()
            .unwrap_err()
            .starts_with("invariant 1"));
        SlotDuration::<Test>::put(3_000);
        BabeEpochLength::<Test>::put(0);
        assert!(ChainParams::check_invariants()
            .unwrap_err()
            .starts_with("invariant 2"));
        BabeEpochLength::<Test>::put(20);
        ReferendumDay::<Test>::put(0);
        assert!(ChainParams::check_invariants()
            .unwrap_err()
            .starts_with("invariant 3"));
    });
}
