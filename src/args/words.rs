//! The words of a command line, taken apart: options with their values, and the rest. Knows the names of options and whether
//! they take a value; not what they mean.

use argh::{CommandInfoWithArgs, FlagInfo, FlagInfoKind, Optionality};

use super::sources::{Setting, Source};

/// What the words ask for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Words {
    Help,
    Version,
    Run {
        /// Options, in the order in which they were given.
        given: Vec<Setting>,
        positionals: Vec<String>,
    },
}

/// Takes words apart.
///
/// # Errors
/// One sentence, where there is no such option, where one lacks its value, or where there are too many positionals.
pub(super) fn read(words: &[&str], info: &CommandInfoWithArgs) -> Result<Words, String> {
    let (mut given, mut positionals) = (Vec::new(), Vec::new());
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        match word {
            "-h" | "--help" => return Ok(Words::Help),
            "-V" | "--version" => return Ok(Words::Version),
            "--" => positionals.extend(words.by_ref().map(str::to_owned)),
            "-" => positionals.push(word.to_owned()),
            _ if !word.starts_with('-') => positionals.push(word.to_owned()),
            _ => {
                let (name, attached) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
                let flag = info.flags.iter().find(|flag| flag.long == name);
                let flag = flag.ok_or_else(|| format!("unknown option {name:?}"))?;
                let value = match attached {
                    Some(value) => value,
                    None if is_switch(flag) => "true",
                    None => words.next().ok_or_else(|| format!("{name} needs a value"))?,
                };
                given.push(Setting { flag: flag.long, value: value.to_owned(), source: Source::Flag(flag.long) });
            }
        }
    }
    match positionals.get(positionals_max(info)) {
        Some(word) => Err(format!("unexpected argument {word:?}")),
        None => Ok(Words::Run { given, positionals }),
    }
}

/// Whether the option takes no value.
pub(super) fn is_switch(flag: &FlagInfo<'_>) -> bool {
    match flag.kind {
        FlagInfoKind::Switch => true,
        FlagInfoKind::Option { .. } => false,
    }
}

fn positionals_max(info: &CommandInfoWithArgs) -> usize {
    let is_list = info.positionals.iter().any(|positional| match positional.optionality {
        Optionality::Repeating | Optionality::Greedy => true,
        Optionality::Required | Optionality::Optional => false,
    });
    if is_list { usize::MAX } else { info.positionals.len() }
}
