//! What was missed in several rooms, in the one order in which it has happened, so that one position goes on in all of them.
//! Of each room a page is in memory, or the beginning of one: as much as all rooms together may take.

use std::collections::VecDeque;

use pipechat::chat::{Epoch, Position};

use super::{
    super::{
        ANSWER_MAX, Failure, Outcome,
        connection::Connection,
        message::News,
        pages::{Page, Told, read_page},
        start::{Since, Start},
    },
    Listener,
};
use crate::args::Timeout;

/// Bytes of lines that are in memory, of all rooms together. Parsed they are a few times as large.
const MERGE_BYTES_MAX: usize = 8 << 20;
/// When no more than so many events are out of their order because another room was asked before, they may come again.
const REST_MAX: usize = 1000;
/// How often the history of a room may be gone.
const GONE_MAX: usize = 5;

/// A room.
struct Lane {
    room: String,
    start: Start,
    /// What was told and is not printed yet, oldest first.
    told: VecDeque<(u64, String, News)>,
    /// What has happened up to here was told.
    known: Option<Position>,
    has_more: bool,
    gone: usize,
    /// The room, or its history, does not exist.
    is_empty: bool,
}

impl Lane {
    /// Up to which number all is known. A room without a history has none to wait for.
    fn known(&self) -> u64 {
        match self.known {
            Some(known) if !self.is_empty => known.n,
            Some(_) | None => u64::MAX,
        }
    }
}

impl Listener<'_> {
    /// Prints what has happened in all rooms since the position, and takes the position on.
    pub(super) fn merge(&mut self, connection: &mut Connection) -> Outcome {
        let rooms = self.rooms.clone();
        let lane = |room: &String| Lane {
            room: room.clone(),
            start: self.next_start(),
            told: VecDeque::new(),
            known: None,
            has_more: false,
            gone: 0,
            is_empty: false,
        };
        let mut lanes: Vec<Lane> = rooms.iter().map(lane).collect();
        loop {
            for lane in lanes.iter_mut().filter(|lane| lane.told.is_empty()) {
                self.ask(connection, lane, MERGE_BYTES_MAX / rooms.len())?;
            }
            let bound = lanes.iter().map(Lane::known).min().unwrap_or(u64::MAX);
            while let Some(lane) =
                lanes.iter_mut().filter(|lane| !lane.told.is_empty()).min_by_key(|lane| lane.told[0].0)
                && lane.told[0].0 <= bound
                && let Some((_, line, news)) = lane.told.pop_front()
            {
                self.emit(&line, &news, connection.lang)?;
            }
            if self.left == 0 {
                return Ok(());
            }
            let epochs: Vec<Epoch> = lanes.iter().filter_map(|lane| Some(lane.known?.epoch)).collect();
            if epochs.windows(2).any(|pair| pair[0] != pair[1]) {
                return Err(Failure::Lost("the server's history makes no sense: it has several orders".to_owned()));
            }
            if let (true, Some(&epoch)) = (bound < u64::MAX, epochs.first()) {
                self.progress.reach(Position { n: bound, epoch });
            }
            let rest: usize = lanes.iter().map(|lane| lane.told.len()).sum();
            if rest <= REST_MAX && !lanes.iter().any(|lane| lane.has_more) {
                return Ok(());
            }
        }
    }

    /// Asks for the next page of a room.
    fn ask(&mut self, connection: &mut Connection, lane: &mut Lane, bytes_max: usize) -> Outcome {
        let (mut bytes, mut is_cut) = (0, false);
        let lang = connection.lang;
        let page = read_page(
            connection,
            &lane.room,
            &lane.start,
            lane.known,
            (Timeout(Some(ANSWER_MAX)), self.deadline),
            |line, told| {
                match told {
                    // What happens in the lobby meanwhile is told with the rest, unless it is not kept.
                    Told::News(news) if news.position.is_some() => {}
                    Told::News(news) => self.emit(line, &news, lang)?,
                    Told::Past(past) => {
                        is_cut = is_cut || bytes > 0 && bytes + line.len() > bytes_max;
                        if !is_cut {
                            bytes += line.len();
                            lane.told.push_back((past.position.n, line.to_owned(), past.into_news()));
                        }
                    }
                }
                Ok(())
            },
        )?;
        match page {
            Page::Told { end, has_more } => {
                let cut = lane.told.back().and_then(|(.., last)| last.position).filter(|_| is_cut);
                (lane.known, lane.has_more) = (cut.or(end), has_more || is_cut);
                lane.is_empty = lane.known.is_none();
            }
            Page::Gone(oldest) => {
                lane.gone += 1;
                lane.start = self.tell_gone(&lane.room, &lane.start, oldest.filter(|_| lane.gone < GONE_MAX));
                (lane.known, lane.has_more) = (oldest, oldest.is_some() && lane.gone < GONE_MAX);
                lane.is_empty = !lane.has_more;
            }
            // It is made when it is joined, or refused then.
            Page::Refused(_) => (lane.is_empty, lane.has_more) = (true, false),
        }
        if let Some(known) = lane.known.filter(|_| !lane.is_empty) {
            lane.start = Start::Since(Since::from(known));
        }
        Ok(())
    }
}
