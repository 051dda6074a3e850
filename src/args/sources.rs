//! Where settings come from: flags, before environment variables, before a configuration file. Knows the names of options;
//! not what their values mean, except for a host that has a port in it.

use std::{fmt, net::Ipv6Addr};

use argh::FlagInfo;

use super::{file, values, words::is_switch};

/// An option and its value, both as words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    /// With its dashes.
    pub(super) flag: &'static str,
    /// Of a switch, `true` or `false`.
    pub(super) value: String,
    pub(super) source: Source,
}

/// Where a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Flag(&'static str),
    Variable(String),
    File { path: String, line: usize },
}

impl Source {
    /// The source of the largest rank is in force.
    fn rank(&self) -> u8 {
        match self {
            Self::File { .. } => 0,
            Self::Variable(_) => 1,
            Self::Flag(_) => 2,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => f.write_str(flag),
            Self::Variable(name) => f.write_str(name),
            Self::File { path, line } => write!(f, "{path}:{line}"),
        }
    }
}

/// The environment variable that stands for an option.
pub(super) fn variable(flag: &str) -> String {
    format!("PIPECHAT_{}", flag.trim_start_matches('-').replace('-', "_").to_ascii_uppercase())
}

/// The options that say how a store is to be.
const STORE_OPTIONS: [&str; 7] =
    ["--sync", "--history-lines", "--history-days", "--store-max", "--require-login", "--offline-max", "--peer"];

/// What was set, each option by one source.
#[derive(Debug)]
pub(crate) struct Settings {
    all: Vec<Setting>,
    /// The options that take no value.
    switches: Vec<&'static str>,
}

impl Settings {
    /// Adds to the options that were given what the environment and the configuration file say, and takes for each option
    /// the strongest source. An empty variable is none.
    ///
    /// # Errors
    /// One sentence, where the configuration file can't be read or understood, where a host or a switch makes no sense, or
    /// where an option says how a store is to be and there is none.
    pub(super) fn collect(
        given: Vec<Setting>,
        options: &[&FlagInfo<'static>],
        takes_variable: impl Fn(&str) -> bool,
        variables: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let mut all = given;
        let flags = || options.iter().map(|option| option.long);
        for flag in flags().filter(|flag| takes_variable(flag)) {
            let name = variable(flag);
            if let Some(value) = variables(&name).filter(|value| !value.is_empty()) {
                all.push(Setting { flag, value, source: Source::Variable(name) });
            }
        }
        let file = all.iter().filter(|setting| setting.flag == "--config").max_by_key(|setting| setting.source.rank());
        if let Some(path) = file.map(|setting| setting.value.clone()) {
            all.extend(file::read(&path, &flags().filter(|flag| is_key(flag)).collect::<Vec<_>>())?);
        }
        take_ports_out_of_hosts(&mut all)?;
        let ranks: Vec<_> = all.iter().map(|setting| (setting.flag, setting.source.rank())).collect();
        all.retain(|setting| !ranks.iter().any(|&(flag, rank)| flag == setting.flag && rank > setting.source.rank()));
        let switches: Vec<_> = options.iter().filter(|option| is_switch(option)).map(|option| option.long).collect();
        for setting in all.iter_mut().filter(|setting| switches.contains(&setting.flag)) {
            let is_on = values::boolean(&setting.value).map_err(|error| format!("{}: {error}", setting.source))?;
            setting.value = is_on.to_string();
        }
        let settings = Self { all, switches };
        settings.check_store_options()?;
        Ok(settings)
    }

    /// Whoever says how long messages are kept, or how safely, would believe that they are.
    fn check_store_options(&self) -> Result<(), String> {
        if self.source("--store").is_some() {
            return Ok(());
        }
        match STORE_OPTIONS.iter().find_map(|flag| Some((flag, self.source(flag)?))) {
            Some((flag, Source::Flag(_))) => Err(format!("{flag} needs --store FILE")),
            Some((flag, source)) => Err(format!("{source}: {flag} needs --store FILE")),
            None => Ok(()),
        }
    }

    pub(super) fn all(&self) -> &[Setting] {
        &self.all
    }

    /// The settings as a command line for argh.
    pub(super) fn words(&self) -> Vec<&str> {
        let words =
            self.all.iter().flat_map(|Setting { flag, value, .. }| match (self.switches.contains(flag), &**value) {
                (true, "true") => vec![*flag],
                (true, _) => vec![],
                (false, value) => vec![*flag, value],
            });
        words.collect()
    }

    /// Where this option was set; `None` if it is at its default.
    pub(crate) fn source(&self, flag: &str) -> Option<&Source> {
        self.all.iter().find(|setting| setting.flag == flag).map(|setting| &setting.source)
    }
}

/// Whether a configuration file can have this option.
fn is_key(flag: &str) -> bool {
    !["--config", "--check"].contains(&flag)
}

/// Makes of each host that has a port a host and a port, both from the same source.
fn take_ports_out_of_hosts(all: &mut Vec<Setting>) -> Result<(), String> {
    let mut ports = Vec::new();
    for setting in all.iter_mut().filter(|setting| setting.flag == "--host") {
        let (host, port) = split_host(&setting.value).map_err(|error| format!("{}: {error}", setting.source))?;
        if let Some(port) = port {
            ports.push(Setting { flag: "--port", value: port.to_owned(), source: setting.source.clone() });
        }
        setting.value = host.to_owned();
    }
    for port in ports {
        let rank = port.source.rank();
        match all.iter().find(|other| other.flag == "--port" && other.source.rank() == rank) {
            Some(other) if other.value == port.value => {}
            Some(other) => {
                return Err(format!("{} says port {}, {} says {}", port.source, port.value, other.source, other.value));
            }
            None => all.push(port),
        }
    }
    Ok(())
}

/// Takes apart `HOST`, `HOST:PORT`, `::1`, `[::1]` and `[::1]:PORT`.
fn split_host(text: &str) -> Result<(&str, Option<&str>), String> {
    let error = || format!("expected HOST, HOST:PORT or [IPV6]:PORT, not {text:?}");
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').filter(|(host, _)| is_ipv6(host)).ok_or_else(error)?;
        match rest {
            "" => (host, None),
            rest => (host, Some(rest.strip_prefix(':').ok_or_else(error)?)),
        }
    } else if is_ipv6(text) {
        (text, None)
    } else {
        text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)))
    };
    let is_well_formed = !host.is_empty() && port.is_none_or(|port| !port.is_empty() && !port.contains(':'));
    is_well_formed.then_some((host, port)).ok_or_else(error)
}

/// Whether it is an IPv6 address, perhaps with a zone, as in `fe80::1%eth0`.
fn is_ipv6(text: &str) -> bool {
    text.split('%').next().is_some_and(|address| address.parse::<Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_may_have_ports() {
        for (text, host, port) in [
            ("localhost", "localhost", None),
            ("example.org:7000", "example.org", Some("7000")),
            ("127.0.0.1:0", "127.0.0.1", Some("0")),
            ("::1", "::1", None),
            ("[::1]", "::1", None),
            ("[::1]:7000", "::1", Some("7000")),
            ("fe80::1%eth0", "fe80::1%eth0", None),
            ("localhost:http", "localhost", Some("http")), // no port, but that is for the port to say
        ] {
            assert_eq!(split_host(text), Ok((host, port)), "{text}");
        }
        for text in ["", ":7000", "localhost:", "[localhost]:1", "[::1", "[::1]7000", "[::1]:", "a:b:c", "1::2::3"] {
            assert!(split_host(text).is_err(), "{text:?}");
        }
    }
}
