//! `pipechat who`.

use common::Server;
use serde_json::Value;

use crate::{DONE, cli};

#[test]
fn who_prints_who_is_online_without_itself() {
    let server = Server::start(&[]);
    assert_eq!(cli(&server, &["who"]), (DONE, String::new(), String::new()));
    assert_eq!(cli(&server, &["who", "--count"]), (DONE, "0\n".to_owned(), String::new()));
    let [ann, _bob] = server.join_all(["ann", "张三"]);
    assert_eq!(cli(&server, &["who"]), (DONE, "ann\n张三\n".to_owned(), String::new()));
    assert_eq!(cli(&server, &["who", "--count"]), (DONE, "2\n".to_owned(), String::new()));
    let (code, out, _) = cli(&server, &["who", "--json"]);
    let users: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    assert_eq!((code, users.len()), (DONE, 2), "{out}");
    assert_eq!((&users[0]["event"], &users[0]["from"]["addr"]), (&"user".into(), &ann.addr.into()));
}
