//! What operators decide, as `listen` and `chat` show it.

use std::{fs, path::PathBuf};

use common::{EN, Server, ZH, binary, run};

use crate::{DONE, REFUSED, cli, process::Cli, terminal::Terminal};

/// Runs a test in each language, with a server that has a store and the token of an operator.
fn in_both(name: &str, test: impl Fn(&Server, &str, bool)) {
    for texts in [&ZH, &EN] {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("order-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("ours");
        let store = folder.join("chat.db").display().to_string();
        let account = |words: &[&str]| {
            let (code, out, error) = run(&[&["account", "--store", &store], words].concat());
            assert_eq!((code, &*error), (DONE, ""));
            out
        };
        account(&["add", "op", "--no-password"]);
        account(&["role", "op", "operator"]);
        let token = account(&["token", "op", "test"]);
        let server = Server::start_with(binary(), &["--port", "0", "--store", &store, "--lang", texts.lang]);
        test(&server, token.trim_end(), texts.lang == "en");
        drop(server);
        fs::remove_dir_all(&folder).expect("ours");
    }
}

#[test]
fn a_listener_is_told_what_operators_announce_and_decide() {
    in_both("listen", |server, token, is_english| {
        let mut listener = Cli::spawn(server, &["listen", "--name", "ear", "--event", "notice", "--reconnect"]);
        let mut op = server.connect();
        op.say(&format!("login|{token}\nwait|20|user|ear"));
        op.expect_among("wait|ok|ear");
        op.say("announce|lunch\nannounce|work\nmute|ear|0|be quiet");
        let expected = match is_english {
            true => ["notice[op] lunch", "notice[op] work", "notice[op] you are muted: be quiet"],
            false => ["公告[op] lunch", "公告[op] work", "公告[op] 你已被禁言:be quiet"],
        };
        for line in expected {
            assert_eq!(listener.line(), line);
        }
        op.say("kick|ear|bye");
        let (code, lines, error) = listener.exit();
        let [notice, why] = match is_english {
            true => ["notice[op] you were kicked: bye", "pipechat: disconnected: kicked\n"],
            false => ["公告[op] 你已被踢出:bye", "pipechat: 你已被踢出,连接将被断开\n"],
        };
        assert_eq!((code, lines, &*error), (REFUSED, vec![notice.to_owned()], why), "it does not come again");
    });
}

#[test]
fn one_who_is_kicked_or_banned_does_not_come_again_by_itself() {
    in_both("away", |server, token, is_english| {
        let mut op = server.connect();
        op.say(&format!("login|{token}"));
        op.expect_among("login|ok|op|0");
        let mut bob = Terminal::spawn(server, &["chat", "--name", "bob"]);
        bob.expect("connected to");
        op.say("kick|bob|spam");
        bob.expect(if is_english { "notice[op] you were kicked: spam" } else { "公告[op] 你已被踢出:spam" });
        assert_eq!(bob.exit(), REFUSED);
        op.say("rename|other\nregister|correct horse\ntoken|lap"); // others than the operator can be banned
        let is_token = |line: &str| line.strip_prefix("token|ok|lap|").map(str::to_owned);
        let other = std::iter::repeat_with(|| op.line()).find_map(|line| is_token(&line)).expect("a line");
        let mut ear = Cli::spawn(server, &["listen", "--token", &other, "--reconnect"]);
        op.say(&format!("login|{token}\nwait|20|user|other\nban|other|0"));
        op.expect_among("ban|ok|other|-");
        assert_eq!(ear.exit().0, REFUSED);
        let (code, out, error) = cli(server, &["send", "--token", &other, "hello"]);
        let why = if is_english { "pipechat: this account is banned\n" } else { "pipechat: 该账号已被封禁\n" };
        assert_eq!((code, &*out, &*error), (REFUSED, "", why));
    });
}

#[test]
fn an_operator_sees_in_chat_what_is_in_force() {
    in_both("chat", |server, token, is_english| {
        let mut chat = Cli::spawn(server, &["chat", "--token", token]);
        chat.type_in("ban|203.0.113.7|0|spam\nbans\nannounce|lunch\nunban|203.0.113.7\n");
        let notice = if is_english { "notice[op] lunch" } else { "公告[op] lunch" };
        let mut expected = [
            "ban|ok|203.0.113.7|-",
            "bans|-|ban|203.0.113.7|-|spam",
            "bans|ok|1",
            "announce|ok",
            notice,
            "unban|ok|203.0.113.7",
        ];
        // Everybody is told the notice in a turn of its own.
        let mut lines: Vec<_> = (0..expected.len()).map(|_| chat.line()).collect();
        lines.sort_unstable();
        expected.sort_unstable();
        assert_eq!(lines, expected);
        chat.close_stdin();
        assert_eq!(chat.exit().0, DONE);
    });
}
