//! What the READMEs and the manual say of HTTP is what the server does.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::Stdio,
};

use common::note;
use pipechat::protocol::http::{Snapshot, metrics};

use crate::{
    README, README_ZH, ROOT,
    markdown::{Document, between, blocks_of, code, codes, page, rows, table},
    shell::{bash, is_installed, on_port, serve, shell},
};

/// The command on the first screen shows up in nc and in `pipechat listen`; tests/browser looks at the page.
#[test]
fn what_curl_says_on_the_first_screen_shows_up() {
    if !is_installed("curl") {
        note("SKIPPED: the first screen of the READMEs: curl is not installed");
        return;
    }
    for (path, text) in [("README.md", README), ("README.zh.md", README_ZH)] {
        let (first_screen, _) = text.split_once("\n## ").expect("a heading");
        let document = Document { path: path.into(), text: first_screen };
        let blocks = blocks_of(&document);
        let example = blocks.iter().find(|block| block.text.starts_with("curl ")).expect("a command");
        assert_eq!(example.text, "curl -d 'build green' http://127.0.0.1:9980/rooms/builds\n", "{path}");
        assert!(first_screen.contains("--http 9980") && first_screen.contains("pipechat listen --room builds"));
        let server = serve(&example.flags());
        let mut ann = server.connect();
        ann.join("builds");
        let listen = on_port(&server, "exec pipechat listen --port 9999 --room builds --event message --count 1");
        let mut listener = shell(&listen).stdout(Stdio::piped()).spawn().expect("bash");
        while !ann.line().starts_with("#builds ") {} // it has joined
        let ran = bash(&server, &example.text, Path::new(ROOT), "");
        assert!(ran.code == 0 && ran.out.contains("\"event\":\"ok\""), "{ran:#?}");
        let said = ann.line();
        assert!(said.starts_with("#builds [127.0.0.1:") && said.ends_with(":build green"), "{said}");
        let heard = BufReader::new(listener.stdout.take().expect("piped")).lines().next();
        assert_eq!(heard.expect("a line").expect("text"), said);
        assert!(listener.wait().expect("ours").success());
    }
}

fn source(file: &str) -> String {
    fs::read_to_string(format!("{ROOT}/src/{file}")).expect("the source")
}

#[test]
fn the_requests_are_those_that_the_server_explains() {
    let forms = between(&source("protocol/http/request.rs").replace("=\n   ", "="), ": &str = \"", "\";");
    let forms: BTreeSet<_> =
        forms.into_iter().filter(|form| form.starts_with(|c: char| c.is_ascii_uppercase())).collect();
    let explained: BTreeSet<String> = codes(&rows(page("http")).concat().join(" ")).into_iter().collect();
    assert!(forms.len() >= 6, "{forms:?}");
    for form in forms.iter().filter(|form| form.contains('/')) {
        assert!(explained.contains(form), "nothing explains {form:?}");
    }
}

#[test]
fn the_errors_of_http_are_those_of_the_source() {
    let problems = source("protocol/http/problem.rs");
    let (_, problems) = problems.split_once("fn code(").expect("the function");
    let (problems, _) = problems.split_once("\n    }\n").expect("its end");
    let explained = table(page("http"), "## Errors of HTTP");
    let explained: BTreeSet<String> = explained.iter().filter_map(|row| code(&row[0])).collect();
    assert_eq!(explained, between(problems, "=> \"", "\""));
}

#[test]
fn the_numbers_are_those_that_the_server_tells() {
    let listed = table(page("operating"), "## Health and numbers");
    let listed: BTreeSet<String> = listed.iter().filter_map(|row| code(&row[0])).collect();
    assert_eq!(listed, between(&metrics(&Snapshot::default()), "# TYPE ", " "));
}
