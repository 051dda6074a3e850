//! The report for machines: every sample, and every comparison with its verdict.

use crate::attacks::report::AttackResults;
use crate::load::middle;
use crate::machine::Machine;
use crate::results::{Comparison, Results};
use crate::servers::Program;

pub(crate) fn render(results: &Results, attacks: Option<&AttackResults>) -> String {
    let samples = results.samples().map(|(workload, metric, program, values)| {
        object(&[
            ("workload", text(&workload)),
            ("metric", text(metric.name())),
            ("unit", text(metric.unit())),
            ("server", text(&results.label(program))),
            ("median", number(middle(&mut values.clone()))),
            ("values", list(values.into_iter().map(number))),
        ])
    });
    let comparisons = results.comparisons();
    let report = object(&[
        ("machine", machine(&results.machine)),
        ("servers", list((0..results.programs.len()).map(|program| server(results, program)))),
        ("samples", list(samples)),
        ("comparisons", list(comparisons.iter().map(comparison))),
        ("failures", list(results.failures.iter().map(|failure| text(failure)))),
        ("attacks", attacks.map_or("null".into(), self::attacks)),
    ]);
    report + "\n"
}

fn attacks(results: &AttackResults) -> String {
    let figures = results.verdicts().map(|verdict| {
        object(&[
            ("attack", text(verdict.attack)),
            ("figure", text(verdict.figure.name())),
            ("unit", text(verdict.figure.unit())),
            ("server", text(&results.label(verdict.server))),
            ("rounds", list(verdict.values.iter().copied().map(number))),
            ("comes_to", number(verdict.comes_to)),
            ("ok", verdict.is_met.map_or("null".into(), |is_met| is_met.to_string())),
        ])
    });
    let servers = (0..results.servers.len()).map(|server| {
        let path = text(&results.servers[server].display().to_string());
        object(&[("name", text(&results.label(server))), ("path", path)])
    });
    object(&[
        ("servers", list(servers)),
        ("figures", list(figures)),
        ("failures", list(results.failures.iter().map(|failure| text(failure)))),
    ])
}

fn server(results: &Results, program: usize) -> String {
    let path = match &results.programs[program] {
        Program::Pipechat(path) | Program::Keeping(path, _) => text(&path.display().to_string()),
        Program::Floor | Program::Peer(_) => "null".into(),
    };
    object(&[("name", text(&results.label(program))), ("path", path)])
}

fn comparison(comparison: &Comparison) -> String {
    let or_null = |value: Option<String>| value.unwrap_or("null".into());
    let name = |(label, _): &(String, String)| text(label);
    object(&[
        ("workload", text(&comparison.workload)),
        ("metric", text(comparison.metric)),
        ("ours", name(&comparison.ours)),
        ("beside", or_null(comparison.theirs.as_ref().map(name))),
        ("ratio", or_null(comparison.ratio.map(|ratio| number(ratio.median)))),
        ("least", or_null(comparison.ratio.map(|ratio| number(ratio.least)))),
        ("greatest", or_null(comparison.ratio.map(|ratio| number(ratio.greatest)))),
        ("goal", or_null(comparison.goal.as_deref().map(text))),
        ("ok", or_null(comparison.is_met.map(|is_met| is_met.to_string()))),
    ])
}

fn machine(machine: &Machine) -> String {
    object(&[
        ("cpus", machine.cpus.to_string()),
        ("model", text(&machine.model)),
        ("kernel", text(&machine.kernel)),
        ("load_before", number(machine.load)),
        ("disk", text(&machine.disk.device)),
        ("flush_seconds", number(machine.disk.flush_seconds)),
    ])
}

fn object(members: &[(&str, String)]) -> String {
    let members: Vec<_> = members.iter().map(|(name, value)| format!("{}: {value}", text(name))).collect();
    format!("{{{}}}", members.join(", "))
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(",\n  "))
}

fn number(value: f64) -> String {
    if value.is_finite() { format!("{value:e}") } else { "null".into() }
}

fn text(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted += &format!("\\u{:04x}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
