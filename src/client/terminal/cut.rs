//! What rustyline's line buffer tells of changes: of these, the editor needs what was cut.

use rustyline::line_buffer::{ChangeListener, DeleteListener, Direction};

/// What was cut last, for Ctrl-Y.
#[derive(Default)]
pub(super) struct Cut {
    pub(super) text: String,
    is_cutting: bool,
}

impl DeleteListener for Cut {
    fn start_killing(&mut self) {
        self.is_cutting = true;
    }

    fn delete(&mut self, _: usize, text: &str, _: Direction) {
        if self.is_cutting {
            text.clone_into(&mut self.text);
        }
    }

    fn stop_killing(&mut self) {
        self.is_cutting = false;
    }
}

impl ChangeListener for Cut {
    fn insert_char(&mut self, _: usize, _: char) {}

    fn insert_str(&mut self, _: usize, _: &str) {}

    fn replace(&mut self, _: usize, _: &str, _: &str) {}
}
