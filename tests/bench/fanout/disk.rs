//! The disk that stores are on while they are measured.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::child::{DISK, Scratch};
use crate::load::middle;

/// What is written before each flush: a page of a database.
const PAGE_BYTES: usize = 4096;
const FLUSHES: usize = 21;

#[derive(Debug)]
pub(crate) struct Disk {
    /// The file system and what it is on.
    pub(crate) device: String,
    /// How long a little that was appended to a file takes until the disk has it; the median of some.
    pub(crate) flush_seconds: f64,
}

impl Disk {
    pub(crate) fn look() -> Self {
        Self {
            device: device(Path::new(DISK)).unwrap_or("an unknown disk".into()),
            flush_seconds: flush_seconds().unwrap_or(f64::NAN),
        }
    }
}

impl fmt::Display for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} where a flush takes {:.2} ms", self.device, self.flush_seconds * 1e3)
    }
}

/// Of the innermost mount that has this path.
fn device(path: &Path) -> Option<String> {
    let path = fs::canonicalize(path).ok()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let mount = |line: &str| {
        let (place, what) = line.split_once(" - ")?;
        let mut what = what.split(' ');
        Some((PathBuf::from(place.split(' ').nth(4)?), format!("{} on {}", what.next()?, what.next()?)))
    };
    // Of several on the same place, the last one hides the others.
    let mounts = mounts.lines().filter_map(mount).filter(|(place, _)| path.starts_with(place));
    mounts.max_by_key(|(place, _)| place.components().count()).map(|(_, what)| what)
}

fn flush_seconds() -> io::Result<f64> {
    let folder = Scratch::on_disk()?;
    let mut file = File::create(folder.path.join("flushed"))?;
    let mut flush = || {
        file.write_all(&[0; PAGE_BYTES])?;
        let began = Instant::now();
        file.sync_data()?;
        Ok(began.elapsed().as_secs_f64())
    };
    let mut seconds = (0..FLUSHES).map(|_| flush()).collect::<io::Result<Vec<_>>>()?;
    Ok(middle(&mut seconds))
}
