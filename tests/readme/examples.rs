//! What the READMEs and the manual show is run: conversations, commands with their output, and every netcat.

use std::{fs, path::Path, thread};

use common::note;

use crate::{
    ROOT,
    markdown::{blocks, code, page, table},
    shell::{bash, is_installed, nc_can_half_close, serve, tmp},
    transcript::{compare, converse},
};

#[test]
fn conversations_run_as_written() {
    thread::scope(|scope| {
        for block in blocks("text", "conversation") {
            scope.spawn(move || converse(&block));
        }
    });
}

#[test]
fn examples_print_the_output_below_them() {
    for block in blocks("sh", "test") {
        if let Some(tool) =
            ["curl", "jq", "sqlite3"].iter().find(|tool| block.text.contains(**tool) && !is_installed(tool))
        {
            note(&format!("SKIPPED: {}: {tool} is not installed", block.place()));
            continue;
        }
        if block.info.iter().any(|word| word == "half-close") && !nc_can_half_close() {
            note(&format!("SKIPPED: {}: this nc has no -N", block.place()));
            continue;
        }
        let server = serve(&block.flags());
        let ran = bash(&server, &block.text, Path::new(ROOT), "");
        assert!(ran.code == 0, "{}: {ran:#?}", block.place());
        if let Some(expected) = &block.output {
            compare(expected, &ran.out, &format!("README.md:{}: {ran:#?}", block.place()));
        }
    }
}

#[test]
fn every_netcat_receives_every_line() {
    let dir = tmp("netcats");
    let server = serve(&[]);
    for row in table(page("netcat"), "# Every netcat") {
        for (cell, last) in row[1..].iter().zip(["", "quit\n"]) {
            let Some(command) = code(cell) else { continue };
            let program = command.split(' ').next().expect("a word");
            if !is_installed(program) {
                note(&format!("SKIPPED: {program} is not installed"));
                continue;
            }
            fs::write(dir.join("lines"), format!("rename|x\nwho\nwait|5|users|1\nsync|done\n{last}")).expect("ours");
            let ran = bash(&server, &command, &dir, "");
            for line in ["[x] is online", "wait|ok|1", "sync|done"] {
                assert!(ran.out.lines().any(|heard| heard.trim_end() == line), "{command}: {ran:#?}");
            }
        }
    }
}
