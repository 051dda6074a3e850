//! The machine that all metrics depend on.

use std::fmt;
use std::fs;
use std::thread::available_parallelism;

use crate::disk::Disk;

/// As it was before the benchmark began.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) cpus: usize,
    pub(crate) model: String,
    pub(crate) kernel: String,
    pub(crate) disk: Disk,
    /// Processes that wanted a CPU, on average over the minute before. They should have been none: the load
    /// generator and the server want a CPU each.
    pub(crate) load: f64,
}

impl Machine {
    pub(crate) fn look() -> Self {
        let cpuinfo = read("/proc/cpuinfo");
        let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
        let loadavg = read("/proc/loadavg");
        Self {
            cpus: available_parallelism().map_or(0, usize::from),
            model: model.unwrap_or("unknown CPU").into(),
            kernel: read("/proc/sys/kernel/osrelease").trim_end().into(),
            disk: Disk::look(),
            load: loadavg.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(f64::NAN),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpus, model, kernel, disk, load } = self;
        write!(f, "{cpus} CPUs ({model}), Linux {kernel}, stores on {disk}, load before {load}")?;
        if *load > 0.5 { write!(f, ": NOT IDLE, throughput and times are not to be trusted") } else { Ok(()) }
    }
}

/// Empty where there is no such file: no metric depends on it.
fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
