//! What has been measured, and what comes of it: medians, and ratios within a round.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::goals;
use crate::keeping::Keeping;
use crate::load::middle;
use crate::machine::Machine;
use crate::metric::Metric;
use crate::servers::Program;
use crate::workloads::{Scale, Workload};

/// All samples of a run.
#[derive(Debug)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    /// The references first, then the pipechats, and then each of these with every kind of store.
    pub(crate) programs: Vec<Program>,
    /// How many of them are references, and pipechats without a store.
    references: usize,
    subjects: usize,
    pub(crate) scale: Scale,
    /// Goals make sense only at the sizes that they were set for.
    judged: bool,
    /// By round.
    samples: BTreeMap<(Workload, Metric, usize), BTreeMap<usize, f64>>,
    pub(crate) failures: Vec<String>,
}

/// A metric of a pipechat, beside the same of another server or by itself.
#[derive(Debug)]
pub(crate) struct Comparison {
    pub(crate) workload: String,
    pub(crate) metric: &'static str,
    /// Which pipechat, and its median.
    pub(crate) ours: (String, String),
    /// Which other server, and its median.
    pub(crate) theirs: Option<(String, String)>,
    /// Ours to theirs, or of its own kind.
    pub(crate) ratio: Option<Ratio>,
    /// For the ratio or, where there is none, for our metric.
    pub(crate) goal: Option<String>,
    pub(crate) is_met: Option<bool>,
}

/// The median of the ratios of all rounds: a round's two metrics were taken close to each other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ratio {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) greatest: f64,
}

impl Results {
    pub(crate) fn new(references: Vec<Program>, subjects: Vec<PathBuf>, scale: Scale, judged: bool) -> Self {
        let (reference_count, subject_count) = (references.len(), subjects.len());
        let with_store = |path: &PathBuf| Keeping::STORES.map(|keeping| Program::Keeping(path.clone(), keeping));
        let with_store: Vec<_> = subjects.iter().flat_map(with_store).collect();
        let programs =
            references.into_iter().chain(subjects.into_iter().map(Program::Pipechat)).chain(with_store).collect();
        let (samples, failures) = (BTreeMap::new(), Vec::new());
        let machine = Machine::look();
        Self {
            machine,
            programs,
            references: reference_count,
            subjects: subject_count,
            scale,
            judged,
            samples,
            failures,
        }
    }

    pub(crate) fn add(&mut self, workload: Workload, program: usize, round: usize, metrics: Vec<(Metric, f64)>) {
        for (metric, value) in metrics {
            self.samples.entry((workload, metric, program)).or_default().insert(round, value);
        }
    }

    /// What a program is called: several pipechats are numbered.
    pub(crate) fn label(&self, program: usize) -> String {
        let name = self.programs[program].name();
        if program < self.references || self.subjects == 1 {
            return name.into();
        }
        let number = match program.checked_sub(self.references + self.subjects) {
            Some(with_store) => with_store / Keeping::STORES.len(),
            None => program - self.references,
        };
        format!("{name} {}", number + 1)
    }

    /// All samples: the workload's title, the metric, the server, its values by round.
    pub(crate) fn samples(&self) -> impl Iterator<Item = (String, Metric, usize, Vec<f64>)> {
        self.samples.iter().map(|((workload, metric, program), values)| {
            (workload.title(&self.scale), *metric, *program, values.values().copied().collect())
        })
    }

    pub(crate) fn comparisons(&self) -> Vec<Comparison> {
        let mut measured: Vec<_> = self.samples.keys().map(|(workload, metric, _)| (*workload, *metric)).collect();
        measured.dedup();
        let mut comparisons = Vec::new();
        for (workload, metric) in measured {
            for subject in self.references..self.programs.len() {
                comparisons.extend(self.compare(workload, metric, subject));
            }
        }
        for subject in self.references..self.programs.len() {
            comparisons.extend(self.growth(subject));
        }
        comparisons
    }

    /// One pipechat's metric beside each reference and the first pipechat; by itself if it has a goal of its own, or nothing to
    /// stand beside, as with a store.
    fn compare(&self, workload: Workload, metric: Metric, subject: usize) -> Vec<Comparison> {
        let Some(median) = self.median(workload, metric, subject) else { return Vec::new() };
        let own_goal = goals::own(workload, metric, &self.programs[subject]).filter(|_| self.judged);
        let alone = Comparison {
            workload: workload.title(&self.scale),
            metric: metric.name(),
            ours: (self.label(subject), metric.show(median)),
            theirs: None,
            ratio: None,
            goal: own_goal.map(|goal| goal.show(|bound| metric.show(bound))),
            is_met: own_goal.map(|goal| goal.is_met(median)),
        };
        let is_another = matches!(self.programs[subject], Program::Pipechat(_)) && subject != self.references;
        let mut comparisons = Vec::new();
        for other in (0..self.references).chain(is_another.then_some(self.references)) {
            let Some(theirs) = self.median(workload, metric, other) else { continue };
            let ratio = self.ratio(workload, metric, subject, other);
            let goal = goals::ratio(workload, metric, &self.programs[other]).filter(|_| self.judged);
            comparisons.push(Comparison {
                workload: alone.workload.clone(),
                metric: alone.metric,
                ours: alone.ours.clone(),
                theirs: Some((self.label(other), metric.show(theirs))),
                ratio,
                goal: goal.map(|goal| goal.show(plain)),
                is_met: goal.zip(ratio).map(|(goal, ratio)| goal.is_met(ratio.median)),
            });
        }
        if own_goal.is_some() || comparisons.is_empty() {
            comparisons.insert(0, alone);
        }
        comparisons
    }

    /// How the CPU of a delivery, relative to the floor's, grows from few clients to most.
    fn growth(&self, subject: usize) -> Option<Comparison> {
        let floor = self.programs[..self.references].iter().position(|program| *program == Program::Floor)?;
        let few = self.ratio(Workload::OneLineFew, Metric::CpuPerDelivery, subject, floor)?;
        let most = self.ratio(Workload::OneLineMost, Metric::CpuPerDelivery, subject, floor)?;
        let growth = most.median / few.median;
        let goal = Some(goals::GROWTH).filter(|_| self.judged);
        Some(Comparison {
            workload: format!("growth, {} to {} clients", self.scale.few, self.scale.most),
            metric: "CPU/delivery to the floor's",
            ours: (self.label(subject), format!("× {:.2}", most.median)),
            theirs: Some((format!("{} clients", self.scale.few), format!("× {:.2}", few.median))),
            ratio: Some(Ratio { median: growth, least: growth, greatest: growth }),
            goal: goal.map(|goal| goal.show(plain)),
            is_met: goal.map(|goal| goal.is_met(growth)),
        })
    }

    fn median(&self, workload: Workload, metric: Metric, program: usize) -> Option<f64> {
        let values = self.samples.get(&(workload, metric, program))?;
        Some(middle(&mut values.values().copied().collect::<Vec<_>>()))
    }

    /// None where the two have no round in common, or the other's metric is 0.
    fn ratio(&self, workload: Workload, metric: Metric, ours: usize, theirs: usize) -> Option<Ratio> {
        let ours = self.samples.get(&(workload, metric, ours))?;
        let theirs = self.samples.get(&(workload, metric, theirs))?;
        let in_round = |(round, ours): (&usize, &f64)| Some(ours / theirs.get(round).filter(|value| **value > 0.0)?);
        let mut ratios: Vec<f64> = ours.iter().filter_map(in_round).collect();
        if ratios.is_empty() {
            return None;
        }
        let median = middle(&mut ratios);
        Some(Ratio { median, least: ratios[0], greatest: ratios[ratios.len() - 1] })
    }
}

/// A bound of a ratio has no unit.
fn plain(bound: f64) -> String {
    bound.to_string()
}
