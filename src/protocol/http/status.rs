//! The statuses of what is refused, and of requests whose user has to leave.

use super::super::reply::Refused;
use crate::{
    chat::{AccountRefusal, Departure, OrderRefusal, Refusal},
    protocol::FormError,
};

/// The status of what was refused for this reason.
#[must_use]
pub fn status_of(refused: &Refused) -> u16 {
    match refused {
        Refused::Form(error) => match error {
            FormError::StayForbidden => 403,
            FormError::TooLong(_) => 413,
            FormError::Usage(_)
            | FormError::PrivateUsage
            | FormError::UnknownVerb
            | FormError::NotUtf8
            | FormError::Nul => 400,
        },
        Refused::Chat(refusal) => match refusal {
            Refusal::NameInvalid(_)
            | Refusal::RoomInvalid(_)
            | Refusal::EmptyText
            | Refusal::WaitTooLong(_)
            | Refusal::ArgumentTooLong(_) => 400,
            Refusal::NoSuchUser | Refusal::NoSuchRoom => 404,
            Refusal::NameTaken
            | Refusal::NameConfusable(_)
            | Refusal::RoomConfusable(_)
            | Refusal::RecipientBehind
            | Refusal::NotInRoom
            | Refusal::TooManyRooms(_) => 409,
            Refusal::HistoryGone { .. } => 410,
            Refusal::NotStored | Refusal::StoreFailed => 503,
            Refusal::Account(refusal) => of_account(refusal),
            Refusal::Order(refusal) => of_order(refusal),
        },
    }
}

fn of_account(refusal: &AccountRefusal) -> u16 {
    match refusal {
        AccountRefusal::PasswordInvalid | AccountRefusal::LabelTooLong(_) => 400,
        AccountRefusal::LoginRequired
        | AccountRefusal::LoginFailed
        | AccountRefusal::NameOwned
        | AccountRefusal::NameRequired => 401,
        AccountRefusal::Insecure | AccountRefusal::RegistrationClosed => 403,
        AccountRefusal::NoSuchToken | AccountRefusal::NoSuchAccount => 404,
        AccountRefusal::AlreadyRegistered
        | AccountRefusal::TooManyLogins(_)
        | AccountRefusal::LabelTaken
        | AccountRefusal::TooManyTokens(_)
        | AccountRefusal::MailboxFull => 409,
        AccountRefusal::TryLater(_) => 429,
        AccountRefusal::NoStore => 503,
    }
}

fn of_order(refusal: &OrderRefusal) -> u16 {
    match refusal {
        OrderRefusal::NotBannable | OrderRefusal::TooFarAhead(_) => 400,
        OrderRefusal::NotOperator
        | OrderRefusal::NotOwner
        | OrderRefusal::Muted(_)
        | OrderRefusal::Banned(_)
        | OrderRefusal::RoomLocked => 403,
        OrderRefusal::NoSuchBan => 404,
        OrderRefusal::TooManyBans(_) | OrderRefusal::TooManyInvited(_) => 409,
    }
}

/// In how many seconds it may be tried again, where that is known.
#[must_use]
pub fn retry_after(refused: &Refused) -> Option<u64> {
    match refused {
        Refused::Chat(Refusal::Account(AccountRefusal::TryLater(seconds))) => Some(*seconds),
        Refused::Chat(_) | Refused::Form(_) => None,
    }
}

/// The status of a request whose user has to leave meanwhile, for this reason.
#[must_use]
pub fn status_of_departure(departure: Departure) -> u16 {
    match departure {
        Departure::LoggedOut => 401,
        Departure::Kicked | Departure::Banned => 403,
        Departure::WaitTimedOut | Departure::CheckFailed => 409,
        Departure::FullForAddress | Departure::TooManyArrivals => 429,
        Departure::Left
        | Departure::Quit
        | Departure::Visiting
        | Departure::Lost
        | Departure::Idle
        | Departure::SlowConsumer
        | Departure::WriteTimeout
        | Departure::Full
        | Departure::Http
        | Departure::OtherProtocol
        | Departure::ShuttingDown => 503,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_the_status_of_its_kind() {
        for (refusal, status) in [
            (Refusal::NameTaken, 409),
            (Refusal::NoSuchUser, 404),
            (Refusal::StoreFailed, 503),
            (Refusal::Account(AccountRefusal::NameOwned), 401),
            (Refusal::Account(AccountRefusal::Insecure), 403),
            (Refusal::Account(AccountRefusal::MailboxFull), 409),
            (Refusal::Account(AccountRefusal::TryLater(7)), 429),
            (Refusal::Order(OrderRefusal::RoomLocked), 403),
        ] {
            let refused = Refused::Chat(refusal);
            assert_eq!(status_of(&refused), status, "{refused:?}");
            assert_eq!(retry_after(&refused), (status == 429).then_some(7));
        }
        assert_eq!(status_of(&Refused::Form(FormError::TooLong(9))), 413);
        assert_eq!(retry_after(&Refused::Form(FormError::Nul)), None);
        assert_eq!(status_of_departure(Departure::WaitTimedOut), 409);
    }
}
