//! What is known of one who is here, or visits.

use std::{mem, sync::Arc};

use crate::{
    chat::{Departure, Identity, RoomId, RoomSet},
    origin::Origin,
};

/// One who is here, or visits.
#[derive(Debug)]
pub(in crate::chat) struct Member {
    pub(in crate::chat) who: Arc<Identity>,
    pub(in crate::chat) origin: Origin,
    pub(in crate::chat) progress: Progress,
    /// The client can be told nothing any more, so it waits for nothing.
    pub(in crate::chat) is_broken: bool,
    pub(in crate::chat) rooms: RoomSet,
    /// Where its plain lines go. It need not be there any more.
    pub(in crate::chat) current: RoomId,
    /// What it calls the token by which it has logged in, if that was one.
    pub(in crate::chat) token: Option<Box<str>>,
    /// It has to log in first, before it says or hears anything. It counts as a visitor until then.
    pub(in crate::chat) door: Option<Door>,
}

/// How far a client's last command is. One that is not done may be followed by a departure, for this reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chat) enum Progress {
    /// It is done: the next one may come.
    Done,
    /// It is not done. If the client is gone before that, what is left of it is not done.
    Begun(Option<Departure>),
    /// It is a message to all visitors of a name, which has not been told to all of them. It is, though the client goes.
    Telling(Option<Departure>),
}

/// What a client is to be when it has logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chat) enum Door {
    /// One who is here.
    Arrives,
    /// A visitor.
    Visits,
}

impl Member {
    pub(super) fn new(who: Arc<Identity>, origin: Origin) -> Self {
        Self {
            who,
            origin,
            progress: Progress::Done,
            is_broken: false,
            rooms: RoomSet::default(),
            current: RoomId::LOBBY,
            token: None,
            door: None,
        }
    }

    /// A command begins, or goes on as a task of another kind: whoever is to leave behind it still is.
    pub(in crate::chat) fn begin(&mut self) {
        self.progress = Progress::Begun(self.progress.departure());
    }

    /// The same where the command is a message to all visitors of a name.
    pub(in crate::chat) fn begin_telling(&mut self) {
        self.progress = Progress::Telling(self.progress.departure());
    }

    /// The command is done. Answers why the client leaves behind it, if it does.
    pub(in crate::chat) fn end_command(&mut self) -> Option<Departure> {
        mem::replace(&mut self.progress, Progress::Done).departure()
    }

    /// The client leaves for this reason when its command is done.
    pub(in crate::chat) fn leave_when_done(&mut self, departure: Departure) {
        self.progress = match self.progress {
            Progress::Done | Progress::Begun(_) => Progress::Begun(Some(departure)),
            Progress::Telling(_) => Progress::Telling(Some(departure)),
        };
    }
}

impl Progress {
    /// Why the client leaves behind its command, if it does.
    pub(in crate::chat) fn departure(self) -> Option<Departure> {
        match self {
            Self::Done => None,
            Self::Begun(departure) | Self::Telling(departure) => departure,
        }
    }
}
