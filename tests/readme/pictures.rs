//! The pictures show what their scripts make of a real run and of the benchmark's figures.

use std::{fs, path::Path};

use common::note;

use crate::{
    ROOT,
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
