//! What has to be so at any time.

use pipechat::chat::{Audience, ClientId, Command, Event, Input, Output, Refusal};

use super::{WITNESSES, World};
use crate::{
    model::NAMES,
    peer::{Kind, Peer},
    reader::Heard,
};

impl World {
    /// A witness asks for somebody by name: that one and nobody else is told, and nobody else may have the name.
    pub(super) fn probe(&mut self) {
        let (witness, n) = (ClientId(0), self.rng.below(self.chat.members().count()));
        let (bearer, who) = self.chat.members().nth(n).map(|(client, who)| (client, who.clone())).expect("one of them");
        let mut spellings = vec![&*who.name];
        spellings.extend(NAMES.iter().filter(|spellings| spellings.contains(&&*who.name)).copied().flatten());
        let spelling = self.rng.pick(&spellings).to_owned();
        if !self.peer(witness).is_ready {
            return;
        }
        let private = Command::Private { to: spelling.clone(), text: "?".to_owned() };
        let out = self.input(witness, Input::Lines(vec![Ok(private)]));
        assert!(
            matches!(&out[0], Output::Tell(Audience::One(told), Event::Private { .. }) if *told == bearer),
            "{out:?}"
        );
        if who.name != who.addr && bearer != witness {
            let out = self.input(witness, Input::Lines(vec![Ok(Command::Rename(spelling))]));
            let refused = Output::Tell(Audience::One(witness), Event::Refused(Refusal::NameTaken));
            assert_eq!(out, [refused, Output::Ready(witness)]);
        }
    }

    /// Checks the lives of those who are through, and forgets them.
    pub(super) fn reap(&mut self) {
        let is_over = |peer: &Peer| peer.departure.is_some() && (peer.queued() == 0 || peer.is_lost || peer.is_stalled);
        let over: Vec<_> = self.peers.values().filter(|peer| is_over(peer)).map(|peer| peer.client).collect();
        for client in over {
            self.peers.remove(&client).expect("it is there").check(&self.public);
        }
    }

    /// Those who were there all the time have the same to tell, each text once.
    pub(super) fn compare_witnesses(&self) {
        let stories: Vec<_> = self.peers.values().take(WITNESSES).map(Peer::heard_public).collect();
        assert_eq!(stories[0], self.public);
        assert!(stories.iter().all(|story| stories[0].ends_with(story)) && stories.len() == WITNESSES);
        let mut texts: Vec<_> = stories[0].iter().filter_map(numbered).collect();
        let all = texts.len();
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), all, "a text was told twice");
        assert!(self.peers.values().take(WITNESSES).all(|peer| peer.kind == Kind::Witness && peer.departure.is_none()));
    }
}

/// The text of a message with a number of its own.
fn numbered(heard: &Heard) -> Option<&str> {
    match heard {
        Heard::Message { text, .. } if text.starts_with('#') => Some(text),
        _ => None,
    }
}
