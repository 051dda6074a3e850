//! What the server says, word for word as the manual promises. Not taken from the server's source: scripts match these
//! texts, so a test has to notice when one changes.
//!
//! The lines that are alike in both languages, such as `[ann] is online` in the answer to `who`, stand in the tests.

use std::fmt::Display;

/// The server's texts in one language.
#[derive(Debug)]
pub struct Texts {
    /// As `--lang` takes it.
    pub lang: &'static str,
    pub online: &'static str,
    pub offline: &'static str,
    renamed: &'static str,
    known_as: &'static str,
    joined: &'static str,
    left: &'static str,
    topic: &'static str,
    private: [&'static str; 2],

    pub name_taken: &'static str,
    name_confusable: [&'static str; 2],
    name_invalid: &'static str,
    /// A name that breaks each rule, and what is said about it.
    pub name_rules: [(&'static str, &'static str); 6],
    pub private_form: &'static str,
    form: &'static str,
    pub no_such_user: &'static str,
    pub empty_text: &'static str,
    pub recipient_behind: &'static str,
    pub no_such_room: &'static str,
    pub not_in_room: &'static str,
    pub not_stored: &'static str,
    pub history_gone: &'static str,
    room_invalid: &'static str,
    room_confusable: &'static str,
    too_many_rooms: [&'static str; 2],
    /// A name that breaks each rule that only those of rooms have, and what is said about it.
    pub room_rules: [(&'static str, &'static str); 3],
    argument_too_long: [&'static str; 2],
    wait_too_long: [&'static str; 2],
    pub unknown_verb: &'static str,
    pub stay_forbidden: &'static str,
    line_too_long: [&'static str; 2],
    pub not_utf8: &'static str,
    pub nul: &'static str,

    pub goodbye: &'static str,
    pub idle: &'static str,
    pub slow_consumer: &'static str,
    pub write_timeout: &'static str,
    pub logged_out: &'static str,
    pub full: &'static str,
    pub full_for_address: &'static str,
    pub too_many_arrivals: &'static str,
    pub http: &'static str,
    pub other_protocol: &'static str,
    pub shutting_down: &'static str,

    pub set_stay: &'static str,
    pub set_visit: &'static str,
    pub set_format_text: &'static str,
    /// That this language is the connection's from now on.
    pub set_lang: &'static str,
}

/// One character longer than a name may be.
pub const LONG_NAME: &str = "abcdefghijklmnopqrstuvwxyzabcdefg";
/// In [`Texts::name_rules`], the rule about white space.
pub const SPACE: usize = 2;
/// And the one about characters that have a meaning in lines.
pub const PUNCTUATION: usize = 4;

/// Chinese, the default.
pub static ZH: Texts = Texts {
    lang: "zh",
    online: "已上线",
    offline: "下线",
    renamed: "用户名修改成功,",
    known_as: " 已改名为",
    joined: " 已加入",
    left: " 已离开",
    topic: " 主题:",
    private: ["来自:[", "]的消息,内容是:"],
    name_taken: "用户名已存在,修改失败",
    name_confusable: ["与 ", " 过于相似"],
    name_invalid: "用户名无效,修改失败:",
    name_rules: [
        ("", "不能为空"),
        (LONG_NAME, "不能超过32个字符"),
        ("a b", "不能含有空白字符"),
        ("a\u{7}b", "不能含有控制字符或不可见字符"),
        ("a|b", "不能含有 | [ ] :"),
        ("127.0.0.1", "不能是IP地址"),
    ],
    private_form: "发送私聊消息格式错误,正确格式:to|张三|你好呀",
    form: "格式错误,正确格式:",
    no_such_user: "目标对象不存在,请仔细检查",
    empty_text: "消息内容格式错误",
    recipient_behind: "对方接收过慢,消息未送达",
    no_such_room: "房间不存在",
    not_in_room: "你不在该房间",
    not_stored: "存储失败,消息未发送",
    history_gone: "更早的历史已不存在",
    room_invalid: "房间名无效:",
    room_confusable: "与房间 {} 过于相似",
    too_many_rooms: ["房间过多,最多", "个"],
    room_rules: [("##a", "不能以 # 开头"), ("..", "不能是 . .. @"), ("a/b", "不能含有 / ,")],
    argument_too_long: ["参数过长,最多", "字节"],
    wait_too_long: ["等待时间过长,最多", "秒"],
    unknown_verb: "没有这个命令",
    stay_forbidden: "本服务器已禁用stay",
    line_too_long: ["消息过长,一行最多", "字节,已丢弃"],
    not_utf8: "消息不是有效的UTF-8,已丢弃",
    nul: "消息含有NUL字符,已丢弃",
    goodbye: "再见",
    idle: "你已超时,将被踢出下线",
    slow_consumer: "你接收过慢,积压消息超过上限,连接将被断开",
    write_timeout: "你长时间未接收数据,连接将被断开",
    logged_out: "你已退出登录,连接将被断开",
    full: "服务器已满,请稍后再试",
    full_for_address: "来自你的地址的连接过多,请稍后再试",
    too_many_arrivals: "来自你的地址的新连接过于频繁,请稍后再试",
    http: "此端口不支持HTTP(见 --http),连接将被断开",
    other_protocol: "这里是聊天服务,不支持其他协议,连接将被断开",
    shutting_down: "服务器即将关闭,再见",
    set_stay: "已设置:不会因超时被踢出",
    set_visit: "已设置:访客",
    set_format_text: "已设置:文本格式",
    set_lang: "已设置:中文",
};

/// English.
pub static EN: Texts = Texts {
    lang: "en",
    online: "is online",
    offline: "is offline",
    renamed: "renamed,",
    known_as: " is now ",
    joined: " has joined",
    left: " has left",
    topic: " topic: ",
    private: ["from:[", "] says:"],
    name_taken: "name already taken",
    name_confusable: ["looks like ", ""],
    name_invalid: "invalid name: ",
    name_rules: [
        ("", "must not be empty"),
        (LONG_NAME, "must be at most 32 characters"),
        ("a b", "must not contain white space"),
        ("a\u{7}b", "must not contain control or invisible characters"),
        ("a|b", "must not contain any of | [ ] :"),
        ("127.0.0.1", "must not be an IP address"),
    ],
    private_form: "usage: to|NAME|TEXT",
    form: "usage: ",
    no_such_user: "no such user, please check the name",
    empty_text: "message text must not be empty",
    recipient_behind: "recipient is not keeping up, not delivered",
    no_such_room: "no such room",
    not_in_room: "not in this room",
    not_stored: "storage failed, not sent",
    history_gone: "older history is gone",
    room_invalid: "invalid room name: ",
    room_confusable: "looks like room {}",
    too_many_rooms: ["too many rooms: at most ", ""],
    room_rules: [
        ("##a", "must not begin with #"),
        ("..", "must not be . or .. or @"),
        ("a/b", "must not contain any of / ,"),
    ],
    argument_too_long: ["argument too long: must be at most ", " bytes"],
    wait_too_long: ["wait too long: must be at most ", " seconds"],
    unknown_verb: "unknown command",
    stay_forbidden: "stay is disabled on this server",
    line_too_long: ["line too long, discarded: must be at most ", " bytes"],
    not_utf8: "line is not valid UTF-8, discarded",
    nul: "line contains a NUL, discarded",
    goodbye: "goodbye",
    idle: "disconnected: idle timeout",
    slow_consumer: "disconnected: output queue full",
    write_timeout: "disconnected: write timeout",
    logged_out: "disconnected: logged out",
    full: "the server is full, please try again later",
    full_for_address: "too many connections from your address, please try again later",
    too_many_arrivals: "too many new connections from your address, please try again later",
    http: "disconnected: this port does not speak HTTP, see --http",
    other_protocol: "disconnected: this is a chat server, other protocols are not supported",
    shutting_down: "the server is shutting down, goodbye",
    set_stay: "set: no idle timeout",
    set_visit: "set: visitor",
    set_format_text: "set: format text",
    set_lang: "set: English",
};

impl Texts {
    /// What a client is told that has a new name.
    pub fn renamed(&self, old: &str, new: &str) -> String {
        format!("{}[{old}]->[{new}]", self.renamed)
    }

    /// What the others are told of that.
    pub fn known_as(&self, addr: &str, old: &str, new: &str) -> String {
        format!("[{addr}]{old}{}[{new}]", self.known_as)
    }

    /// What those in a room are told of one that disconnects.
    pub fn offline_in(&self, room: &str, addr: &str, name: &str) -> String {
        format!("#{room} [{addr}]{name} {}", self.offline)
    }

    /// What is told in a room of one who joins it.
    pub fn joined(&self, room: &str, addr: &str, name: &str) -> String {
        format!("#{room} [{addr}]{name}{}", self.joined)
    }

    /// And of one who leaves it.
    pub fn left(&self, room: &str, addr: &str, name: &str) -> String {
        format!("#{room} [{addr}]{name}{}", self.left)
    }

    /// And of one who gives it a topic.
    pub fn topic(&self, room: &str, addr: &str, name: &str, topic: &str) -> String {
        format!("#{room} [{addr}]{name}{}{topic}", self.topic)
    }

    /// The refusal of a room's name that breaks this rule.
    pub fn room_invalid(&self, rule: &str) -> String {
        format!("{}{rule}", self.room_invalid)
    }

    /// The refusal of a room that looks like this one.
    pub fn room_confusable(&self, other: &str) -> String {
        self.room_confusable.replace("{}", other)
    }

    pub fn too_many_rooms(&self, most: usize) -> String {
        let [before, after] = self.too_many_rooms;
        format!("{before}{most}{after}")
    }

    /// A private message, as its recipient reads it.
    pub fn private(&self, from: &str, text: impl Display) -> String {
        let [before, after] = self.private;
        format!("{before}{from}{after}{text}")
    }

    /// The refusal of a name that looks like this one, which somebody has.
    pub fn name_confusable(&self, taken: &str) -> String {
        let [before, after] = self.name_confusable;
        format!("{before}{taken}{after}")
    }

    /// The refusal of a name that breaks this rule.
    pub fn name_invalid(&self, rule: &str) -> String {
        format!("{}{rule}", self.name_invalid)
    }

    /// The refusal of a malformed line, the right form of which is this one.
    pub fn malformed(&self, form: &str) -> String {
        let is_english = self.lang == "en";
        let hint = match (form.split('|').next(), is_english) {
            (Some("join" | "history"), false) => ";N最多1000,START如10m、2026-11-25T09:30:00Z或位置",
            (Some("join" | "history"), true) => {
                "; N is at most 1000, START is 10m, 2026-11-25T09:30:00Z or the like, or a position"
            }
            (Some("ban" | "mute"), false) => ";FOR如90s、15m、1h、7d,0为永久",
            (Some("ban" | "mute"), true) => "; FOR is 90s, 15m, 1h, 7d or the like, 0 for ever",
            (Some("shutdown"), false) => ";FOR如90s、15m、1h、7d,0为立即",
            (Some("shutdown"), true) => "; FOR is 90s, 15m, 1h, 7d or the like, 0 for at once",
            _ => "",
        };
        format!("{}{form}{hint}", self.form)
    }

    pub fn wait_too_long(&self, seconds_max: u32) -> String {
        let [before, after] = self.wait_too_long;
        format!("{before}{seconds_max}{after}")
    }

    pub fn argument_too_long(&self, bytes_max: usize) -> String {
        let [before, after] = self.argument_too_long;
        format!("{before}{bytes_max}{after}")
    }

    pub fn line_too_long(&self, bytes_max: usize) -> String {
        let [before, after] = self.line_too_long;
        format!("{before}{bytes_max}{after}")
    }
}
