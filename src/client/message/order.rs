//! What is told of order, parsed from its objects. Escaped, as all that comes from the server.

use std::sync::Arc;

use jiff::Timestamp;
use pipechat::chat::{Act, Identity, Notice, NoticeKind, OrderDone, Penalty, Sanction, Whom};
use serde_json::Value;

use super::{count, string};

/// What the text dialect shows where JSON does not say who has decided something.
const UNKNOWN: &str = "-";

/// A notice of the one who has decided it, where that is told.
pub(super) fn notice(object: &Value, by: Option<Arc<Identity>>) -> Option<Notice> {
    let kind = NoticeKind::of(object["code"].as_str()?)?;
    Some(Notice { kind, by, room: shared(object, "room"), until: until(object)?, text: reason(object) })
}

/// A ban or a mute: a line of the answer to `bans`.
pub(super) fn sanction(object: &Value, whom: &Identity) -> Option<Sanction> {
    let (penalty, until) = (Penalty::of(object["code"].as_str()?)?, until(object)?);
    let whom = Whom::Account(whom.name.as_str().into()); // shown as it is, whatever it is
    let created = Timestamp::UNIX_EPOCH; // no dialect shows it
    Some(Sanction { penalty, whom, until, by: UNKNOWN.into(), reason: reason(object), created })
}

/// The answer to this command.
pub(super) fn done(verb: &str, object: &Value) -> Option<OrderDone> {
    let act = Act::ALL.into_iter().find(|act| act.word() == verb)?;
    let (room, whom) = (shared(object, "room"), shared(object, "text"));
    Some(match (act, room, whom) {
        (Act::Bans, ..) => OrderDone::Bans(count(object)?),
        (Act::ShutDown, ..) => OrderDone::ShutDown(until(object)?),
        (Act::Ban | Act::Mute, _, Some(whom)) => OrderDone::Until(act, whom, until(object)?),
        (_, Some(room), Some(whom)) => OrderDone::InRoom(act, room, whom),
        (_, Some(room), None) => OrderDone::Room(act, room),
        (_, None, Some(whom)) => OrderDone::Whom(act, whom),
        (_, None, None) => OrderDone::Only(act),
    })
}

/// Until when it holds, or when it happens; never is null. `None` is no time.
fn until(object: &Value) -> Option<Option<Timestamp>> {
    object["old"].as_str().map_or(Some(None), |at| at.parse().ok().map(Some))
}

/// Why; null is for no reason.
fn reason(object: &Value) -> Arc<str> {
    shared(object, "text").unwrap_or_default()
}

fn shared(object: &Value, key: &str) -> Option<Arc<str>> {
    string(object, key).map(Arc::from)
}
