//! `chat` in a pipe: works like `nc`. It sends the lines of stdin, and prints what comes until the server closes the
//! connection. Knows no terminal.

use std::{
    io::Write,
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use pipechat::{
    chat::{Event, Identity, PublicEvent},
    protocol::{Lang, escape::escaped},
};

use super::render::coloured;
use crate::client::{
    Deadline, Failure, Outcome, complain,
    connection::Connection,
    lines::{Input, LINE_BYTES_MAX, Lines},
    message::{News, NewsEvent, ServerMessage, farewell},
    print,
    reader::{Reader, Received},
    words::lang_of_set,
};

/// Runs until the server closes the connection.
pub(super) fn run(mut connection: Connection, has_colours: bool) -> Outcome {
    let (lang, early) = (connection.lang, std::mem::take(&mut connection.early));
    let (reader, writer) = connection.split();
    let is_leaving = Arc::new(AtomicBool::new(false));
    let listener = Listener { reader, lang, has_colours, me: None, is_leaving: Arc::clone(&is_leaving) };
    thread::spawn(move || forward_stdin(writer, &is_leaving));
    listener.run(early.into_iter().map(|(_, news)| news))
}

/// Sends the lines of stdin, and `quit` at its end. The server answers everything before that.
fn forward_stdin(mut writer: TcpStream, is_leaving: &AtomicBool) {
    let (mut lines, mut out) = (Lines::of_stdin(), Vec::new());
    loop {
        match lines.next("", &mut out) {
            Ok(Input::Line) => {}
            Ok(Input::TooLong) => complain(&format!("line too long, not sent: more than {LINE_BYTES_MAX} bytes")),
            Ok(Input::End) | Err(_) => break,
        }
        if !lines.has_more() {
            // If that fails, the listener learns why.
            writer.write_all(&out).ok();
            out.clear();
        }
    }
    is_leaving.store(true, Ordering::SeqCst);
    out.extend_from_slice(b"quit\n");
    writer.write_all(&out).ok();
}

/// Prints what the server sends, until the connection ends.
struct Listener {
    reader: Reader,
    lang: Lang,
    has_colours: bool,
    /// The user, since it was renamed.
    me: Option<Arc<Identity>>,
    /// The user has quit: that the connection ends is no failure.
    is_leaving: Arc<AtomicBool>,
}

impl Listener {
    fn run(mut self, early: impl Iterator<Item = ServerMessage>) -> Outcome {
        for news in early {
            print(&self.render(news))?;
        }
        let mut end = Ok(());
        loop {
            let line = match self.reader.receive(Deadline::NEVER) {
                Received::Line(line) => line,
                Received::Ended(_) if end.is_err() || self.is_leaving.load(Ordering::SeqCst) => return end,
                Received::Ended(reason) => return Err(Failure::Lost(reason)),
                Received::TooLong => return Err(Received::too_long()),
                Received::TimedOut => continue,
            };
            match ServerMessage::parse(&line) {
                Some(ServerMessage::Farewell { code, text }) if code != "quit" => return Err(farewell(&code, text)),
                Some(message) => {
                    match &message {
                        ServerMessage::Farewell { .. } => self.is_leaving.store(true, Ordering::SeqCst),
                        // The server hangs up after that.
                        ServerMessage::Answer(Event::WaitTimedOut) => {
                            end = Err(Failure::TimedOut("timed out".to_owned()));
                        }
                        ServerMessage::Set(text) => self.lang = lang_of_set(text).unwrap_or(self.lang),
                        ServerMessage::Answer(Event::Renamed { new, .. }) => self.me = Some(Arc::clone(new)),
                        // That is answered already.
                        ServerMessage::News(News {
                            event: NewsEvent::Public(PublicEvent::KnownAs { new, .. }),
                            ..
                        }) if self.me.as_ref() == Some(new) => {
                            continue;
                        }
                        ServerMessage::News(_)
                        | ServerMessage::Past(_)
                        | ServerMessage::Answer(_)
                        | ServerMessage::Help(_)
                        | ServerMessage::Refused { .. } => {}
                    }
                    print(&self.render(message))?;
                }
                // The user may have asked for `format|text`.
                None if !line.starts_with('{') => print(format!("{}\n", escaped(&line)).as_bytes())?,
                None => {}
            }
        }
    }

    fn render(&self, message: ServerMessage) -> Vec<u8> {
        if self.has_colours { message.with_names(coloured).in_text(self.lang) } else { message.in_text(self.lang) }
    }
}
