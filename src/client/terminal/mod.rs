//! The terminal that a person types at: lines out of keys, and messages above the line that is being typed. Knows nothing
//! of the chat: names to complete are an argument.
//!
//! Nothing that is typed is lost, however it arrives: all bytes that are read become keys, and a line end in them is where
//! a line ends. What is printed must be escaped already.

mod cut;
mod editor;
mod history;
mod keys;
mod layout;
mod plain;
mod raw;
mod screen;

use std::{
    env, io,
    os::fd::BorrowedFd,
    path::PathBuf,
    time::{Duration, Instant},
};

use async_signal::{Signal, Signals};
use editor::{Edit, Editor};
use futures::{FutureExt, StreamExt};
use history::History;
use keys::{Decoder, Key};
use layout::Layout;
use plain::Plain;
use raw::RawMode;
use screen::Screen;

use super::stdio::write_all;

/// A Tab that is followed by more input this soon was pasted: it is text. Nobody types that fast.
const TAB_PAUSE: Duration = Duration::from_millis(20);

/// What the person has done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// Typed or pasted a line.
    Line(String),
    /// Typed a line that is too long to be sent.
    TooLong,
    /// Asked to end.
    Leave,
}

/// What may stand in the place of the word before the cursor.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Completion {
    /// Nothing that is known.
    None,
    /// This, from this byte on.
    Replace(usize, String),
    /// Any of these.
    Several(Vec<String>),
}

/// A terminal, whose modes are restored on drop.
pub(super) enum Terminal {
    /// A terminal that can move its cursor.
    Editing(Box<Editing>),
    /// A terminal that can't (`TERM=dumb`): it edits lines itself and is sent text only.
    Plain(Plain),
}

/// A line that is being typed, and how it is shown.
pub(super) struct Editing {
    modes: RawMode,
    /// Of a new size, and of a process that is continued.
    signals: Signals,
    decoder: Decoder,
    editor: Editor,
    screen: Screen,
    /// When the Tab that was pressed last is one to complete a word.
    tab_at: Option<Instant>,
}

impl Terminal {
    /// Where lines are remembered over sessions.
    pub(super) fn history_path() -> Option<PathBuf> {
        History::default_path()
    }

    /// The terminal on stdin and stdout. `None` if there is none on both.
    ///
    /// # Errors
    /// Its modes can't be changed.
    pub(super) fn open(history: Option<PathBuf>) -> io::Result<Option<Self>> {
        if !raw::is_terminal() {
            return Ok(None);
        }
        if is_dumb() {
            return Ok(Some(Self::Plain(Plain::default())));
        }
        Ok(Some(Self::Editing(Box::new(Editing {
            signals: Signals::new([Signal::Winch, Signal::Cont])?,
            modes: RawMode::enter()?,
            decoder: Decoder::default(),
            editor: Editor::new(History::open(history)),
            screen: Screen::default(),
            tab_at: None,
        }))))
    }

    /// Takes bytes that were read from the terminal.
    ///
    /// # Errors
    /// The terminal can't be written to.
    pub(super) fn take(&mut self, bytes: &[u8], now: Instant) -> io::Result<Vec<Typed>> {
        match self {
            Self::Editing(editing) => editing.take(bytes, now),
            Self::Plain(plain) => Ok(plain.take(bytes)),
        }
    }

    /// Prints `above`, whole lines, and draws the line that is being typed below it.
    pub(super) fn draw(&mut self, above: &str) -> io::Result<()> {
        match self {
            Self::Editing(editing) => editing.draw(above),
            Self::Plain(_) => write_all(io::stdout(), above.as_bytes()),
        }
    }

    /// Removes the line that is being typed.
    pub(super) fn erase(&mut self) -> io::Result<()> {
        match self {
            Self::Editing(editing) => write_all(io::stdout(), editing.screen.erase(raw::size().0).as_bytes()),
            Self::Plain(_) => Ok(()),
        }
    }

    /// Sets what stands before the line that is being typed.
    pub(super) fn set_prompt(&mut self, prompt: String) {
        match self {
            Self::Editing(editing) => editing.editor.prompt = prompt,
            Self::Plain(_) => {}
        }
    }

    /// When to call [`Self::complete`].
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Editing(editing) => editing.tab_at,
            Self::Plain(_) => None,
        }
    }

    /// Completes the word before the cursor. Returns what there is to choose from.
    pub(super) fn complete(&mut self, complete: impl FnOnce(&str) -> Completion) -> Vec<String> {
        match self {
            Self::Editing(editing) => editing.complete(complete),
            Self::Plain(_) => Vec::new(),
        }
    }

    /// What is readable when the terminal has another size, or the process was stopped and is continued.
    pub(super) fn signals(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Editing(editing) => Some(std::os::fd::AsFd::as_fd(&editing.signals)),
            Self::Plain(_) => None,
        }
    }

    /// Takes the signals that have come.
    pub(super) fn on_signal(&mut self) -> io::Result<()> {
        match self {
            Self::Editing(editing) => editing.on_signal(),
            Self::Plain(_) => Ok(()),
        }
    }

    /// Whether the terminal itself shows what is typed.
    pub(super) fn echoes(&self) -> bool {
        matches!(self, Self::Plain(_))
    }
}

impl Editing {
    fn take(&mut self, bytes: &[u8], now: Instant) -> io::Result<Vec<Typed>> {
        let mut keys = Vec::new();
        if self.tab_at.take().is_some() {
            keys.push(Key::Char('\t'));
        }
        bytes.iter().for_each(|&byte| self.decoder.push(byte, &mut keys));
        if keys.pop_if(|key| *key == Key::Tab).is_some() {
            self.tab_at = Some(now + TAB_PAUSE);
        }
        let mut typed = Vec::new();
        for key in keys {
            let key = if key == Key::Tab { Key::Char('\t') } else { key };
            match self.editor.press(key) {
                Edit::Nothing | Edit::Complete => {}
                Edit::Line(line) => typed.push(Typed::Line(line)),
                Edit::TooLong => typed.push(Typed::TooLong),
                Edit::Leave => typed.push(Typed::Leave),
                Edit::Clear => {
                    self.screen.forget();
                    write_all(io::stdout(), b"\x1b[H\x1b[2J")?;
                }
                Edit::Suspend => {
                    self.draw("")?;
                    write_all(io::stdout(), b"\r\n")?;
                    self.screen.forget();
                    self.modes.suspend()?;
                }
            }
        }
        if !typed.is_empty() {
            self.editor.history.save();
        }
        Ok(typed)
    }

    fn draw(&mut self, above: &str) -> io::Result<()> {
        let (columns, rows) = raw::size();
        let (prompt, text) = (self.editor.prompt(), self.editor.text());
        let layout = Layout::new(&prompt, text, self.editor.cursor(), columns, rows - 1);
        write_all(io::stdout(), self.screen.update(&above.replace('\n', "\r\n"), layout, columns).as_bytes())
    }

    fn complete(&mut self, complete: impl FnOnce(&str) -> Completion) -> Vec<String> {
        self.tab_at = None;
        if self.editor.press(Key::Tab) != Edit::Complete {
            return Vec::new();
        }
        match complete(&self.editor.text()[..self.editor.cursor()]) {
            Completion::None => drop(self.editor.press(Key::Char('\t'))),
            Completion::Replace(start, text) => self.editor.replace_before_cursor(start, &text),
            Completion::Several(words) => return words,
        }
        Vec::new()
    }

    fn on_signal(&mut self) -> io::Result<()> {
        while let Some(Some(signal)) = self.signals.next().now_or_never() {
            if signal? == Signal::Cont {
                self.modes.resume()?;
                self.screen.forget();
                write_all(io::stdout(), b"\r")?;
            }
        }
        Ok(()) // each drawing asks for the size
    }
}

/// Whether escape sequences mean nothing to this terminal.
pub(super) fn is_dumb() -> bool {
    env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb")
}
