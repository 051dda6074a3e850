//! The command lines of the subcommands. Refuses arguments that would be something else on the wire.

use std::time::Duration;

use argh::FromArgs;
use pipechat::protocol::Lang;

use super::Failure;
use crate::args::{lang, seconds};

/// Say something, and return when the server has confirmed it. Without TEXT, each line of stdin is said.
#[derive(FromArgs, Debug)]
#[argh(
    help_triggers("-h", "--help"),
    example = "{command_name} --name ci build 42 is green\nmake 2>&1 | {command_name} --name make\n\
               {command_name} --to deployer --timeout 5 go || echo \"not delivered\"",
    error_code(1, "the server refused the name or a line; why is on stderr"),
    error_code(2, "usage"),
    error_code(3, "cannot connect, or the connection was lost"),
    error_code(124, "timed out")
)]
pub(crate) struct SendArgs {
    /// host of the server (127.0.0.1)
    #[argh(option, default = "HOST.to_owned()")]
    pub(super) host: String,
    /// port of the server (9999)
    #[argh(option, default = "PORT")]
    pub(super) port: u16,
    /// name to take first; one that is taken is refused
    #[argh(option)]
    pub(super) name: Option<String>,
    /// user to say it to, instead of to everyone
    #[argh(option)]
    pub(super) to: Option<String>,
    /// seconds that connecting and saying TEXT may take; with stdin, that the server may take to answer (30)
    #[argh(option, default = "30.0")]
    pub(super) timeout: f64,
    /// language of the server's texts, zh or en (the server's)
    #[argh(option, from_str_fn(lang))]
    pub(super) lang: Option<Lang>,
    /// what to say, verbatim: words are joined by a space, each line is said by itself
    #[argh(positional, arg_name = "TEXT")]
    pub(super) text: Vec<String>,
}

/// Print what comes: others who arrive and leave, and all that is said.
#[derive(FromArgs, Debug)]
#[argh(
    help_triggers("-h", "--help"),
    example = "{command_name} --match deploy --count 1 --timeout 60 && echo \"somebody deploys\"\n\
               {command_name} --json | jq -r 'select(.event == \"message\").text'",
    error_code(1, "the server refused the name; why is on stderr"),
    error_code(2, "usage"),
    error_code(3, "cannot connect, or the connection was lost"),
    error_code(124, "timed out")
)]
pub(crate) struct ListenArgs {
    /// host of the server (127.0.0.1)
    #[argh(option, default = "HOST.to_owned()")]
    pub(super) host: String,
    /// port of the server (9999)
    #[argh(option, default = "PORT")]
    pub(super) port: u16,
    /// name to take first; one that is taken is refused
    #[argh(option)]
    pub(super) name: Option<String>,
    /// print JSON, an object a line
    #[argh(switch)]
    pub(super) json: bool,
    /// print only lines that contain this
    #[argh(option, long = "match", arg_name = "TEXT")]
    pub(super) part: Option<String>,
    /// end well after so many lines have been printed
    #[argh(option)]
    pub(super) count: Option<u64>,
    /// seconds after which to give up, whatever has come (never)
    #[argh(option)]
    pub(super) timeout: Option<f64>,
    /// language of the server's texts, zh or en (the server's)
    #[argh(option, from_str_fn(lang))]
    pub(super) lang: Option<Lang>,
}

/// Wait until a user is here (user NAME) or not here (gone NAME), until at least so many users are online, this one counted
/// (users N), or until a text is said that contains PART (text PART).
#[derive(FromArgs, Debug)]
#[argh(
    help_triggers("-h", "--help"),
    example = "{command_name} user deployer --timeout 600\n{command_name} gone deployer\n{command_name} users 3\n\
               {command_name} text \"build done\" && make deploy",
    error_code(1, "the server refused: the timeout is longer than it allows"),
    error_code(2, "usage"),
    error_code(3, "cannot connect, or the connection was lost"),
    error_code(124, "timed out")
)]
pub(crate) struct WaitArgs {
    /// host of the server (127.0.0.1)
    #[argh(option, default = "HOST.to_owned()")]
    pub(super) host: String,
    /// port of the server (9999)
    #[argh(option, default = "PORT")]
    pub(super) port: u16,
    /// seconds to wait at the most (60)
    #[argh(option, default = "60.0")]
    pub(super) timeout: f64,
    /// language of the server's texts, zh or en (the server's)
    #[argh(option, from_str_fn(lang))]
    pub(super) lang: Option<Lang>,
    /// user, gone, users or text
    #[argh(positional, arg_name = "user|gone|users|text")]
    pub(super) kind: String,
    /// the name, the number or the part of a text
    #[argh(positional, arg_name = "ARG")]
    pub(super) arg: String,
}

/// Chat: what you type is said, the server's verbs work (type help), Ctrl-D leaves.
#[derive(FromArgs, Debug)]
#[argh(
    help_triggers("-h", "--help"),
    example = "{command_name} --name ann\nprintf 'who\\n' | {command_name}",
    error_code(1, "the server refused the name; why is on stderr"),
    error_code(2, "usage"),
    error_code(3, "cannot connect, or the connection was lost"),
    error_code(124, "a wait timed out")
)]
pub(crate) struct ChatArgs {
    /// host of the server (127.0.0.1)
    #[argh(option, default = "HOST.to_owned()")]
    pub(super) host: String,
    /// port of the server (9999)
    #[argh(option, default = "PORT")]
    pub(super) port: u16,
    /// name to take first; one that is taken is refused
    #[argh(option)]
    pub(super) name: Option<String>,
    /// language of the server's texts, zh or en (the server's)
    #[argh(option, from_str_fn(lang))]
    pub(super) lang: Option<Lang>,
}

/// Where a server listens by default.
const HOST: &str = "127.0.0.1";
const PORT: u16 = 9999;

/// Checks that `text` can be a field of a line.
///
/// # Errors
/// [`Failure::Usage`] if it is empty, or would end the field or the line.
pub(super) fn field<'a>(what: &str, text: &'a str) -> Result<&'a str, Failure> {
    if text.is_empty() {
        Err(Failure::Usage(format!("{what} is empty")))
    } else if text.contains('|') || text.contains(char::is_control) {
        Err(Failure::Usage(format!("{what} can have no | and no control character in it: {text:?}")))
    } else {
        Ok(text)
    }
}

/// # Errors
/// [`Failure::Usage`]
pub(super) fn timeout(value: f64) -> Result<Duration, Failure> {
    seconds("--timeout", value).map_err(Failure::Usage)
}
