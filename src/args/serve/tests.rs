use super::{super::values::DURATION_MIN, *};
use pipechat::Cidr;

/// What comes of a command line of just this flag.
fn config(flag: &str, value: &str) -> Result<Config, String> {
    let args = ServeArgs::from_args(&["pipechat"], &[flag, value]).map_err(|exit| exit.output)?;
    args.config(1024)
}

/// These values are taken.
fn takes(flag: &str, values: &[&str]) {
    for value in values {
        assert!(config(flag, value).is_ok(), "{flag} {value}: {:?}", config(flag, value));
    }
}

/// These values are refused, before they reach the configuration, in a sentence that names the flag.
fn refuses(flag: &str, values: &[&str]) {
    for value in values {
        let sentence = config(flag, value).unwrap_err();
        assert!(sentence.starts_with(&format!("Error parsing option '{flag}'")), "{flag} {value}: {sentence}");
        assert!(sentence.contains("expected "), "{flag} {value}: {sentence}");
    }
}

const NO_NUMBERS: &[&str] = &["-1", "NaN", "inf", "1e-10", "1e300", "18446744073709551616", "", "many"];
const USIZE_MAX: &str = "18446744073709551615";
const ISIZE_MAX: &str = "9223372036854775807";

#[test]
fn the_flags_for_sizes_have_bounds() {
    for (flag, least, max, over) in [
        ("--max-clients", "0", USIZE_MAX, None),
        ("--max-clients-per-ip", "0", USIZE_MAX, None),
        ("--max-line", "1", "1M", Some("1048577")),
        ("--max-queue", "0", ISIZE_MAX, Some("9223372036854775808")),
        ("--soft-queue", "0", ISIZE_MAX, Some("9223372036854775808")),
        ("--max-memory", "0", ISIZE_MAX, Some("9223372036854775808")),
    ] {
        takes(flag, &[least, "1", max]);
        refuses(flag, NO_NUMBERS);
        if let Some(over) = over {
            refuses(flag, &[over, USIZE_MAX]);
        }
    }
    refuses("--max-line", &["0"]);
}

#[test]
fn the_flags_for_rates_and_ports_take_what_fits_their_type() {
    for (flag, least, max, over) in [
        ("--rate", "0", "4294967295", "4294967296"),
        ("--burst", "1", "4294967295", "4294967296"),
        ("--rate-per-ip", "0", "4294967295", "4294967296"),
        ("--arrivals-per-ip", "0", "4294967295", "4294967296"),
        ("--port", "0", "65535", "65536"),
        ("--http", "0", "65535", "65536"),
    ] {
        takes(flag, &[least, "1", max]);
        refuses(flag, &[over]);
        refuses(flag, NO_NUMBERS);
    }
    refuses("--burst", &["0"]);
}

#[test]
fn the_flags_for_times_have_bounds() {
    for flag in ["--idle-timeout", "--write-timeout", "--max-wait", "--drain-timeout"] {
        takes(flag, &["0", "0.001", "1", "5m", "365d", "31536000"]);
        refuses(flag, &["31536001", "366d", "31536000.001", "-1", "1e-10", "NaN", "inf", "1e300", "", "soon"]);
    }
}

#[test]
fn zero_is_no_limit() {
    assert_eq!(config("--max-clients", "0").unwrap().limits.clients_max, 1024 - FILES_RESERVED);
    assert_eq!(config("--max-clients-per-ip", "0").unwrap().clients_per_ip_max, usize::MAX);
    assert_eq!(config("--max-queue", "0").unwrap().limits.queue_max, Config::MEMORY_BYTES_MAX);
    assert_eq!(config("--soft-queue", "0").unwrap().limits.soft_queue_max, Config::MEMORY_BYTES_MAX);
    assert_eq!(config("--max-memory", "0").unwrap().memory_max, Config::MEMORY_BYTES_MAX);
}

#[test]
fn a_tiny_time_is_not_never() {
    let idle_timeout = |value| config("--idle-timeout", value).unwrap().limits.idle_timeout;
    for (value, expected) in [
        ("0", Duration::ZERO),
        ("0.0", Duration::ZERO),
        ("0.0000000001", DURATION_MIN),
        ("0.01ms", DURATION_MIN),
        ("0.001", DURATION_MIN),
    ] {
        assert_eq!(idle_timeout(value), expected, "{value}");
    }
    assert_eq!(idle_timeout("0.0015"), Duration::from_micros(1500));
}

#[test]
fn places_to_listen_on_replace_the_default_one() {
    let places = |words: &[&str]| {
        let config = ServeArgs::from_args(&["pipechat"], words).unwrap().config(1024).unwrap();
        let addr = config.addr.map(|addr| addr.to_string());
        addr.into_iter().chain(config.listen.iter().map(ToString::to_string)).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(places(&[]), "127.0.0.1:9999");
    assert_eq!(places(&["--host", "::1"]), "[::1]:9999");
    assert_eq!(places(&["--listen", "tcp://127.0.0.1:7"]), "tcp://127.0.0.1:7");
    let two = ["--listen", "tcp://127.0.0.1:7", "--listen", "unix:/a,tcp://[::1]:8"];
    assert_eq!(places(&two), "tcp://127.0.0.1:7 unix:/a tcp://[::1]:8");
    assert_eq!(places(&[&["--port", "0"][..], &two].concat()), format!("127.0.0.1:0 {}", places(&two)));
    let http = ["--http", "80"];
    assert_eq!(places(&http), "127.0.0.1:9999 http://127.0.0.1:80");
    assert_eq!(places(&[&two[..], &http].concat()), format!("{} http://127.0.0.1:80", places(&two)));
    assert_eq!(places(&["--host", "::1", "--http", "0"]), "[::1]:9999 http://[::1]:0");
    takes("--listen", &["http://127.0.0.1:80"]);
    refuses("--listen", &["9999", "tcp://127.0.0.1", "unix:a", "ws://127.0.0.1:80"]);
    for (word, sentence) in [
        ("--listen=tls://127.0.0.1:0", "tls://127.0.0.1:0 needs --tls-cert and --tls-key"),
        ("--listen=https://127.0.0.1:0", "https://127.0.0.1:0 needs --tls-cert and --tls-key"),
        (
            "--listen=http+proxy://127.0.0.1:0",
            "http+proxy://127.0.0.1:0 needs --proxy-from: anybody could tell any address",
        ),
        (
            "--listen=tcp+proxy://127.0.0.1:0",
            "tcp+proxy://127.0.0.1:0 needs --proxy-from: anybody could tell any address",
        ),
        ("--tls-cert=a", "--tls-cert needs --tls-key"),
        ("--tls-key=a", "--tls-key needs --tls-cert"),
    ] {
        let (flag, value) = word.split_once('=').unwrap();
        assert_eq!(config(flag, value).unwrap_err(), sentence);
    }
}

#[test]
fn names_and_origins_are_as_browsers_write_them() {
    let web = |words: &[&str]| ServeArgs::from_args(&["pipechat"], words).unwrap().config(1024).unwrap().web;
    assert_eq!(web(&[]), WebConfig::default());
    let words = ["--public-host", "Chat.example.org, chat", "--public-host", "c", "--cors", "https://example.org:443"];
    assert_eq!(web(&words).public_hosts, ["chat.example.org", "chat", "c"]);
    assert_eq!(web(&words).origins, ["https://example.org"]);
    refuses("--public-host", &["", "chat:80", "*", "a,,b", "http://chat"]);
    refuses("--cors", &["", "*", "null", "example.org", "https://example.org/", "https://a https://b"]);
}

#[test]
fn a_user_is_one_account() {
    let peers = |words: &[&str]| {
        let words = [&["--store", "chat.db"], words].concat();
        let config = ServeArgs::from_args(&["pipechat"], &words).unwrap().config(1024)?;
        let peers = config.peers.iter().map(|(uid, name)| format!("{uid}={name}"));
        Ok::<_, String>(peers.collect::<Vec<_>>().join(" "))
    };
    assert_eq!(
        peers(&["--peer", "1000=ann", "--peer", "0=ci,1001=ann", "--peer", "0=ci"]).unwrap(),
        "0=ci 1000=ann 1001=ann"
    );
    let both = peers(&["--peer", "1000=ann,1000=bob"]).unwrap_err();
    assert_eq!(both, "--peer: the user 1000 can't be both ann and bob");
    assert_eq!(config("--peer", "1000=ann").unwrap_err(), "--peer needs --store: there are no accounts without one");
    refuses("--peer", &["1000", "ann=1000", "-1=ann", "1000=", "1000=a b", "4294967296=ann", ""]);
}

#[test]
fn trusted_addresses_are_a_list_that_may_be_empty() {
    let trusted = |text| config("--trusted", text).unwrap().trusted;
    assert_eq!(trusted(""), []);
    assert_eq!(trusted("127.0.0.0/8,::1"), Cidr::LOOPBACK);
    assert_eq!(trusted("10.0.0.1, 2001:db8::/32"), ["10.0.0.1", "2001:db8::/32"].map(|text| text.parse().unwrap()));
    refuses("--trusted", &["localhost", "10.0.0.0/33", "10.0.0.1;10.0.0.2"]);
}
