//! What the tests share keeps a failure from hanging.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

use common::{DEADLINE, Received, Server};

#[test]
fn threads_that_go_on_as_long_as_the_server_end_with_a_test_that_fails() {
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    let failed = catch_unwind(AssertUnwindSafe(|| {
        thread::scope(|scope| {
            let _end = server.ends_with_failure();
            scope.spawn(|| {
                let mut heard = ann.receive(DEADLINE);
                while matches!(heard, Received::Line(_)) {
                    ann.say("still here");
                    heard = ann.receive(DEADLINE);
                }
            });
            panic!("as an assertion that fails");
        });
    }));
    assert!(failed.is_err() && server.exit(DEADLINE).0.code().is_none(), "it is killed");
}
