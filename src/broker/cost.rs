//! What commands cost beside what is delivered for them.

use crate::chat::{ARGUMENT_BYTES_MAX, Command, WaitFor};

/// The cost of each byte of a name that is not ASCII, in bytes delivered: normalising three takes up to a microsecond.
const NAME_BYTE_COST: usize = 512;

/// What a command costs beside what is delivered for it, in bytes delivered.
pub(super) fn cost(command: &Command) -> usize {
    match command {
        Command::Rename(name) | Command::Private { to: name, .. } => name_cost(name),
        Command::Wait(_, WaitFor::User(name) | WaitFor::Gone(name)) => name_cost(name),
        Command::Wait(_, WaitFor::Users(_) | WaitFor::Text(_)) | Command::Say(_) | Command::Who | Command::Sync(_) => 0,
    }
}

fn name_cost(name: &str) -> usize {
    if name.is_ascii() { 0 } else { name.len().min(ARGUMENT_BYTES_MAX) * NAME_BYTE_COST }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_costs_more_than_a_short_one_or_one_of_ascii() {
        let of = |name: &str| cost(&Command::Rename(name.to_owned()));
        assert!(of("ann") == 0 && of("张三") < of(&"张".repeat(32)));
        assert_eq!(of(&"张".repeat(9999)), of(&"张".repeat(999)), "no more than that is normalised");
        assert_eq!(cost(&Command::Private { to: "张三".to_owned(), text: "hi".to_owned() }), of("张三"));
        assert_eq!(cost(&Command::Say("张三".to_owned())), 0);
    }
}
