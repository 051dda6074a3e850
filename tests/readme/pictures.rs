//! The pictures show what their scripts make of a real run and of the benchmark's figures.

use std::{fs, path::Path};

use common::note;

use crate::{
    README, ROOT,
    markdown::{page, rows, table},
    shell::{bash, is_installed, serve},
    transcript::compare,
};

fn picture(name: &str) -> String {
    fs::read_to_string(format!("{ROOT}/scripts/pictures/{name}")).expect("a picture")
}

#[test]
fn the_sessions_are_those_of_a_run() {
    if !["nc.openbsd", "nc.traditional", "ncat", "busybox"].into_iter().any(is_installed) {
        note("SKIPPED: the pictures of a session: no netcat is installed");
        return;
    }
    let server = serve(&[]); // the script starts its own
    for (lang, name) in [("en", "session.svg"), ("zh", "session.zh.svg")] {
        let ran = bash(&server, &format!("scripts/pictures/session {lang}"), Path::new(ROOT), "");
        assert_eq!(ran.code, 0, "{ran:#?}");
        compare(&picture(name), &ran.out, &format!("scripts/pictures/session {lang} > scripts/pictures/{name}"));
    }
}

/// tests/browser makes them.
#[test]
fn the_pictures_of_the_page_are_small() {
    for name in ["page.png", "page.zh.png"] {
        let bytes = fs::read(format!("{ROOT}/scripts/pictures/{name}")).expect("a picture");
        assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n") && bytes.len() < 120_000, "{name}: {} bytes", bytes.len());
        assert_eq!(bytes[16..20], 1280_u32.to_be_bytes(), "{name}: its width");
    }
}

#[test]
fn the_figures_are_those_of_the_benchmark() {
    if !is_installed("jq") {
        note("SKIPPED: the figures of the benchmark: jq is not installed");
        return;
    }
    let server = serve(&[]); // not used by the script
    let run = |what: &str| {
        let script = format!("cd scripts/pictures && ./speed {what} < speed.json");
        let ran = bash(&server, &script, Path::new(ROOT), "");
        assert_eq!(ran.code, 0, "{ran:#?}");
        ran.out
    };
    assert_eq!(picture("speed.svg"), run("chart"), "out of date: scripts/pictures/speed chart");
    let measured = table(format!("# T\n| a |\n|---|\n{}", run("table")).leak(), "# T");
    let shown = [table(README, "## How fast"), rows(page("performance"))].concat();
    for row in &shown {
        assert!(measured.contains(row), "not in scripts/pictures/speed.json: {row:?}");
    }
}
