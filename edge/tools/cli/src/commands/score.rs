//! `selvedge node score`: what a node's scores are made of.

use super::Context;
use crate::{error::Failure, output, views};
use selvedge_primitives_runtime_api::{OutReason, PlaceView, ProbesView, ScoreExplanation};
use selvedge_primitives_types::{DeviceId, Role, Score};

pub async fn explain(context: &Context<'_>, device: DeviceId) -> anyhow::Result<()> {
    let explained: Option<ScoreExplanation> = context
        .chain()
        .await?
        .view("NodesApi_explain_score", &device)
        .await?;
    let explained =
        explained.ok_or_else(|| Failure::NotFound(format!("no device {device} is registered")))?;
    let value = views::ScoreExplanation::from(&explained);
    context
        .output
        .answer(&value, || output::list(&rows(&explained)))
}

fn rows(explained: &ScoreExplanation) -> Vec<(&'static str, String)> {
    let score = &explained.score;
    let mut rows = vec![
        ("device", explained.device.to_string()),
        ("role", explained.role.to_string()),
        ("standing", standing(explained)),
        ("era", score.era.to_string()),
        (
            "quality",
            format!("{}, of this era an eighth", score.quality),
        ),
        (
            "service",
            format!("{}, of this era an eighth", score.service),
        ),
    ];
    if explained.role == Role::Validator {
        let blocks = explained.blocks.map_or_else(
            || "not in the set yet".into(),
            |(authored, expected)| {
                format!(
                    "{} = {authored} authored of {expected} expected",
                    score.jobs
                )
            },
        );
        rows.push(("  blocks", blocks));
        return rows;
    }
    let probes = &explained.probes;
    rows.extend([
        ("  answered", answered(explained)),
        ("  right bytes", share(probes.right, probes.served)),
        ("  ok", format!("{} = answered × right bytes", score.ok)),
        ("  speed", speed(explained)),
        (
            "  jobs",
            format!(
                "{} = usually {} per stake against a median of {}; {} in this era",
                score.jobs, score.usual, score.regional_median, score.jobs_per_stake
            ),
        ),
        (
            "availability",
            format!(
                "{} expected; out below half of it",
                Score(explained.expected.0)
            ),
        ),
        ("region", place(explained)),
        ("this era so far", so_far(&explained.current)),
    ]);
    rows
}

fn standing(explained: &ScoreExplanation) -> String {
    let mut text = match (&explained.out, explained.draining) {
        (Some((OutReason::Unavailable, since)), _) => {
            format!("out since epoch {since}: it answered too seldom; `selvedge node rejoin`")
        }
        (Some((OutReason::RegionDisproved(region), since)), _) => {
            format!("out since epoch {since}: it is not in {region}; register it anew where it is")
        }
        (None, true) => "drains: nothing that is seen of it counts until the drain is over".into(),
        (None, false) => "counts".into(),
    };
    if let Some(since) = explained.disputed {
        text += &format!("; its region is disputed since epoch {since}");
    }
    text
}

fn share(part: u32, whole: u32) -> String {
    match whole {
        0 => format!("{} (no samples)", Score::ONE),
        _ => {
            let share = u64::from(part) * u64::from(Score::ONE.0) / u64::from(whole);
            format!("{} = {part} of {whole} epochs", Score(share as u32))
        }
    }
}

fn answered(explained: &ScoreExplanation) -> String {
    let probes = &explained.probes;
    let mut text = share(probes.answered, probes.sampled);
    if explained.absent > 0 {
        text += &format!("; on no device in {}", explained.absent);
    }
    text
}

fn speed(explained: &ScoreExplanation) -> String {
    let speed = explained.score.speed;
    match (explained.median_pace, explained.probes.pace) {
        (Some(median), Some(pace)) => {
            format!("{speed} = median of {median} µs over {pace} µs per 64 KiB")
        }
        _ => format!("{speed} (no samples)"),
    }
}

fn place(explained: &ScoreExplanation) -> String {
    let verdict = match explained.place {
        PlaceView::Unknown => "too few probers there to say".into(),
        PlaceView::Plausible => "plausible".into(),
        PlaceView::FarFromHome => "far from everybody there".into(),
        PlaceView::Elsewhere(region) => format!("it seems to be in {region}"),
    };
    let micros = |value: Option<u64>| value.map_or("unknown".into(), |value| format!("{value} µs"));
    format!(
        "{}: {verdict} (round trip {}, usual {})",
        explained.region,
        micros(explained.probes.round_trip),
        micros(explained.usual_round_trip)
    )
}

fn so_far(current: &ProbesView) -> String {
    format!(
        "answered {}, right bytes {}",
        share(current.answered, current.sampled),
        share(current.right, current.served)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_primitives_runtime_api::ScoreView;
    use selvedge_primitives_types::{Epoch, Era, Ppm, Region};

    fn explained() -> ScoreExplanation {
        ScoreExplanation {
            device: DeviceId([1; 32]),
            role: Role::Gateway,
            region: Region::parse("eu-west").unwrap(),
            score: ScoreView {
                quality: Score(937_500),
                service: Score(968_750),
                era: Era(3),
                jobs_per_stake: 9,
                usual: 7,
                regional_median: 7,
                jobs: Score::ONE,
                ok: Score::ONE,
                speed: Score(500_000),
            },
            blocks: None,
            probes: ProbesView {
                sampled: 23,
                answered: 22,
                pace: Some(2_000),
                ..Default::default()
            },
            absent: 1,
            median_pace: Some(1_000),
            usual_round_trip: Some(900),
            place: PlaceView::Plausible,
            current: ProbesView::default(),
            expected: Ppm::percent(99),
            draining: false,
            out: None,
            disputed: None,
        }
    }

    fn shown(explained: &ScoreExplanation) -> String {
        output::list(&rows(explained))
    }

    #[test]
    fn every_component_stands_beside_its_inputs() {
        let text = shown(&explained());
        for line in [
            "answered       0.956 = 22 of 23 epochs; on no device in 1",
            "right bytes    1.000 (no samples)",
            "speed          0.500 = median of 1000 µs over 2000 µs per 64 KiB",
            "jobs           1.000 = usually 7 per stake against a median of 7; 9 in this era",
            "eu-west: plausible (round trip unknown, usual 900 µs)",
            "answered 1.000 (no samples)",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }

    #[test]
    fn a_node_that_is_out_is_told_what_to_do() {
        let out = ScoreExplanation {
            out: Some((OutReason::Unavailable, Epoch(96))),
            disputed: Some(Epoch(90)),
            ..explained()
        };
        let text = shown(&out);
        assert!(text.contains("out since epoch 96") && text.contains("selvedge node rejoin"));
        assert!(text.contains("disputed since epoch 90"));
    }

    #[test]
    fn a_validator_is_explained_by_its_blocks() {
        let validator = ScoreExplanation {
            role: Role::Validator,
            blocks: Some((50, 100)),
            ..explained()
        };
        let text = shown(&validator);
        assert!(text.contains("50 authored of 100 expected"));
        assert!(!text.contains("speed"));
    }
}
