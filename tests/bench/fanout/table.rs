//! The report for people: a table that is Markdown as well.

use crate::results::{Comparison, Ratio, Results};

pub(crate) fn render(results: &Results) -> String {
    let mut rows = vec![["workload", "metric", "ours", "beside", "ratio (all rounds)", "goal", ""].map(String::from)];
    rows.extend(results.comparisons().iter().map(row));
    format!("{}\n\n{}{}", results.machine, draw(rows), failed(&results.failures))
}

/// Rows of which the first is the head, in columns.
pub(crate) fn draw<const COLUMNS: usize>(mut rows: Vec<[String; COLUMNS]>) -> String {
    let mut widths = [0; COLUMNS];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    rows.insert(1, widths.map(|width| "-".repeat(width)));

    let mut table = String::new();
    for row in &rows {
        for (width, cell) in widths.iter().zip(row) {
            table += &format!("| {cell:width$} ");
        }
        table += "|\n";
    }
    table
}

pub(crate) fn failed(failures: &[String]) -> String {
    failures.iter().map(|failure| format!("\nFAILED: {failure}\n")).collect()
}

fn row(comparison: &Comparison) -> [String; 7] {
    let labelled = |(label, value): &(String, String)| format!("{label} {value}");
    let ratio = |ratio: Ratio| format!("{:.2} ({:.2} … {:.2})", ratio.median, ratio.least, ratio.greatest);
    let verdict = |is_met| if is_met { "OK" } else { "short" };
    [
        comparison.workload.clone(),
        comparison.metric.into(),
        labelled(&comparison.ours),
        comparison.theirs.as_ref().map_or(String::new(), labelled),
        comparison.ratio.map_or(String::new(), ratio),
        comparison.goal.clone().unwrap_or_default(),
        comparison.is_met.map_or(String::new(), |is_met| verdict(is_met).into()),
    ]
}
