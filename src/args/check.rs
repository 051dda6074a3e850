//! `serve --check`: the options in force, as a configuration file that says where each value comes from.

use std::fmt::Write;

use pipechat::{
    Config,
    protocol::{
        Lang,
        escape::{escaped, must_escape},
    },
    store::SyncMode,
    units::{format_duration, format_size},
};

use super::Settings;

/// The column of the comments, so that they stand below each other.
const COMMENT_COLUMN: usize = 40;

/// The options in force, a line each. As a configuration file, it means the same again.
pub(crate) fn report(config: &Config, settings: &Settings) -> String {
    let mut out = String::new();
    for (key, value) in in_force(config) {
        // A place to listen on can come from two options.
        let flags: &[&str] = if key == "listen" { &["--listen", "--http"] } else { &[&format!("--{key}")] };
        let sources = flags.iter().filter_map(|flag| settings.source(flag));
        let sources: Vec<_> = sources.map(|source| escaped(&source.to_string())).collect();
        let source = if sources.is_empty() { "default".to_owned() } else { sources.join(", ") };
        let setting = format!("{key} = {value}");
        writeln!(out, "{setting:COMMENT_COLUMN$} # {source}").expect("a String takes all");
    }
    out
}

/// Each option's name and its value in TOML, in the order of help. Without a store, there is nothing to say of it.
fn in_force(config: &Config) -> Vec<(&'static str, String)> {
    let limits = &config.limits;
    let store = config.store.iter().flat_map(|store| {
        let options = &store.options;
        let sync = match options.sync {
            SyncMode::Normal => "normal",
            SyncMode::Full => "full",
        };
        let lines = if options.lines_max == u64::MAX { 0 } else { options.lines_max };
        let bytes = usize::try_from(options.bytes_max).unwrap_or(usize::MAX);
        [
            ("store", quoted(&store.path.to_string_lossy())),
            ("sync", quoted(sync)),
            ("history-lines", lines.to_string()),
            ("history-days", options.days_max.to_string()),
            ("store-max", size(bytes)),
        ]
    });
    let addr = config
        .addr
        .iter()
        .flat_map(|addr| [("host", quoted(&addr.ip().to_string())), ("port", addr.port().to_string())]);
    let lists = [
        ("listen", list(&config.listen)),
        ("public-host", list(&config.web.public_hosts)),
        ("cors", list(&config.web.origins)),
        ("proxy-from", list(&config.proxies)),
        ("peer", list(config.peers.iter().map(|(uid, name)| format!("{uid}={name}")))),
    ];
    let lists = lists.into_iter().filter(|(_, value)| value != "[]");
    let before = [
        (
            "lang",
            quoted(match config.lang {
                Lang::Zh => "zh",
                Lang::En => "en",
            }),
        ),
        ("max-clients", limits.clients_max.to_string()),
        ("max-clients-per-ip", limited(config.clients_per_ip_max, usize::MAX).to_string()),
        ("arrivals-per-ip", config.arrivals_per_ip.to_string()),
        ("trusted", list(&config.trusted)),
        ("idle-timeout", quoted(&format_duration(limits.idle_timeout))),
        ("strict-idle", limits.strict_idle.to_string()),
        ("max-wait", quoted(&format_duration(limits.wait_max))),
        ("rate", limits.rate.per_second.to_string()),
        ("burst", limits.rate.burst.to_string()),
        ("rate-per-ip", config.rate_per_ip.to_string()),
        ("max-rooms", limited(config.rooms.rooms_max, usize::MAX).to_string()),
        ("max-rooms-per-client", limited(config.rooms.per_client_max, usize::MAX).to_string()),
        ("recent", config.recent.per_room_max.to_string()),
        ("recent-memory", quoted(&format_size(config.recent.bytes_max))),
        ("history-presence", config.keeps_presence.to_string()),
    ];
    let after = [
        ("max-line", size(limits.line_max)),
        ("max-queue", size(limits.queue_max)),
        ("soft-queue", size(limits.soft_queue_max)),
        ("max-memory", size(config.memory_max)),
        ("write-timeout", quoted(&format_duration(limits.write_timeout))),
        ("drain-timeout", quoted(&format_duration(config.drain_timeout))),
    ];
    let tls = config.tls.iter().flat_map(|files| {
        [("tls-cert", &files.cert), ("tls-key", &files.key)].map(|(key, path)| (key, quoted(&path.to_string_lossy())))
    });
    addr.chain(lists).chain(tls).chain(before).chain(store).chain(after).collect()
}

/// A TOML list of strings.
fn list(items: impl IntoIterator<Item: ToString>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| quoted(&item.to_string())).collect();
    format!("[{}]", items.join(", "))
}

/// A TOML string. Of the values only a path can have what is escaped: control characters too, which a terminal would obey.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for char in text.chars() {
        match char {
            '\\' | '"' => quoted.extend(['\\', char]),
            _ if must_escape(char) => write!(quoted, "\\u{:04X}", u32::from(char)).expect("a String takes all"),
            _ => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

/// A maximum, or 0 if that is no limit.
fn limited(max: usize, unlimited: usize) -> usize {
    if max == unlimited { 0 } else { max }
}

fn size(bytes: usize) -> String {
    quoted(&format_size(limited(bytes, Config::MEMORY_BYTES_MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_path_has_in_it_is_one_line_of_toml() {
        for (path, expected) in [
            ("chat.db", r#""chat.db""#),
            (r#"a\"b"#, r#""a\\\"b""#),
            ("\x1b[2J\n\x7f\u{9b}\u{202e}聊\t天", "\"\\u001B[2J\\u000A\\u007F\\u009B\\u202E聊\t天\""),
        ] {
            assert_eq!(quoted(path), expected);
            let line = format!("store = {}", quoted(path));
            let table: toml::de::DeTable<'_> = toml::de::DeTable::parse(&line).unwrap().into_inner();
            assert_eq!(table["store"].get_ref().as_str(), Some(path), "it means the same again");
        }
    }
}
