//! Values of what keeps order.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use pipechat::chat::{
    Act, ClientId, Identity, Notice, NoticeKind, OrderCommand, OrderDone, OrderEvent, OrderRefusal, Penalty, Sanction,
    Whom,
};

fn times() -> [Option<Timestamp>; 2] {
    [None, Some(Timestamp::UNIX_EPOCH)]
}

pub(super) fn refusals() -> Vec<OrderRefusal> {
    every!(OrderRefusal {
        NotOperator: [OrderRefusal::NotOperator],
        NotOwner: [OrderRefusal::NotOwner],
        Muted: times().map(OrderRefusal::Muted),
        Banned: times().map(OrderRefusal::Banned),
        RoomLocked: [OrderRefusal::RoomLocked],
        NotBannable: [OrderRefusal::NotBannable],
        NoSuchBan: [OrderRefusal::NoSuchBan],
        TooManyBans: [OrderRefusal::TooManyBans(10_000)],
        TooFarAhead: [OrderRefusal::TooFarAhead(Duration::from_secs(3650 * 86_400))],
        TooManyInvited: [OrderRefusal::TooManyInvited(100)],
    })
}

pub(super) fn done(text: &str) -> Vec<OrderDone> {
    let (name, room): (_, fn() -> Arc<str>) = (|| text.into(), || "ops".into());
    every!(OrderDone {
        Only: [OrderDone::Only(Act::Announce)],
        Whom: [OrderDone::Whom(Act::Kick, name())],
        Until: times().map(|until| OrderDone::Until(Act::Ban, name(), until)),
        Room: [OrderDone::Room(Act::Lock, room())],
        InRoom: [OrderDone::InRoom(Act::Invite, room(), name())],
        Bans: [OrderDone::Bans(3)],
        ShutDown: times().map(OrderDone::ShutDown),
    })
}

pub(super) fn events(who: &Arc<Identity>, text: &str) -> Vec<OrderEvent> {
    let kinds = every!(NoticeKind { Announced, Kicked, Banned, Muted, Unmuted, Invited, Owner, ShutDown, GoesOn });
    let notice = |kind| {
        let by = (kind != NoticeKind::Banned).then(|| Arc::clone(who));
        let room = matches!(kind, NoticeKind::Invited | NoticeKind::Owner).then(|| "ops".into());
        let until = (kind == NoticeKind::ShutDown).then_some(Timestamp::UNIX_EPOCH);
        OrderEvent::Notice(Notice { kind, by, room, until, text: text.into() })
    };
    let sanction = |whom| Sanction {
        penalty: Penalty::Ban,
        whom,
        until: None,
        by: "ann".into(),
        reason: text.into(),
        created: Timestamp::UNIX_EPOCH,
    };
    let whom = every!(Whom {
        Account: [Whom::Account("bob".into())],
        Block: [Whom::Block("10.0.0.0/8".parse().expect("a block"))],
        Client: [Whom::Client(ClientId(1), "10.0.0.1:9".into())],
    });
    every!(OrderEvent {
        Notice: kinds.into_iter().map(notice),
        Sanction: whom.into_iter().map(|whom| OrderEvent::Sanction(sanction(whom))),
    })
}

pub(super) fn commands() -> Vec<OrderCommand> {
    let (text, time) = (String::new, Duration::ZERO);
    every!(OrderCommand {
        Kick: [OrderCommand::Kick { room: None, name: text(), reason: text() }],
        Ban: [OrderCommand::Ban { who: text(), time, reason: text() }],
        Unban: [OrderCommand::Unban(text())],
        Mute: [OrderCommand::Mute { room: None, name: text(), time, reason: text() }],
        Unmute: [OrderCommand::Unmute { room: None, name: text() }],
        Bans: [OrderCommand::Bans],
        Lock: [OrderCommand::Lock(text())],
        Unlock: [OrderCommand::Unlock(text())],
        Invite: [OrderCommand::Invite { room: text(), name: text() }],
        Owner: [OrderCommand::Owner { room: text(), name: text() }],
        Announce: [OrderCommand::Announce(text())],
        ShutDown: [OrderCommand::ShutDown { time, reason: text() }],
        CancelShutDown: [OrderCommand::CancelShutDown],
    })
}
