//! `selvedge parameters`.

use super::{account::duration, Context};
use crate::{
    amount::Sel,
    chain::Parameter,
    cli::ParametersArgs,
    error::Failure,
    output,
    views::{self, text},
};

pub async fn run(context: &Context<'_>, args: ParametersArgs) -> anyhow::Result<()> {
    let mut all = context.chain().await?.parameters().await?;
    if let Some(part) = &args.part {
        let part = part.to_lowercase();
        all.retain(|one| name(one).to_lowercase().contains(&part));
        if all.is_empty() {
            let message = format!("no parameter has {part:?} in its name");
            return Err(Failure::NotFound(message).into());
        }
    }
    let value: Vec<_> = all.iter().map(views::Parameter::from).collect();
    context.output.answer(&value, || {
        let rows = all.iter().map(|one| {
            let unit = text(&one.unit);
            [
                name(one),
                quantity(one.current, &unit),
                quantity(one.default, &unit),
                quantity(one.min, &unit),
                quantity(one.max, &unit),
                text(&one.track),
            ]
        });
        output::table(
            ["parameter", "value", "default", "least", "most", "track"],
            &[1, 2, 3, 4],
            rows.collect(),
        )
    })
}

fn name(one: &Parameter) -> String {
    format!("{}.{}", text(&one.area), text(&one.name))
}

/// A number with its unit, as people write it; units that are not known here stay as the chain writes them.
fn quantity(number: u128, unit: &str) -> String {
    match unit {
        "planck" => Sel(number).to_string(),
        "ms" => duration(number.try_into().unwrap_or(u64::MAX)),
        _ => match unit.strip_prefix("ppm") {
            Some(rest) => format!("{} %{rest}", percent(number)),
            None => format!("{number} {unit}"),
        },
    }
}

/// Millionths as a percentage, exactly.
fn percent(ppm: u128) -> String {
    let (whole, fraction) = (ppm / 10_000, format!("{:04}", ppm % 10_000));
    match fraction.trim_end_matches('0') {
        "" => whole.to_string(),
        fraction => format!("{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(quantity(150_000, "ppm"), "15 %");
        assert_eq!(quantity(120_000, "ppm per year"), "12 % per year");
        assert_eq!(quantity(5_050, "ppm"), "0.505 %");
        assert_eq!(quantity(50, "ppm"), "0.005 %");
        assert_eq!(quantity(500_000_000_000, "planck"), "0.5 SEL");
        assert_eq!(quantity(7 * 86_400_000, "ms"), "7 days");
        assert_eq!(quantity(4, "epochs"), "4 epochs");
    }
}
