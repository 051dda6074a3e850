//! The command lines of the subcommands that ask something, and end when they know.

use argh::{ArgsInfo, FromArgs};
use pipechat::protocol::Lang;

use super::{HOST, PORT};
use crate::{
    args::{Timeout, client_port, history_count, lang},
    client::{start::Since, token::Token},
};

/// Print what was said in a room, oldest first, with the local time: the last 20 lines, unless told otherwise. Nobody is told.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(
    help_triggers("-h", "--help"),
    example = "{command_name} lobby",
    example = "{command_name} builds --since 1h",
    example = "{command_name} builds --last 5 --json | jq -r .text",
    example = "{command_name} builds --last 100 --follow",
    error_code(0, "printed, or stdout was closed"),
    error_code(1, "no such room, older history is gone, the server keeps none, or it is full"),
    error_code(2, "usage error"),
    error_code(3, "cannot connect, or the connection was lost"),
    error_code(124, "timed out")
)]
pub(crate) struct HistoryArgs {
    /// host of the server, or HOST:PORT (127.0.0.1)
    #[argh(option, arg_name = "HOST", default = "HOST.to_owned()")]
    pub(in crate::client) host: String,
    /// port of the server (9999)
    #[argh(option, arg_name = "PORT", default = "PORT", from_str_fn(client_port))]
    pub(in crate::client) port: u16,
    /// encrypt the connection, and check who the server is
    #[argh(switch)]
    pub(in crate::client) tls: bool,
    /// trust servers whose certificate leads to one in this file (the system's)
    #[argh(option, arg_name = "FILE")]
    pub(in crate::client) ca: Option<String>,
    /// encrypt without checking who the server is
    #[argh(switch)]
    pub(in crate::client) insecure: bool,
    /// token to log in with; others can see it in the list of processes, but not PIPECHAT_TOKEN
    #[argh(option, arg_name = "TOKEN")]
    pub(in crate::client) token: Option<Token>,
    /// file with the token to log in with
    #[argh(option, arg_name = "FILE")]
    pub(in crate::client) token_file: Option<String>,
    /// language of the server's texts (the server's)
    #[argh(option, arg_name = "zh|en", from_str_fn(lang))]
    pub(in crate::client) lang: Option<Lang>,
    /// how long the server may take to answer; 0 means no limit (30s)
    #[argh(option, arg_name = "DURATION", default = "Timeout::seconds(30)")]
    pub(in crate::client) timeout: Timeout,
    /// print the last N lines, at most 1000 (20)
    #[argh(option, arg_name = "N", from_str_fn(history_count))]
    pub(in crate::client) last: Option<usize>,
    /// print all since a position, such as 42.abcde, for a duration, such as 10m, or since a time
    #[argh(option, arg_name = "START")]
    pub(in crate::client) since: Option<Since>,
    /// join the room, and print what is said from then on too
    #[argh(switch)]
    pub(in crate::client) follow: bool,
    /// print JSON, an object a line
    #[argh(switch)]
    pub(in crate::client) json: bool,
    /// the room; lobby is one
    #[argh(positional, arg_name = "ROOM")]
    pub(in crate::client) room: String,
}

/// Wait until a user is here (user NAME) or not here (gone NAME), until at least so many users are online, this one counted
/// (users N), or until a text is said that contains PART (text PART). In a room, which this one need not join, wait until it has
/// at least so many members (members ROOM N), or until a text is said there that contains PART (in ROOM PART), by an account that
/// nobody else can be (by NAME ROOM PART); with @ for ROOM, said to this one alone.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(
    help_triggers("-h", "--help"),
    example = "{command_name} user deployer --timeout 10m",
    example = "{command_name} gone deployer",
    example = "{command_name} users 3",
    example = "{command_name} text 'build done' && make deploy",
    example = "{command_name} in builds 'build done' && make deploy",
    example = "{command_name} by ann ops 'go ahead' --timeout 1h && make deploy",
    error_code(0, "the condition holds"),
    error_code(1, "the server refused: it allows no such timeout, has no such account, or is full"),
    error_code(2, "usage error"),
    error_code(3, "cannot connect, or the connection was lost"),
    error_code(124, "timed out")
)]
pub(crate) struct WaitArgs {
    /// host of the server, or HOST:PORT (127.0.0.1)
    #[argh(option, arg_name = "HOST", default = "HOST.to_owned()")]
    pub(in crate::client) host: String,
    /// port of the server (9999)
    #[argh(option, arg_name = "PORT", default = "PORT", from_str_fn(client_port))]
    pub(in crate::client) port: u16,
    /// encrypt the connection, and check who the server is
    #[argh(switch)]
    pub(in crate::client) tls: bool,
    /// trust servers whose certificate leads to one in this file (the system's)
    #[argh(option, arg_name = "FILE")]
    pub(in crate::client) ca: Option<String>,
    /// encrypt without checking who the server is
    #[argh(switch)]
    pub(in crate::client) insecure: bool,
    /// token to log in with; others can see it in the list of processes, but not PIPECHAT_TOKEN
    #[argh(option, arg_name = "TOKEN")]
    pub(in crate::client) token: Option<Token>,
    /// file with the token to log in with
    #[argh(option, arg_name = "FILE")]
    pub(in crate::client) token_file: Option<String>,
    /// language of the server's texts (the server's)
    #[argh(option, arg_name = "zh|en", from_str_fn(lang))]
    pub(in crate::client) lang: Option<Lang>,
    /// how long to wait, connecting included; 0 means no limit (60s)
    #[argh(option, arg_name = "DURATION", default = "Timeout::seconds(60)")]
    pub(in crate::client) timeout: Timeout,
    /// what to wait for
    #[argh(positional, arg_name = "user|gone|users|text|members|in|by")]
    pub(in crate::client) kind: String,
    /// the name, the number or the part of a text; or the room, or with by the account
    #[argh(positional, arg_name = "ARG")]
    pub(in crate::client) arg: String,
    /// with members the number, with in the part of a text, with by the room and that
    #[argh(positional, arg_name = "MORE")]
    pub(in crate::client) rest: Vec<String>,
}

/// Print the names of the users who are online, a line each, in order of arrival.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(
    help_triggers("-h", "--help"),
    example = "{command_name} | grep -qxF deployer && echo 'deployer is here'",
    example = "{command_name} --json | jq -r .from.addr",
    error_code(0, "printed"),
    error_code(1, "the server is full"),
    error_code(2, "usage error"),
    error_code(3, "cannot connect, or the connection was lost"),
    error_code(124, "timed out")
)]
pub(crate) struct WhoArgs {
    /// host of the server, or HOST:PORT (127.0.0.1)
    #[argh(option, arg_name = "HOST", default = "HOST.to_owned()")]
    pub(in crate::client) host: String,
    /// port of the server (9999)
    #[argh(option, arg_name = "PORT", default = "PORT", from_str_fn(client_port))]
    pub(in crate::client) port: u16,
    /// encrypt the connection, and check who the server is
    #[argh(switch)]
    pub(in crate::client) tls: bool,
    /// trust servers whose certificate leads to one in this file (the system's)
    #[argh(option, arg_name = "FILE")]
    pub(in crate::client) ca: Option<String>,
    /// encrypt without checking who the server is
    #[argh(switch)]
    pub(in crate::client) insecure: bool,
    /// token to log in with; others can see it in the list of processes, but not PIPECHAT_TOKEN
    #[argh(option, arg_name = "TOKEN")]
    pub(in crate::client) token: Option<Token>,
    /// file with the token to log in with
    #[argh(option, arg_name = "FILE")]
    pub(in crate::client) token_file: Option<String>,
    /// language of the server's texts (the server's)
    #[argh(option, arg_name = "zh|en", from_str_fn(lang))]
    pub(in crate::client) lang: Option<Lang>,
    /// how long the server may take to answer; 0 means no limit (30s)
    #[argh(option, arg_name = "DURATION", default = "Timeout::seconds(30)")]
    pub(in crate::client) timeout: Timeout,
    /// print JSON, an object a line
    #[argh(switch)]
    pub(in crate::client) json: bool,
    /// print only how many there are
    #[argh(switch)]
    pub(in crate::client) count: bool,
}
