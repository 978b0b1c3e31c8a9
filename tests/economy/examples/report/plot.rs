//! The plot: one row per attack, its net over seeds on an axis that is logarithmic on both sides of
//! zero.

use crate::table;
use selvedge_economy_simulation::{summary::Summary, Rules};
use std::fmt::Write;

const ROW: f64 = 22.0;
const LEFT: f64 = 330.0;
const WIDTH: f64 = 460.0;
const TOP: f64 = 46.0;
/// Nets below this, in per cent, count as zero; an axis ends at the power of ten above all.
const LEAST: f64 = 1e-4;
const DECADES: f64 = 8.0;

/// Where a net stands, in pixels.
fn place(net: f64) -> f64 {
    let decades = (net.abs() / LEAST).max(1.0).log10().min(DECADES);
    LEFT + WIDTH / 2.0 * (1.0 + net.signum() * decades / DECADES)
}

/// An SVG of all nets.
pub fn svg(summaries: &[Summary]) -> String {
    let height = TOP + ROW * summaries.len() as f64 + 30.0;
    let middle = LEFT + WIDTH / 2.0;
    let mut svg = String::new();
    let mut line = |text: std::fmt::Arguments| {
        // Writing to a string does not fail.
        let _ = writeln!(svg, "{text}");
    };
    line(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{:.0}\" height=\"{height:.0}\" font-family=\"sans-serif\" font-size=\"12\">",
        LEFT + WIDTH + 20.0
    ));
    line(format_args!(
        "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>"
    ));
    line(format_args!(
        "<text x=\"{LEFT}\" y=\"16\">net against the honest alternative, in per cent of the volume</text>"
    ));
    for power in [-4, -2, 0, 2, 4] {
        for sign in [-1.0, 1.0] {
            let x = place(sign * 10f64.powi(power));
            let label = if sign < 0.0 { "−" } else { "" };
            let number = match power {
                -4 => continue,
                -2 => "0.01",
                0 => "1",
                2 => "100",
                _ => "10,000",
            };
            line(format_args!(
                "<path d=\"M{x:.1} {:.0}V{:.0}\" stroke=\"#ddd\"/><text x=\"{x:.1}\" y=\"36\" text-anchor=\"middle\" fill=\"#666\">{label}{number}</text>",
                TOP - 6.0,
                height - 24.0
            ));
        }
    }
    line(format_args!(
        "<path d=\"M{middle:.1} {:.0}V{:.0}\" stroke=\"#333\"/>",
        TOP - 6.0,
        height - 24.0
    ));
    for (index, summary) in summaries.iter().enumerate() {
        let y = TOP + ROW * index as f64 + ROW / 2.0;
        let net = summary.spreads()[2];
        let colour = if net.max >= 0.0 { "#c0392b" } else { "#2471a3" };
        line(format_args!(
            "<text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{}{}</text>",
            LEFT - 8.0,
            y + 4.0,
            summary.name,
            match summary.rules {
                Rules::Written => String::new(),
                rules => format!(", {}", table::rules(rules)),
            }
        ));
        line(format_args!(
            "<path d=\"M{:.1} {y:.1}H{:.1}\" stroke=\"{colour}\" stroke-width=\"3\"/><circle cx=\"{:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\"/>",
            place(net.min),
            place(net.max),
            place(net.median)
        ));
    }
    line(format_args!(
        "<text x=\"{LEFT}\" y=\"{:.0}\" fill=\"#666\">line: lowest to highest of the seeds; dot: median; red: pays in some run</text>",
        height - 8.0
    ));
    line(format_args!("</svg>"));
    svg
}
