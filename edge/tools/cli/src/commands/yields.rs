//! `selvedge node earnings`: what a stake earned in its last eras, and what that is made of.

use super::Context;
use crate::{amount::Sel, cli::NodeEarningsArgs, error::Failure, keys, output, views};
use selvedge_primitives_runtime_api::{BoundView, EraEarningsExplanation, NodeView};
use selvedge_primitives_types::{Ppm, Role, Score, StakeId};

/// Eras that are explained to people unless they ask for more; programs get all.
const SHOWN: usize = 3;

pub async fn explain(context: &Context<'_>, args: NodeEarningsArgs) -> anyhow::Result<()> {
    let chain = context.chain().await?;
    let stake = match (args.stake, &args.device) {
        (Some(stake), _) => StakeId(stake),
        (None, Some(device)) => {
            let device = keys::device(device)?;
            let node: Option<NodeView> = chain.view("NodesApi_node", &device).await?;
            let node =
                node.ok_or_else(|| Failure::NotFound(format!("no device {device} is registered")))?;
            let carried = node.stake.ok_or_else(|| {
                Failure::NotFound(format!(
                    "device {device} carries no stake; name the one that it carried with --stake"
                ))
            })?;
            carried.0
        }
        (None, None) => {
            return Err(Failure::Input("name a device, or a stake with --stake".into()).into());
        }
    };
    let eras: Vec<EraEarningsExplanation> = chain.view("NodesApi_explain_earnings", &stake).await?;
    let value = views::StakeEarnings::new(stake, &eras);
    context
        .output
        .answer(&value, || text(stake, &eras, args.eras.unwrap_or(SHOWN)))
}

fn text(stake: StakeId, eras: &[EraEarningsExplanation], most: usize) -> String {
    let head = format!(
        "stake #{stake}: {} eras known, newest first, before claims\n",
        eras.len()
    );
    let shown = eras.iter().take(most);
    shown.fold(head, |text, era| text + "\n" + &output::list(&rows(era)))
}

fn rows(era: &EraEarningsExplanation) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("era", era.era.to_string()),
        ("device", format!("{}, {}", era.device, era.role)),
        (
            "base yield",
            scaled(era.base, era.base_claimed, era.base_scale),
        ),
        ("  β · APR", format!("{} · {} a year", era.beta, era.apr)),
        (
            "  stake · Q",
            format!("{} · {}", Sel(era.stake), era.quality),
        ),
        ("  carried for", format!("{:.2} h", hours(era))),
        (
            "activity yield",
            scaled(era.activity, activity(era), era.activity_scale),
        ),
        ("  the stake allows", allowed(era)),
    ];
    if era.role != Role::Validator {
        rows.push((
            "  charges return",
            format!(
                "{}, of {} matured: κ · λ · n by the rates of each",
                Sel(era.returnable),
                Sel(era.matured)
            ),
        ));
        let bound = match era.bound {
            BoundView::Stake => "the stake; more traffic would not have earned more",
            BoundView::Charges => "the charges; more stake would not have earned more",
        };
        rows.push(("  bound by", bound.into()));
    }
    rows
}

fn activity(era: &EraEarningsExplanation) -> u128 {
    match era.bound {
        BoundView::Stake => era.allowed,
        BoundView::Charges => era.returnable,
    }
}

fn hours(era: &EraEarningsExplanation) -> f64 {
    era.millis.0 as f64 / 3_600_000.0
}

fn allowed(era: &EraEarningsExplanation) -> String {
    let (most, factors) = match era.role {
        Role::Validator => (Score::ONE, String::new()),
        _ => (
            Score::MAX,
            format!(
                ", tenure {} days, boost {}",
                era.tenure_days,
                Score(era.boost.0)
            ),
        ),
    };
    format!(
        "{}: 1 − β, APR, stake, S {}{factors}",
        Sel(era.allowed),
        era.service.min(most)
    )
}

fn scaled(granted: u128, claimed: u128, scale: Ppm) -> String {
    match scale {
        Ppm::ONE => Sel(granted).to_string(),
        _ => format!(
            "{}, {scale} of {}: its pool could pay no more to all",
            Sel(granted),
            Sel(claimed)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_primitives_types::{DeviceId, Era, Millis};

    const SEL: u128 = 1_000_000_000_000;

    fn era() -> EraEarningsExplanation {
        EraEarningsExplanation {
            era: Era(7),
            base: 4 * SEL,
            activity: 3 * SEL,
            device: DeviceId([1; 32]),
            role: Role::Gateway,
            stake: 25_000 * SEL,
            millis: Millis(86_400_000),
            apr: Ppm::percent(15),
            beta: Ppm::percent(50),
            quality: Score(900_000),
            service: Score(1_100_000),
            tenure_days: 180,
            boost: Ppm(2_000_000),
            matured: 500 * SEL,
            returnable: 3 * SEL,
            base_claimed: 5 * SEL,
            allowed: 9 * SEL,
            bound: BoundView::Charges,
            base_scale: Ppm::percent(80),
            activity_scale: Ppm::ONE,
        }
    }

    fn shown(era: &EraEarningsExplanation) -> String {
        text(StakeId(4), std::slice::from_ref(era), SHOWN)
    }

    #[test]
    fn every_part_of_a_yield_is_told() {
        let text = shown(&era());
        for part in [
            "stake #4",
            "80.0000 % of 5",
            "50.0000 % · 15.0000 %",
            "24.00 h",
            "S 1.100, tenure 180 days, boost 2.000",
            "of 500",
            "bound by",
            "more stake would not",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }

    #[test]
    fn a_validator_brings_no_charges() {
        let validator = EraEarningsExplanation {
            role: Role::Validator,
            bound: BoundView::Stake,
            ..era()
        };
        let text = shown(&validator);
        assert!(text.contains("S 1.000") && !text.contains("charges") && !text.contains("tenure"));
    }

    #[test]
    fn only_the_newest_eras_are_told_unless_more_are_asked_for() {
        let eras = vec![era(); 9];
        let count = |most| text(StakeId(4), &eras, most).matches("base yield").count();
        assert_eq!((count(SHOWN), count(84)), (3, 9));
    }
}
