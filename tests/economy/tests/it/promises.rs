//! Runs of the strategies. The long version is the example `report`.

use selvedge_economy_simulation::{
    model::audit::DrawRule,
    strategy::{self, Promise, Strategy},
    summary::summarise,
    Outcome, Rules, Scenario,
};

/// Epochs of an era in tests: fewer than live ones, since what counts happens per era.
pub(crate) const EPOCHS: u64 = 4;

pub(crate) fn run(name: &str, scenario: Scenario, rules: Rules) -> Option<Outcome> {
    run_with(name, scenario, rules, DrawRule::Mixed)
}

pub(crate) fn run_with(
    name: &str,
    scenario: Scenario,
    rules: Rules,
    draw_rule: DrawRule,
) -> Option<Outcome> {
    let make = || -> Box<dyn Strategy> {
        strategy::all()
            .into_iter()
            .find(|one| one.name() == name)
            .expect("a strategy has this name")
    };
    selvedge_economy_simulation::compare(&make, scenario, rules, draw_rule)
        .expect("the books balance")
}

#[test]
fn inside_the_joint_ranges_every_attack_ends_poorer() {
    // Seeds 3 and 7 are corners.
    for rules in [Rules::Written, Rules::Proposed] {
        for summary in summarise("", 0..9, EPOCHS, rules, &|| {}).expect("the books balance") {
            let paying: Vec<_> = summary.paying().collect();
            assert!(
                summary.is_kept(),
                "{} under {rules:?}: {paying:#?}",
                summary.name
            );
        }
    }
}

#[test]
fn what_pays_as_written_does_not_as_proposed() {
    for (name, seed) in [
        ("wash at low tide", 50),
        ("wash before a change of rates", 271),
        ("withheld leaves", 66),
        ("throw-away devices", 40),
        ("draining for ever", 91),
        ("lazy auditors", 67),
        ("void and exit", 64),
    ] {
        let scenario = || Scenario::sample(seed, EPOCHS);
        let written = run(name, scenario(), Rules::Written).expect("there is something to do");
        assert!(written.net() > 0, "{name}: {written:?}");
        if let Some(proposed) = run(name, scenario(), Rules::Proposed) {
            assert!(proposed.net() < 0, "{name}: {proposed:?}");
        }
    }
}

#[test]
fn each_strategy_that_pays_as_written_is_pinned_above() {
    let open: Vec<_> = strategy::all()
        .iter()
        .filter(|one| one.promise() == Promise::PoorerAsProposed)
        .map(|one| one.name())
        .collect();
    assert_eq!(
        open,
        [
            "wash at low tide",
            "wash before a change of rates",
            "withheld leaves",
            "throw-away devices",
            "draining for ever",
            "lazy auditors",
            "void and exit",
        ]
    );
}

#[test]
fn a_seed_gives_the_same_outcome_twice() {
    for name in ["wash traffic", "withheld leaves"] {
        let once = || run(name, Scenario::sample(5, EPOCHS), Rules::Written);
        assert_eq!(once(), once());
    }
}

#[test]
fn a_live_era_of_24_epochs_gives_the_same_signs() {
    for name in [
        "wash traffic",
        "referral ring",
        "idle farming",
        "Sybil caches",
    ] {
        let outcome = run(name, Scenario::sample(2, 24), Rules::Written);
        assert!(outcome.is_some_and(|outcome| outcome.net() < 0), "{name}");
    }
}
