//! What `help` answers.

use super::{
    messages::{form, in_lang},
    order,
};
use crate::{
    Config,
    protocol::{Lang, Limits, Verb},
};

/// The verbs, a line each, and the limits.
pub(super) fn help(limits: &Limits, lang: Lang) -> String {
    let mut text = String::new();
    for verb in Verb::ALL {
        text.extend([form(verb), " - ", in_lang(purpose(verb), lang), "\n"]);
    }
    let none = || in_lang(["不限", "none"], lang).to_owned();
    let zero = |value: f64| if value == 0.0 { none() } else { value.to_string() };
    // As large as a number of bytes can be set is no limit.
    let unlimited = |value: usize| if value >= Config::MEMORY_BYTES_MAX { none() } else { value.to_string() };
    let limits = [
        (["单行字节数上限", "longest line, bytes"], limits.line_max.to_string()),
        (["积压字节数上限", "output queue limit, bytes"], unlimited(limits.queue_max)),
        (["每秒行数上限", "lines per second"], zero(limits.rate.per_second.into())),
        (["突发行数上限", "burst, lines"], limits.rate.burst.to_string()),
        (["空闲超时(秒)", "idle timeout, seconds"], zero(limits.idle_timeout.as_secs_f64())),
        (["不接收数据超时(秒)", "write timeout, seconds"], zero(limits.write_timeout.as_secs_f64())),
        (["等待时间上限(秒)", "longest wait, seconds"], limits.wait_max.as_secs_f64().to_string()),
        (["在线人数上限", "maximum number of clients"], unlimited(limits.clients_max)),
    ];
    for (what, value) in limits {
        text.extend([in_lang(what, lang), ": ", &value, "\n"]);
    }
    text
}

/// What a verb is for.
fn purpose(verb: Verb) -> [&'static str; 2] {
    match verb {
        Verb::Who => ["查询在线用户,或房间成员", "list who is online, or in a room"],
        Verb::Rename => ["修改用户名", "change your name"],
        Verb::To => ["私聊", "send a private message"],
        Verb::Say => ["原样广播TEXT", "say TEXT verbatim, even if it looks like a command"],
        Verb::Sync => ["此前的消息全部生效后回复sync|TOKEN", "answers once all that you sent before has taken effect"],
        Verb::Wait => {
            ["条件满足后才回复;期间后续命令暂不执行", "answers once the condition holds; later lines wait until then"]
        }
        Verb::Check => [
            "若此前没有消息被拒绝则回复check|ok|TOKEN,否则回复原因并断开",
            "answers check|ok|TOKEN if nothing was refused since the last one; otherwise says why and disconnects",
        ],
        Verb::Join => [
            "加入房间,之后的消息发到该房间;可先补看错过的消息",
            "join a room; what you say goes there. You can be told first what you have missed",
        ],
        Verb::In => ["在房间内发言,不必加入", "say TEXT in a room, without joining it"],
        Verb::Leave => ["离开房间", "leave a room"],
        Verb::Rooms => ["列出房间", "list the rooms"],
        Verb::Topic => ["查看或修改房间主题", "show or change the topic of a room"],
        Verb::History => [
            "查询房间的历史消息:最近N条(默认20),或自START起;START为位置、时间或10m这样的时长",
            "show the last N (20) messages of a room, or those since START: a position, a time, or how long ago, as 10m",
        ],
        Verb::Register => ["把当前用户名注册为账号", "make the name that you bear your account"],
        Verb::Login => ["用密码或令牌登录账号", "log in to your account, by password or by token"],
        Verb::Password => ["修改密码", "change your password"],
        Verb::Unregister => ["注销账号", "give up your account"],
        Verb::Token => ["新建供脚本登录的令牌,只显示一次", "make a token for scripts to log in with, shown once"],
        Verb::Tokens => ["列出令牌", "list your tokens"],
        Verb::Revoke => ["作废令牌", "make a token worthless"],
        Verb::Order(act) => order::purpose(act),
        Verb::Visit => [
            "以访客身份发言:不上线,也不接收公共消息",
            "speak without being online: nobody is told of you, and you receive only what is sent to you",
        ],
        Verb::Stay => ["不因超时被踢出", "no idle timeout for this connection"],
        Verb::Format => ["选择输出格式", "choose the output format"],
        Verb::Lang => ["选择语言", "choose the language of this connection"],
        Verb::Help => ["显示本帮助", "this help"],
        Verb::Quit => ["断开连接", "disconnect"],
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::Duration};

    use super::*;
    use crate::protocol::Rate;

    #[test]
    fn help_has_a_line_for_each_verb() {
        for lang in [Lang::Zh, Lang::En] {
            let help = help(&Limits::default(), lang);
            let mut purposes = BTreeSet::new();
            for (verb, line) in Verb::ALL.into_iter().zip(help.lines()) {
                let (before, purpose) = line.split_once(" - ").expect("its form and its purpose");
                assert_eq!(before, form(verb));
                assert!(!purpose.is_empty() && purposes.insert(purpose), "{line}");
            }
            assert_eq!(purposes.len(), Verb::ALL.len());
        }
        assert!(help(&Limits::default(), Lang::En).contains("quit - disconnect\n"));
    }

    #[test]
    fn help_tells_the_limits_and_zero_is_none() {
        let limits = |per_second, idle| {
            let rate = Rate { per_second, burst: 20 };
            let limits =
                Limits { line_max: 99, rate, idle_timeout: Duration::from_secs_f64(idle), ..Limits::default() };
            help(&limits, Lang::En)
        };
        let help = limits(10, 1.5);
        for line in
            ["longest line, bytes: 99", "lines per second: 10", "burst, lines: 20", "idle timeout, seconds: 1.5"]
        {
            assert!(help.lines().any(|told| told == line), "{line}: {help}");
        }
        let none = Limits {
            write_timeout: Duration::ZERO,
            queue_max: Config::MEMORY_BYTES_MAX,
            clients_max: usize::MAX,
            ..Limits::default()
        };
        let help = limits(0, 0.0) + &super::help(&none, Lang::En);
        for limit in [
            "lines per second",
            "idle timeout, seconds",
            "write timeout, seconds",
            "output queue limit, bytes",
            "maximum number of clients",
        ] {
            assert!(help.lines().any(|told| told == format!("{limit}: none")), "{limit}: {help}");
        }
    }
}
