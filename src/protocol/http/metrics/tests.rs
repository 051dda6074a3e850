//! The text, read by the rules of the format.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// What a text says.
#[derive(Debug, Default)]
struct Read {
    /// The type of each family.
    families: BTreeMap<String, String>,
    /// The value of each series: by its name and its labels, in order.
    series: BTreeMap<(String, Vec<(String, String)>), f64>,
}

/// Reads version 0.0.4 of Prometheus' text format, and is stricter: each family has help and a type, in this order, before its
/// samples; they are in one piece; totals are called so; and no name or series comes twice.
fn read(text: &str) -> Read {
    assert!(text.ends_with('\n'));
    let (mut read, mut current, mut helped) = (Read::default(), String::new(), BTreeSet::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("help");
            assert!(is_name(name) && !help.is_empty() && !help.contains('\\'), "{line}");
            assert!(helped.insert(name.to_owned()), "twice: {line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
            assert!(helped.contains(name), "help comes first: {line}");
            assert!(read.families.insert(name.to_owned(), kind.to_owned()).is_none(), "twice: {line}");
            current = name.to_owned();
        } else {
            let (name, labels, value) = sample(line);
            let suffix = name.strip_prefix(&*current).unwrap_or_else(|| panic!("{line} is of {current}"));
            match &*read.families[&current] {
                "histogram" => assert!(["_bucket", "_sum", "_count"].contains(&suffix), "{line}"),
                _ => assert_eq!(suffix, "", "{line}"),
            }
            assert!(read.series.insert((name, labels), value).is_none(), "twice: {line}");
        }
    }
    read
}

fn is_name(name: &str) -> bool {
    name.starts_with("pipechat_") && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// `name{label="value",…} number`.
fn sample(line: &str) -> (String, Vec<(String, String)>, f64) {
    let name: String = line.chars().take_while(|&char| char != '{' && char != ' ').collect();
    assert!(is_name(&name), "{line}");
    let (mut rest, mut labels) = (&line[name.len()..], Vec::new());
    if let Some(mut inside) = rest.strip_prefix('{') {
        loop {
            let (label, behind) = inside.split_once("=\"").expect("a label");
            assert!(label.bytes().all(|byte| byte.is_ascii_lowercase()) && !label.is_empty(), "{line}");
            let (mut value, mut chars) = (String::new(), behind.char_indices());
            let end = loop {
                match chars.next().expect("a closing quote") {
                    (at, '"') => break at + 1,
                    (_, '\\') => value.push(match chars.next().expect("what is escaped").1 {
                        'n' => '\n',
                        char @ ('\\' | '"') => char,
                        char => panic!("\\{char} in {line}"),
                    }),
                    (_, char) => value.push(char),
                }
            };
            labels.push((label.to_owned(), value));
            match behind[end..].strip_prefix(',') {
                Some(more) => inside = more,
                None => break rest = behind[end..].strip_prefix('}').expect("a closing brace"),
            }
        }
    }
    let value = rest.strip_prefix(' ').expect("a value");
    let value = if value == "+Inf" { f64::INFINITY } else { value.parse().expect("a number") };
    (name, labels, value)
}

impl Read {
    fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let labels = labels.iter().map(|&(label, value)| (label.to_owned(), value.to_owned())).collect();
        self.series[&(name.to_owned(), labels)]
    }

    /// The buckets of a histogram, in order.
    fn buckets(&self, name: &str) -> Vec<(f64, f64)> {
        let name = format!("{name}_bucket");
        let buckets = self.series.iter().filter(|((of, _), _)| *of == name);
        let mut buckets: Vec<(f64, f64)> = buckets
            .map(|((_, labels), &within)| match &labels[..] {
                [(label, most)] if label == "le" => {
                    (if most == "+Inf" { f64::INFINITY } else { most.parse().expect("a number") }, within)
                }
                _ => panic!("{labels:?}"),
            })
            .collect();
        buckets.sort_by(|a, b| a.partial_cmp(b).expect("numbers"));
        buckets
    }
}

fn snapshot() -> Snapshot {
    let ms = Duration::from_millis;
    Snapshot {
        connections: vec![("line", 3), ("web", 0)],
        accepted: vec![("line", 7), ("web", 1)],
        refused: vec![("full", 2)],
        clients: 3,
        rooms: 1,
        lines: u64::MAX,
        deliveries: 5,
        delivered_bytes: 600,
        queued_bytes: 0,
        disconnects: vec![("left", 4), ("slow-consumer", 1)],
        refusals: vec![("no-such-user", 2)],
        turns: Histogram { buckets: vec![(Duration::from_micros(50), 0), (ms(5), 3)], count: 4, sum: ms(1203) },
        commits: Histogram::default(),
        memory_used: 10,
        memory_max: Some(256 << 20),
        recent_bytes: 7,
    }
}

#[test]
fn every_number_is_told_by_the_rules_of_the_format() {
    let text = metrics(&snapshot());
    let read = read(&text);
    for (name, labels, value) in [
        ("pipechat_connections", &[("door", "line")][..], 3.0),
        ("pipechat_connections_accepted_total", &[("door", "web")], 1.0),
        ("pipechat_connections_refused_total", &[("reason", "full")], 2.0),
        ("pipechat_clients", &[], 3.0),
        ("pipechat_disconnects_total", &[("reason", "slow-consumer")], 1.0),
        ("pipechat_rooms", &[], 1.0),
        ("pipechat_refusals_total", &[("code", "no-such-user")], 2.0),
        ("pipechat_deliveries_total", &[], 5.0),
        ("pipechat_delivered_bytes_total", &[], 600.0),
        ("pipechat_queued_bytes", &[], 0.0),
        ("pipechat_memory_used_bytes", &[], 10.0),
        ("pipechat_memory_max_bytes", &[], 268_435_456.0),
        ("pipechat_recent_bytes", &[], 7.0),
        ("pipechat_turn_seconds_sum", &[], 1.203),
        ("pipechat_turn_seconds_count", &[], 4.0),
        ("pipechat_commit_seconds_count", &[], 0.0),
    ] {
        assert!((read.value(name, labels) - value).abs() < 1e-9, "{name} {labels:?}");
    }
    assert!(text.contains(&format!("\npipechat_lines_total {}\n", u64::MAX)), "to the last digit");
    assert_eq!(read.families.len(), 16);
}

#[test]
fn buckets_add_up() {
    let read = read(&metrics(&snapshot()));
    let turns = read.buckets("pipechat_turn_seconds");
    assert_eq!(turns, [(0.000_05, 0.0), (0.005, 3.0), (f64::INFINITY, 4.0)]);
    assert!(turns.is_sorted_by_key(|&(_, within)| within));
    assert_eq!(read.buckets("pipechat_commit_seconds"), [(f64::INFINITY, 0.0)]);
}

#[test]
fn no_limit_is_infinite() {
    let read = read(&metrics(&Snapshot { memory_max: None, ..snapshot() }));
    assert!(read.value("pipechat_memory_max_bytes", &[]).is_infinite());
}

#[test]
fn whatever_a_label_is_the_text_can_be_read() {
    let odd = "a \"b\" \\ c\nd} 1";
    let read = read(&metrics(&Snapshot { refusals: vec![(odd, 9)], ..snapshot() }));
    assert!((read.value("pipechat_refusals_total", &[("code", odd)]) - 9.0).abs() < 1e-9);
}

#[test]
fn a_server_that_has_just_begun_has_numbers_too() {
    let text = metrics(&Snapshot::default());
    assert_eq!(read(&text).families.len(), 16);
    assert!(text.contains("\npipechat_turn_seconds_bucket{le=\"+Inf\"} 0\n"));
}
