//! Text out of events. Every word that the server says stands here, in each language.

use super::visible::push_visible;
use crate::chat::{Event, Farewell, Lang, NAME_CHARS_MAX, NameRule, Refusal, Who};

/// How a connection is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Lines for people.
    Text(Lang),
}

impl Dialect {
    /// How many there are.
    pub const COUNT: usize = 2;

    /// A number below [`Self::COUNT`], one for each.
    #[must_use]
    pub fn index(self) -> usize {
        match self {
            Self::Text(Lang::Zh) => 0,
            Self::Text(Lang::En) => 1,
        }
    }

    /// All of them, in the order of [`Self::index`].
    pub const ALL: [Self; Self::COUNT] = [Self::Text(Lang::Zh), Self::Text(Lang::En)];
}

/// Appends `event` to `out`, as one whole line with its LF.
pub fn render(out: &mut Vec<u8>, event: &Event, dialect: Dialect) {
    let Dialect::Text(lang) = dialect;
    text(out, event, lang);
    out.push(b'\n');
}

/// Names and addresses are visible by the rules for names; only what users say has to be made so.
fn text(out: &mut Vec<u8>, event: &Event, lang: Lang) {
    let zh = lang == Lang::Zh;
    match event {
        Event::Online(who) => {
            prefix(out, who);
            put(out, &[if zh { "已上线" } else { "is online" }]);
        }
        Event::Offline(who, _) => {
            prefix(out, who);
            put(out, &[if zh { "下线" } else { "is offline" }]);
        }
        Event::Message { from, text } => {
            prefix(out, from);
            push_visible(out, text);
        }
        Event::Private { from, text } => {
            if zh {
                put(out, &["来自:[", &from.name, "]的消息,内容是:"]);
            } else {
                put(out, &["from:[", &from.name, "] says:"]);
            }
            push_visible(out, text);
        }
        Event::User(who) => put(out, &["[", &who.name, "] is online"]),
        Event::Renamed { old, new } => {
            put(out, &[if zh { "用户名修改成功,[" } else { "renamed,[" }, &old.name, "]->[", &new.name, "]"]);
        }
        Event::Refused(refusal) => put(out, &[&refused(*refusal, lang)]),
        Event::Farewell(farewell) => put(out, &[goodbye(*farewell, lang)]),
    }
}

fn prefix(out: &mut Vec<u8>, who: &Who) {
    put(out, &["[", &who.addr, "]", &who.name, ":"]);
}

fn put(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

fn refused(refusal: Refusal, lang: Lang) -> String {
    let [zh, en] = match refusal {
        Refusal::NameTaken => ["用户名已存在,修改失败", "name taken, not renamed"],
        Refusal::NameInvalid(rule) => return name_invalid(rule, lang),
        Refusal::PrivateForm => [
            "发送私聊消息格式错误,正确格式:to|张三|你好呀",
            "malformed private message, the right form is: to|bob|hello",
        ],
        Refusal::NoSuchUser => ["目标对象不存在,请仔细检查", "no such user, please check the name"],
        Refusal::EmptyText => ["消息内容格式错误", "malformed private message, there is no text"],
        Refusal::LineTooLong(max) => {
            return match lang {
                Lang::Zh => format!("消息过长,一行最多{max}字节,已丢弃"),
                Lang::En => format!("line too long, not sent: at most {max} bytes"),
            };
        }
        Refusal::NotUtf8 => ["消息不是有效的UTF-8,已丢弃", "line is not valid UTF-8, not sent"],
        Refusal::Nul => ["消息含有NUL字符,已丢弃", "line has a NUL in it, not sent"],
    };
    in_lang([zh, en], lang).to_owned()
}

fn name_invalid(rule: NameRule, lang: Lang) -> String {
    let [zh, en] = match rule {
        NameRule::Empty => ["不能为空", "it is empty"],
        NameRule::TooLong => {
            return match lang {
                Lang::Zh => format!("用户名无效,修改失败:最多{NAME_CHARS_MAX}个字符"),
                Lang::En => format!("invalid name, not renamed: at most {NAME_CHARS_MAX} characters"),
            };
        }
        NameRule::Space => ["不能含有空白字符", "no white space"],
        NameRule::Invisible => ["不能含有控制字符或不可见字符", "no control or invisible characters"],
        NameRule::Punctuation => ["不能含有 | [ ] :", "none of | [ ] :"],
        NameRule::Address => ["不能是地址", "it is an address"],
    };
    let [before_zh, before_en] = ["用户名无效,修改失败:", "invalid name, not renamed: "];
    format!("{}{}", in_lang([before_zh, before_en], lang), in_lang([zh, en], lang))
}

fn goodbye(farewell: Farewell, lang: Lang) -> &'static str {
    let texts = match farewell {
        Farewell::Left => ["再见", "goodbye"],
        Farewell::Lost => ["连接已断开", "connection lost"],
        Farewell::Idle => ["你已超时,将被踢出下线", "you have been idle for too long and are disconnected"],
        Farewell::SlowConsumer => {
            ["你接收过慢,积压消息超过上限,将被断开", "you read too slowly: too much is waiting for you, disconnected"]
        }
        Farewell::WriteTimeout => {
            ["你长时间未接收数据,将被断开", "you have not read anything for too long and are disconnected"]
        }
        Farewell::Full => ["服务器已满,请稍后再试", "the server is full, please try again later"],
        Farewell::FullForAddress => {
            ["来自你的地址的连接过多,请稍后再试", "too many connections from your address, please try again later"]
        }
        Farewell::Http => ["这里不是HTTP服务,连接关闭", "this is not an HTTP server, closed"],
        Farewell::ShuttingDown => ["服务器即将关闭,再见", "the server is shutting down, goodbye"],
    };
    in_lang(texts, lang)
}

fn in_lang([zh, en]: [&'static str; 2], lang: Lang) -> &'static str {
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}
