//! Disks that fill, and files that cannot be written any more: the server goes on, says so, and stores what it has shown as
//! soon as it can.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use common::{Client, EN, Server, binary, note, program};
use rustix::process::{Resource, Rlimit, prlimit};

use crate::{
    StoreFile,
    locked::{is_answered_soon, until_stored},
    rows::Row,
    shut_down,
};

/// Lines after which a disk of a megabyte is full for certain.
const LINES_MAX: usize = 2000;

/// Has the store fail and work again, and checks that all that was shown is stored in the end, and nothing else. The
/// statements `fail` and `mend` have the disk do so; lines are said until one is refused.
#[track_caller]
fn fails_and_works_again(server: &Server, file: &StoreFile, fail: impl FnOnce(), mend: impl FnOnce()) {
    let [mut ann, mut bob, mut cid] = server.join_all(["ann", "bob", "cid"]);
    for client in [&mut ann, &mut bob, &mut cid] {
        client.join("builds");
    }
    cid.say("format|json");
    let first = cid.fence_anywhere().len();
    assert!(first > 0, "it has read the answer");
    let mut seen = Vec::new();
    let mut listen = |cid: &mut Client| seen.extend(cid.fence_anywhere().iter().filter_map(|line| Row::told(line)));
    ann.say("in|builds|before\nsync|1");
    ann.expect_among("sync|1");
    listen(&mut cid);
    fail();
    let filling = "x".repeat(3000);
    let mut said = 0;
    loop {
        ann.say(&format!("in|builds|{said} {filling}"));
        let answer = loop {
            let line = ann.line();
            if line.starts_with("in|") {
                break line;
            }
        };
        if answer == format!("in|not-stored|{}", EN.not_stored) {
            break;
        }
        assert!(answer.starts_with("in|ok|builds|"), "{answer}");
        said += 1;
        assert!(said < LINES_MAX, "the store does not fail");
        listen(&mut cid);
    }
    for client in [&mut ann, &mut bob] {
        is_answered_soon(client);
    }
    ann.say("refused\ntopic|builds|refused\nhistory|builds|1");
    ann.expect(EN.not_stored);
    ann.expect(&format!("topic|not-stored|{}", EN.not_stored));
    let told = ann.line();
    assert!(told.contains(&format!("{} {filling}", said - 1)) || said == 0, "{told}");
    ann.line();
    bob.say("leave|builds\njoin|builds");
    bob.expect_among("leave|ok|builds");
    bob.fence();
    listen(&mut cid);
    mend();
    let again = until_stored(&mut ann, "builds");
    listen(&mut cid);
    for once in ["cannot store: ", "stored again what was held (0 changes are lost)", "the store works again"] {
        assert_eq!(server.expect_log(1, once).len(), 1, "{once}");
    }
    assert!(seen.iter().any(|row| row.text.as_ref() == Some(&again)), "it is told");
    seen.retain(|row| row.room == "builds");
    let kept = file.rows_of("builds");
    let kept = &kept[kept.iter().position(|row| row.n == seen[0].n).expect("the first one")..];
    crate::rows::assert_same(&seen, kept, "cid");
}

/// What happens to the store when the server is killed and starts again.
#[track_caller]
fn starts_again(server: Server, file: &StoreFile, flags: &[&str]) {
    let before = file.rows();
    crate::kill(server);
    let server = file.serve(flags);
    let kept = file.rows(); // with the departures of those who have left since
    crate::rows::assert_same(&before, &kept[..before.len()], "the file");
    shut_down(server);
    let check: String = file.value("pragma integrity_check");
    assert_eq!(check, "ok");
}

#[test]
fn a_write_that_fails_is_told_and_tried_again() {
    let file = StoreFile::new();
    // Writes beyond this size fail, since the signal for it is ignored.
    let mut bash = Command::new("bash");
    bash.arg("-c").arg("trap '' XFSZ; exec \"$0\" \"$@\"").arg(program());
    let server = Server::start_with(bash, &["--port", "0", "--lang", "en", "--store", &file.path()]);
    let limit = |bytes| {
        let limit = Rlimit { current: bytes, maximum: None };
        prlimit(Some(server.pid()), Resource::Fsize, limit).expect("a child of ours");
    };
    fails_and_works_again(&server, &file, || limit(Some(300 << 10)), || limit(None));
    starts_again(server, &file, &[]);
}

#[test]
fn a_full_disk_is_told_and_what_was_shown_is_stored_when_there_is_space() {
    let mut file = StoreFile::new();
    let Some(disk) = Disk::mount(Path::new(&file.beside("disk"))) else {
        return note("SKIPPED: a full disk, for which a tmpfs must be mounted, which takes root");
    };
    file.folder.clone_from(&disk.0);
    let server = file.serve(&[]);
    let ballast = file.beside("ballast");
    // While the server runs it leaves the log as long as it was.
    let fail = || fs::write(&ballast, vec![1; 512 << 10]).expect("there is space for that");
    fails_and_works_again(&server, &file, fail, || fs::remove_file(&ballast).expect("ours"));
    starts_again(server, &file, &[]);
    file.folder.clone_from(&disk.0.parent().expect("a folder of ours").to_owned());
}

/// A small file system in memory.
struct Disk(PathBuf);

impl Disk {
    fn mount(folder: &Path) -> Option<Self> {
        fs::create_dir(folder).expect("a folder of ours");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1m", "none"]).arg(folder).stderr(Stdio::null());
        mount.status().is_ok_and(|status| status.success()).then(|| Self(folder.to_owned()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        Command::new("umount").arg("--lazy").arg(&self.0).status().ok();
    }
}

#[test]
fn files_that_become_read_only_are_told_and_tried_again() {
    let file = StoreFile::new();
    let server = file.serve(&[]);
    let files = [file.path(), file.beside("chat.db-wal")];
    let set = |attribute: &str| {
        let mut chattr = Command::new("chattr");
        let status = chattr.arg(attribute).args(&files).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    if !set("+i") {
        return note("SKIPPED: files that become read-only, which takes root, chattr and ext4");
    }
    let _again = Immutable(&files);
    set("-i");
    fails_and_works_again(&server, &file, || assert!(set("+i")), || assert!(set("-i")));
    starts_again(server, &file, &[]);
}

/// Files that can be removed again at the end of the test.
struct Immutable<'a>(&'a [String]);

impl Drop for Immutable<'_> {
    fn drop(&mut self) {
        Command::new("chattr").arg("-i").args(self.0).stderr(Stdio::null()).status().ok();
    }
}

#[test]
fn a_disk_that_is_full_at_the_start_is_told_at_the_start() {
    let file = StoreFile::new();
    let mut bash = Command::new("bash");
    bash.arg("-c").arg("trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"").arg(program());
    let (code, stdout, stderr) = common::run_with(bash, &["--port", "0", "--store", &file.path()]);
    assert_eq!((code, &*stdout), (1, ""), "{stderr}");
    assert!(stderr.starts_with("pipechat: cannot open store ") && stderr.lines().count() == 1, "{stderr}");
    shut_down(Server::start_with(binary(), &["--port", "0", "--store", &file.path()]));
}
