//! How far what happens was printed, and the file that says so to the next process.

use pipechat::chat::Position;

use super::super::{Outcome, resume::ResumeFile};

/// A position: of all that happens in the rooms of a listener, what is up to there was printed, or was not to be printed.
#[derive(Debug)]
pub(in crate::client) struct Progress {
    position: Option<Position>,
    file: Option<ResumeFile>,
    /// What is printed is not in its order, and must not count: of another room something earlier is still to come.
    is_frozen: bool,
}

impl Progress {
    pub(in crate::client) fn new(position: Option<Position>, file: Option<ResumeFile>) -> Self {
        Self { position, file, is_frozen: false }
    }

    pub(super) fn position(&self) -> Option<Position> {
        self.position
    }

    /// Whether what is there was printed already.
    pub(super) fn includes(&self, position: Position) -> bool {
        self.position.is_some_and(|reached| reached.epoch == position.epoch && reached.n >= position.n)
    }

    /// All up to there is done with.
    pub(super) fn reach(&mut self, position: Position) {
        if !self.is_frozen && !self.includes(position) {
            self.position = Some(position);
        }
    }

    pub(super) fn freeze(&mut self, is_frozen: bool) {
        self.is_frozen = is_frozen;
    }

    /// Tells the next process.
    pub(super) fn save(&mut self) -> Outcome {
        match (&mut self.file, self.position) {
            (Some(file), Some(position)) => file.write(position),
            (Some(_), None) | (None, _) => Ok(()),
        }
    }
}
