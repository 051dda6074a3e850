//! Why a request is not served, and which status that has; and the statuses of what the chat refuses.

use super::status_of_departure;
use crate::{
    chat::Departure,
    protocol::{Lang, line::goodbye},
};

/// Why a request is not served: it is none, or one that nobody here can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// It is no request, or one of which two could find different ends.
    Malformed,
    /// Its query or its fields are not what this resource takes: the right form.
    Usage(&'static str),
    /// Nothing has this path.
    NotFound,
    /// There is no session of this id.
    NoSuchSession,
    /// What was asked for of a session is not kept any more.
    SessionGone,
    /// The resource has other methods: these.
    MethodNotAllowed(&'static str),
    /// The head did not come in time.
    TooSlow,
    /// The body is longer than may be sent at once, in bytes.
    BodyTooLong(u64),
    /// The body is of several parts, which are no text.
    NotText,
    /// The client expects something that nobody knows here.
    ExpectationFailed,
    /// The client knows the server by a name that it does not have.
    WrongHost,
    /// A page from elsewhere asks.
    ForeignOrigin,
    /// It is for trusted addresses only.
    NotTrusted,
    /// An earlier request with the same `Idempotency-Key` is still at work.
    InProgress,
    /// The head has too many bytes or fields.
    HeadTooLong,
    /// The body is coded in a way that nobody knows here.
    CodingNotSupported,
    /// There is no such method.
    MethodNotKnown,
    /// Another version of HTTP.
    VersionNotSupported,
    /// No connection or session can be admitted, or its user has to leave, for this reason.
    Unavailable(Departure),
}

impl Problem {
    /// The status of the answer.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Malformed | Self::Usage(_) => 400,
            Self::ForeignOrigin | Self::NotTrusted => 403,
            Self::NotFound | Self::NoSuchSession => 404,
            Self::MethodNotAllowed(_) => 405,
            Self::TooSlow => 408,
            Self::InProgress => 409,
            Self::SessionGone => 410,
            Self::BodyTooLong(_) => 413,
            Self::NotText => 415,
            Self::ExpectationFailed => 417,
            Self::WrongHost => 421,
            Self::HeadTooLong => 431,
            Self::CodingNotSupported | Self::MethodNotKnown => 501,
            Self::VersionNotSupported => 505,
            Self::Unavailable(departure) => status_of_departure(departure),
        }
    }

    /// A word for machines, which never changes.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed | Self::Usage(_) => "malformed",
            Self::NotFound => "not-found",
            Self::NoSuchSession => "no-such-session",
            Self::SessionGone => "history-gone",
            Self::MethodNotAllowed(_) => "method-not-allowed",
            Self::TooSlow => "too-slow",
            Self::BodyTooLong(_) => "body-too-long",
            Self::NotText => "not-text",
            Self::ExpectationFailed => "expectation-failed",
            Self::WrongHost => "wrong-host",
            Self::ForeignOrigin => "foreign-origin",
            Self::NotTrusted => "not-allowed",
            Self::InProgress => "in-progress",
            Self::HeadTooLong => "head-too-long",
            Self::CodingNotSupported => "coding-not-supported",
            Self::MethodNotKnown => "method-not-known",
            Self::VersionNotSupported => "version-not-supported",
            Self::Unavailable(departure) => departure.code(),
        }
    }

    /// The same for people.
    #[must_use]
    pub fn sentence(self, lang: Lang) -> String {
        let [zh, en] = match self {
            Self::Usage(form) => {
                return match lang {
                    Lang::Zh => format!("格式错误,正确格式:{form}"),
                    Lang::En => format!("usage: {form}"),
                };
            }
            Self::MethodNotAllowed(allowed) => {
                return match lang {
                    Lang::Zh => format!("此资源只支持 {allowed}"),
                    Lang::En => format!("method not allowed here: use {allowed}"),
                };
            }
            Self::BodyTooLong(max) => {
                return match lang {
                    Lang::Zh => format!("内容过长,一次最多{max}字节;可用 curl -T - 边读边发"),
                    Lang::En => format!("body too long: must be at most {max} bytes at once; stream it with curl -T -"),
                };
            }
            Self::Malformed => ["不是有效的HTTP请求", "not a valid HTTP request"],
            Self::NotFound => ["路径不存在", "no such path"],
            Self::NoSuchSession => ["会话不存在或已结束", "no such session, or it has ended"],
            Self::SessionGone => ["更早的事件已不存在", "earlier events are gone"],
            Self::TooSlow => ["请求头未在规定时间内发完", "the request headers did not come in time"],
            Self::NotText => ["请求内容必须是文本,不支持multipart", "the body must be text, not multipart"],
            Self::ExpectationFailed => ["不支持的Expect", "unsupported expectation"],
            Self::WrongHost => ["Host 不是本服务器的域名,见 --public-host", "unknown host name: see --public-host"],
            Self::ForeignOrigin => ["请求来自其他网站,已拒绝,见 --cors", "cross-origin request refused: see --cors"],
            Self::NotTrusted => ["仅限受信任的地址,见 --trusted", "for trusted addresses only: see --trusted"],
            Self::InProgress => {
                ["同一Idempotency-Key的请求仍在处理", "a request with this Idempotency-Key is still in progress"]
            }
            Self::HeadTooLong => ["请求头过长", "the request headers are too long"],
            Self::CodingNotSupported => ["不支持的Transfer-Encoding", "unsupported Transfer-Encoding"],
            Self::MethodNotKnown => ["不支持的请求方法", "unsupported method"],
            Self::VersionNotSupported => ["只支持HTTP/1.1和HTTP/1.0", "only HTTP/1.1 and HTTP/1.0 are supported"],
            Self::Unavailable(departure) => {
                return goodbye(departure, lang).to_owned();
            }
        };
        match lang {
            Lang::Zh => zh,
            Lang::En => en,
        }
        .to_owned()
    }
}
