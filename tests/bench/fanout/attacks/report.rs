//! What came of the attacks: which goals hold, and the table for people.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Figure, Settings};
use crate::goals;
use crate::load::middle;
use crate::machine::Machine;
use crate::table::{draw, failed};

/// All figures of a run.
#[derive(Debug)]
pub(crate) struct AttackResults {
    machine: Machine,
    pub(crate) servers: Vec<PathBuf>,
    settings: Settings,
    /// In the order in which they were played, each with its figures by round.
    attacked: Vec<Attacked>,
    pub(crate) failures: Vec<String>,
}

#[derive(Debug)]
struct Attacked {
    attack: &'static str,
    server: usize,
    figures: BTreeMap<Figure, Vec<f64>>,
}

/// A figure, and whether its goal is reached.
#[derive(Debug)]
pub(crate) struct Verdict<'a> {
    pub(crate) attack: &'static str,
    pub(crate) server: usize,
    pub(crate) figure: Figure,
    pub(crate) values: &'a [f64],
    /// The median or the worst of the values.
    pub(crate) comes_to: f64,
    /// None where there is no goal.
    pub(crate) is_met: Option<bool>,
}

impl AttackResults {
    pub(crate) fn new(servers: Vec<PathBuf>, settings: Settings) -> Self {
        Self { machine: Machine::look(), servers, settings, attacked: Vec::new(), failures: Vec::new() }
    }

    pub(crate) fn add(&mut self, attack: &'static str, server: usize, figures: Vec<(Figure, f64)>) {
        let found = self.attacked.iter().position(|it| it.attack == attack && it.server == server);
        let place = found.unwrap_or_else(|| {
            self.attacked.push(Attacked { attack, server, figures: BTreeMap::new() });
            self.attacked.len() - 1
        });
        for (figure, value) in figures {
            self.attacked[place].figures.entry(figure).or_default().push(value);
        }
    }

    /// What a server is called: several are numbered.
    pub(crate) fn label(&self, server: usize) -> String {
        if self.servers.len() == 1 { "pipechat".into() } else { format!("pipechat {}", server + 1) }
    }

    pub(crate) fn verdicts(&self) -> impl Iterator<Item = Verdict<'_>> {
        self.attacked.iter().flat_map(|attacked| self.judge(attacked))
    }

    pub(crate) fn table(&self) -> String {
        let head = ["attack", "", "worst freeze (median)", "round trip", "peak", "after", "cut", "other", "holds"];
        let mut rows = vec![head.map(String::from)];
        rows.extend(self.attacked.iter().map(|attacked| self.row(attacked)));
        let mut servers = String::new();
        if self.servers.len() > 1 {
            for (server, path) in self.servers.iter().enumerate() {
                servers += &format!("{}: {}\n", self.label(server), path.display());
            }
        }
        format!("{}\n{servers}\n{}{}", self.machine, draw(rows), failed(&self.failures))
    }

    fn judge<'a>(&self, attacked: &'a Attacked) -> Vec<Verdict<'a>> {
        // Nobody counted them where the server could not even be started.
        let connections = attacked.figures.get(&Figure::Connections).map_or(0.0, |values| values[0]);
        let verdict = |(&figure, values): (&Figure, &'a Vec<f64>)| {
            let comes_to = figure.of_rounds(values);
            let mut is_met = goals::attack(figure, connections).map(|goal| goal.is_met(comes_to));
            if figure == Figure::Freeze && connections <= goals::MEMBERS_FOR_MEDIAN {
                is_met = is_met.map(|is_met| is_met && goals::FREEZE_MEDIAN.is_met(middle(&mut values.clone())));
            }
            // Goals make sense only at the sizes that they were set for.
            is_met = is_met.filter(|_| !self.settings.quick);
            Verdict { attack: attacked.attack, server: attacked.server, figure, values, comes_to, is_met }
        };
        attacked.figures.iter().map(verdict).collect()
    }

    fn row(&self, attacked: &Attacked) -> [String; 9] {
        let verdicts = self.judge(attacked);
        let column = |figure| {
            let verdict = verdicts.iter().find(|verdict| verdict.figure == figure);
            verdict.map_or("—".into(), |verdict| figure.show(verdict.comes_to))
        };
        let mut freeze = column(Figure::Freeze);
        if let Some(values) = attacked.figures.get(&Figure::Freeze).filter(|values| values.len() > 1) {
            freeze += &format!(" ({})", Figure::Freeze.show(middle(&mut values.clone())));
        }
        let is_told =
            |figure: Figure| !figure.has_column() && !matches!(figure, Figure::RawFreeze | Figure::Connections);
        let others = verdicts.iter().filter(|verdict| is_told(verdict.figure));
        let others =
            others.map(|verdict| format!("{} {}", verdict.figure.name(), verdict.figure.show(verdict.comes_to)));
        let short = verdicts.iter().filter(|verdict| verdict.is_met == Some(false));
        let short = short.map(|verdict| verdict.figure.name()).collect::<Vec<_>>().join(", ");
        let holds = match (verdicts.iter().any(|verdict| verdict.is_met.is_some()), short.is_empty()) {
            (false, _) => String::new(),
            (true, true) => "yes".into(),
            (true, false) => format!("NO: {short}"),
        };
        [
            attacked.attack.into(),
            self.label(attacked.server),
            freeze,
            column(Figure::RoundTrip),
            column(Figure::Peak),
            column(Figure::After),
            column(Figure::Cut),
            others.collect::<Vec<_>>().join(", "),
            holds,
        ]
    }
}
