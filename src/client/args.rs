//! The command lines of the subcommands.

mod asking;

use argh::{ArgsInfo, FromArgs};
use pipechat::protocol::Lang;

use super::{filter::EventKinds, start::Since, token::Token};
use crate::args::{Timeout, client_port, lang, unlimited_count};

pub(crate) use asking::{HistoryArgs, WaitArgs, WhoArgs};

/// Send messages, and return when the server has confirmed that they were delivered.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(
    help_triggers("-h", "--help"),
    example = "{command_name} --name ci build 42 is green",
    example = "make 2>&1 | {command_name} --name make -",
    example = "{command_name} --room builds --name ci build 42 is green",
    example = "{command_name} --to deployer --timeout 5 go || echo 'not delivered'",
    error_code(0, "every line was delivered"),
    error_code(1, "the server refused the name or a line, sent the client away, or is full"),
    error_code(2, "usage error"),
    error_code(3, "cannot connect, or the connection was lost"),
    error_code(124, "timed out")
)]
pub(crate) struct SendArgs {
    /// host of the server, or HOST:PORT (127.0.0.1)
    #[argh(option, arg_name = "HOST", default = "HOST.to_owned()")]
    pub(super) host: String,
    /// port of the server (9999)
    #[argh(option, arg_name = "PORT", default = "PORT", from_str_fn(client_port))]
    pub(super) port: u16,
    /// encrypt the connection, and check who the server is
    #[argh(switch)]
    pub(super) tls: bool,
    /// trust servers whose certificate leads to one in this file (the system's)
    #[argh(option, arg_name = "FILE")]
    pub(super) ca: Option<String>,
    /// encrypt without checking who the server is
    #[argh(switch)]
    pub(super) insecure: bool,
    /// name to take first; one that is taken is refused
    #[argh(option, arg_name = "NAME")]
    pub(super) name: Option<String>,
    /// token to log in with; others can see it in the list of processes, but not PIPECHAT_TOKEN
    #[argh(option, arg_name = "TOKEN")]
    pub(super) token: Option<Token>,
    /// file with the token to log in with
    #[argh(option, arg_name = "FILE")]
    pub(super) token_file: Option<String>,
    /// language of the server's texts (the server's)
    #[argh(option, arg_name = "zh|en", from_str_fn(lang))]
    pub(super) lang: Option<Lang>,
    /// how long to try to connect, and to wait for the confirmation of TEXT, or with - of each line; 0 means no limit (30s)
    #[argh(option, arg_name = "DURATION", default = "Timeout::seconds(30)")]
    pub(super) timeout: Timeout,
    /// connect again when the connection is lost, however often; lines that were not confirmed are sent again, so some may be
    /// delivered twice
    #[argh(switch)]
    pub(super) reconnect: bool,
    /// user to send to, instead of everyone
    #[argh(option, arg_name = "NAME")]
    pub(super) to: Option<String>,
    /// room to send to, without joining it, instead of the lobby
    #[argh(option, arg_name = "ROOM")]
    pub(super) room: Option<String>,
    /// print the position of each line when it is said, for --since; - where the server keeps no history
    #[argh(switch)]
    pub(super) verbose: bool,
    /// what to send, verbatim: words are joined by a space, and each line is a message; - is each line of stdin
    #[argh(positional, arg_name = "TEXT")]
    pub(super) text: Vec<String>,
}

/// Print messages, and who arrives, leaves or has a new name, a line each.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(
    help_triggers("-h", "--help"),
    example = "{command_name} --match deploy --count 1 --timeout 60 && make deploy",
    example = "{command_name} --room builds --room deploys --no-presence",
    example = "{command_name} --from ci --event message,private",
    example = "{command_name} --room builds --reconnect --resume builds.pos >> builds.log",
    example = "{command_name} --json --reconnect | jq -r 'select(.event == \"message\").text'",
    error_code(0, "as many lines as asked for were printed, or stdout was closed"),
    error_code(1, "the server refused the name or a room, sent the client away, or is full; or FILE is in use"),
    error_code(2, "usage error"),
    error_code(3, "cannot connect, or the connection was lost"),
    error_code(124, "timed out")
)]
pub(crate) struct ListenArgs {
    /// host of the server, or HOST:PORT (127.0.0.1)
    #[argh(option, arg_name = "HOST", default = "HOST.to_owned()")]
    pub(super) host: String,
    /// port of the server (9999)
    #[argh(option, arg_name = "PORT", default = "PORT", from_str_fn(client_port))]
    pub(super) port: u16,
    /// encrypt the connection, and check who the server is
    #[argh(switch)]
    pub(super) tls: bool,
    /// trust servers whose certificate leads to one in this file (the system's)
    #[argh(option, arg_name = "FILE")]
    pub(super) ca: Option<String>,
    /// encrypt without checking who the server is
    #[argh(switch)]
    pub(super) insecure: bool,
    /// name to take first; one that is taken is refused
    #[argh(option, arg_name = "NAME")]
    pub(super) name: Option<String>,
    /// token to log in with; others can see it in the list of processes, but not PIPECHAT_TOKEN
    #[argh(option, arg_name = "TOKEN")]
    pub(super) token: Option<Token>,
    /// file with the token to log in with
    #[argh(option, arg_name = "FILE")]
    pub(super) token_file: Option<String>,
    /// language of the server's texts (the server's)
    #[argh(option, arg_name = "zh|en", from_str_fn(lang))]
    pub(super) lang: Option<Lang>,
    /// how long to listen, connecting included; 0 means no limit, but 30s for connecting (0)
    #[argh(option, arg_name = "DURATION", default = "Timeout::NEVER")]
    pub(super) timeout: Timeout,
    /// connect again when the connection is lost, however often, and go on where it was
    #[argh(switch)]
    pub(super) reconnect: bool,
    /// room to join, instead of the lobby; may be repeated, also with lobby
    #[argh(option, arg_name = "ROOM")]
    pub(super) room: Vec<String>,
    /// print first what was said since a position, such as 42.abcde, for a duration, such as 10m, or since a time
    #[argh(option, arg_name = "START")]
    pub(super) since: Option<Since>,
    /// go on where the last listener with this file has ended: it holds the position of the last line
    #[argh(option, arg_name = "FILE")]
    pub(super) resume: Option<String>,
    /// print JSON, an object a line
    #[argh(switch)]
    pub(super) json: bool,
    /// print only lines that contain this
    #[argh(option, long = "match", arg_name = "TEXT")]
    pub(super) part: Option<String>,
    /// print only what is about this user
    #[argh(option, arg_name = "NAME")]
    pub(super) from: Option<String>,
    /// print only these kinds: online, offline, known_as, joined, left, topic, message, private, notice (all)
    #[argh(option, arg_name = "KIND[,KIND]")]
    pub(super) event: Option<EventKinds>,
    /// print nothing about who arrives, leaves, has a new name, or joins or leaves a room
    #[argh(switch)]
    pub(super) no_presence: bool,
    /// exit 0 after N lines; 0 means no limit (0)
    #[argh(option, arg_name = "N", default = "usize::MAX", from_str_fn(unlimited_count))]
    pub(super) count: usize,
}

/// Chat: what you type is said, /help shows the commands, Ctrl-D leaves. In a pipe, each line of stdin is sent as it is.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(
    help_triggers("-h", "--help"),
    example = "{command_name} --name ann",
    example = "printf 'who\\n' | {command_name}",
    error_code(0, "left"),
    error_code(1, "the server refused the name or the room, sent the client away, or is full"),
    error_code(2, "usage error"),
    error_code(3, "cannot connect, or the connection was lost"),
    error_code(124, "a wait timed out, and the client did not connect again")
)]
pub(crate) struct ChatArgs {
    /// host of the server, or HOST:PORT (127.0.0.1)
    #[argh(option, arg_name = "HOST", default = "HOST.to_owned()")]
    pub(super) host: String,
    /// port of the server (9999)
    #[argh(option, arg_name = "PORT", default = "PORT", from_str_fn(client_port))]
    pub(super) port: u16,
    /// encrypt the connection, and check who the server is
    #[argh(switch)]
    pub(super) tls: bool,
    /// trust servers whose certificate leads to one in this file (the system's)
    #[argh(option, arg_name = "FILE")]
    pub(super) ca: Option<String>,
    /// encrypt without checking who the server is
    #[argh(switch)]
    pub(super) insecure: bool,
    /// name to take first; one that is taken is refused
    #[argh(option, arg_name = "NAME")]
    pub(super) name: Option<String>,
    /// token to log in with; others can see it in the list of processes, but not PIPECHAT_TOKEN
    #[argh(option, arg_name = "TOKEN")]
    pub(super) token: Option<Token>,
    /// file with the token to log in with
    #[argh(option, arg_name = "FILE")]
    pub(super) token_file: Option<String>,
    /// language of the server's texts (the server's)
    #[argh(option, arg_name = "zh|en", from_str_fn(lang))]
    pub(super) lang: Option<Lang>,
    /// room to join at the start
    #[argh(option, arg_name = "ROOM")]
    pub(super) room: Option<String>,
    /// show addresses beside names
    #[argh(switch)]
    pub(super) addr: bool,
    /// end when the connection is lost, instead of connecting again; always so in a pipe
    #[argh(switch)]
    pub(super) no_reconnect: bool,
    /// remember no lines for later sessions
    #[argh(switch)]
    pub(super) no_history: bool,
}

/// Where a server listens by default.
const HOST: &str = "127.0.0.1";
const PORT: u16 = 9999;
