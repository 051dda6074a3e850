//! `pipechat account`: the accounts in a store, for whoever may write that file. It needs no server, and waits until one that has the
//! file knows what it has done. Knows no sockets.

mod prompt;

use std::path::Path;

use argh::{ArgsInfo, FromArgs};
use jiff::Timestamp;
use pipechat::{
    chat::{Account, Name, PASSWORD_BYTES, Role, Secret, TOKENS_MAX, Token, are_confusable, token_digest},
    password,
    protocol::Lang,
    store::AccountFile,
};

use crate::{
    args::{lang, one_of},
    client::{Failure, Outcome, complain, print, rule_of_names},
};

/// Manage the accounts in a server's store, also while the server runs: add NAME, with a password; passwd NAME, to change it; token
/// NAME LABEL, to print a new token for a script, and revoke NAME LABEL, to end one; role NAME operator, or user; remove NAME, with its messages; list, or list NAME
/// for its tokens. A password is asked for at a terminal, or is a line on stdin.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(
    help_triggers("-h", "--help"),
    example = "{command_name} add ann --store chat.db",
    example = "{command_name} role ann operator --store chat.db",
    example = "{command_name} add ci --no-password --store chat.db",
    example = "{command_name} token ci builds --store chat.db > token",
    example = "{command_name} list --store chat.db",
    error_code(0, "done"),
    error_code(1, "no such account, or it is there already; no such store, or it cannot be written"),
    error_code(2, "usage error")
)]
pub(crate) struct AccountArgs {
    /// the server's store; add makes one where there is none
    #[argh(option, arg_name = "FILE")]
    store: Option<String>,
    /// language of the prompts (zh)
    #[argh(option, arg_name = "zh|en", default = "Lang::Zh", from_str_fn(lang))]
    lang: Lang,
    /// add an account that has only tokens
    #[argh(switch)]
    no_password: bool,
    /// what to do
    #[argh(positional, arg_name = "add|passwd|token|revoke|role|remove|list")]
    act: String,
    /// the account; with token and revoke the label behind it, with role the role
    #[argh(positional, arg_name = "NAME")]
    rest: Vec<String>,
}

impl AccountArgs {
    pub(crate) fn run(self) -> Outcome {
        let Self { store, lang, no_password, act, rest } = &self;
        let store = store.as_deref().ok_or_else(|| usage("--store FILE is missing"))?;
        if *no_password && act != "add" {
            return Err(usage(&format!("{act} takes no --no-password")));
        }
        let rest: Vec<_> = rest.iter().map(String::as_str).collect();
        match (act.as_str(), &rest[..]) {
            ("add", [name]) => add(store, name, *no_password, *lang),
            ("passwd", [name]) => passwd(store, name, *lang),
            ("token", [name, label]) => token(store, name, label),
            ("revoke", [name, label]) => revoke(store, name, label),
            ("role", [name, word]) => role(store, name, word),
            ("remove", [name]) => remove(store, name),
            ("list", []) => list(store),
            ("list", [name]) => list_tokens(store, name),
            ("add" | "passwd" | "token" | "revoke" | "role" | "remove", []) => Err(usage("missing NAME")),
            ("token" | "revoke", [_]) => Err(usage("missing LABEL")),
            ("role", [_]) => Err(usage("missing ROLE")),
            ("token" | "revoke" | "role", [_, _, more, ..]) | ("add" | "passwd" | "remove" | "list", [_, more, ..]) => {
                Err(usage(&format!("unexpected argument {more:?}")))
            }
            (other, _) => Err(usage(&format!("unknown act {other:?}; expected {}", one_of(&ACTS)))),
        }
    }
}

/// What it can be asked to do.
const ACTS: [&str; 7] = ["add", "passwd", "token", "revoke", "role", "remove", "list"];

fn add(store: &str, name: &str, no_password: bool, lang: Lang) -> Outcome {
    let rule = |rule| usage(&format!("no account can be called {name:?}: {}", rule_of_names(rule)));
    let name = Name::parse(name).map_err(rule)?;
    if Path::new(store).exists() {
        is_free(&open(store)?, &name)?; // before the password is asked for
    }
    let hash = if no_password { None } else { Some(hash(&prompt::new_password(lang)?)?) };
    let file = AccountFile::open(Path::new(store), true).map_err(refused)?;
    is_free(&file, &name)?;
    let new = Account::new(&name, hash, Timestamp::now());
    file.edit(name.as_str(), |account| match account {
        None => Ok(Some(new)),
        Some(account) => Err(is_there(&account.name)),
    })
    .map_err(refused)?;
    be_known(&file)
}

/// # Errors
/// There is an account of this name, or one whose name looks like it.
fn is_free(file: &AccountFile, name: &Name) -> Outcome {
    let alike = file.all().map_err(refused)?.into_iter().find(|account| are_confusable(&account.name, name.as_str()));
    match alike {
        None => Ok(()),
        Some(account) if account.key() == Account::new(name, None, Timestamp::UNIX_EPOCH).key() => {
            Err(refused(is_there(&account.name)))
        }
        Some(account) => {
            Err(refused(format!("{:?} looks like {:?}, which is an account", name.as_str(), account.name)))
        }
    }
}

fn is_there(name: &str) -> String {
    format!("there is an account {name:?} already")
}

fn passwd(store: &str, name: &str, lang: Lang) -> Outcome {
    let file = open(store)?;
    if !file.all().map_err(refused)?.iter().any(|account| account.is_called(name)) {
        return Err(refused(no_such(name))); // before the password is asked for
    }
    let hash = hash(&prompt::new_password(lang)?)?;
    edit(&file, name, |account| {
        account.password = Some(hash);
        account.generation = Account::next_generation(account.generation, Timestamp::now());
        Ok(())
    })
}

fn token(store: &str, name: &str, label: &str) -> Outcome {
    let rule = |rule| usage(&format!("no token can be called {label:?}: {}", rule_of_names(rule)));
    let label = Token::parse_label(label).map_err(rule)?;
    let secret = password::make_token().map_err(refused)?;
    edit(&open(store)?, name, |account| {
        if account.tokens.iter().any(|token| token.label == label) {
            return Err(format!("there is a token {label:?} already"));
        }
        if account.tokens.len() >= TOKENS_MAX {
            return Err(format!("{name:?} has {TOKENS_MAX} tokens already"));
        }
        let digest = token_digest(secret.reveal());
        account.tokens.push(Token { label, digest, created: Timestamp::now(), used: None });
        Ok(())
    })?;
    print(format!("{}\n", secret.reveal()).as_bytes())
}

fn revoke(store: &str, name: &str, label: &str) -> Outcome {
    edit(&open(store)?, name, |account| {
        let before = account.tokens.len();
        account.tokens.retain(|token| token.label != label);
        if account.tokens.len() == before { Err(format!("there is no token {label:?}")) } else { Ok(()) }
    })
}

fn role(store: &str, name: &str, word: &str) -> Outcome {
    let words = Role::ALL.map(Role::word);
    let role = Role::of(word).ok_or_else(|| usage(&format!("unknown role {word:?}; expected {}", one_of(&words))))?;
    edit(&open(store)?, name, |account| {
        if account.role != role {
            account.role = role;
            account.generation = Account::next_generation(account.generation, Timestamp::now());
        }
        Ok(())
    })
}

fn remove(store: &str, name: &str) -> Outcome {
    let removed = |account: Option<Account>| account.map(|_| None).ok_or_else(|| no_such(name));
    let file = open(store)?;
    file.edit(name, removed).map_err(refused)?;
    be_known(&file)
}

/// A line for each account, with its words in columns that `awk` can take apart: the name, the role, when it was made, whether it
/// has a password, and how many tokens.
fn list(store: &str) -> Outcome {
    let mut lines = String::new();
    for Account { name, role, created, password, tokens, .. } in open(store)?.all().map_err(refused)? {
        let password = if password.is_some() { "password" } else { "-" };
        lines.push_str(&format!("{name} {} {created:.0} {password} {}\n", role.word(), tokens.len()));
    }
    print(lines.as_bytes())
}

/// The same for the tokens of an account: the label, when it was made, when it was used last, and from where.
fn list_tokens(store: &str, name: &str) -> Outcome {
    let accounts = open(store)?.all().map_err(refused)?;
    let account = accounts.iter().find(|account| account.is_called(name)).ok_or_else(|| refused(no_such(name)))?;
    let mut lines = String::new();
    for Token { label, created, used, .. } in &account.tokens {
        let used = used.as_ref().map_or_else(|| "- -".to_owned(), |(at, addr)| format!("{at:.0} {addr}"));
        lines.push_str(&format!("{label} {created:.0} {used}\n"));
    }
    print(lines.as_bytes())
}

fn open(store: &str) -> Result<AccountFile, Failure> {
    AccountFile::open(Path::new(store), false).map_err(refused)
}

/// Changes an account that is there.
fn edit(file: &AccountFile, name: &str, change: impl FnOnce(&mut Account) -> Result<(), String>) -> Outcome {
    let edited = |account: Option<Account>| {
        let mut account = account.ok_or_else(|| no_such(name))?;
        change(&mut account)?;
        Ok(Some(account))
    };
    file.edit(name, edited).map_err(refused)?;
    be_known(file)
}

/// Waits for the server, so that what a script does next finds what was changed.
fn be_known(file: &AccountFile) -> Outcome {
    if !file.wait_until_known().map_err(refused)? {
        complain("the server does not know it yet: it cannot read the store at the moment");
    }
    Ok(())
}

fn hash(password: &Secret) -> Result<std::sync::Arc<str>, Failure> {
    if !password.is_password() {
        let (min, max) = (PASSWORD_BYTES.start(), PASSWORD_BYTES.end());
        return Err(refused(format!("a password must have {min} to {max} bytes, and no |")));
    }
    password::hash(password).map_err(refused)
}

fn no_such(name: &str) -> String {
    format!("there is no account {name:?}")
}

fn refused(sentence: String) -> Failure {
    Failure::Refused(Some(sentence))
}

fn usage(sentence: &str) -> Failure {
    Failure::Usage(sentence.to_owned())
}
