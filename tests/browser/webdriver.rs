//! As much of WebDriver as the tests need: one chromedriver, its browsers, and what can be done in one.

use std::{
    cell::RefCell,
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use common::{DEADLINE, TimeLimit, note};
use serde_json::{Value, json};

/// How long a browser may take for one thing, on a busy machine.
const STEP_MAX: Duration = Duration::from_secs(60);
/// What the window is asked between two looks at a page.
const POLL: Duration = Duration::from_millis(20);
/// The key under which WebDriver has the id of an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

pub(crate) const ENTER: &str = "\u{e007}";
pub(crate) const TAB: &str = "\u{e004}";

/// A chromedriver. Its browsers end with it.
pub(crate) struct Driver {
    child: Child,
    addr: SocketAddr,
    sessions: RefCell<Vec<String>>,
    _limit: TimeLimit,
}

/// What a browser is like, and its user.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) is_dark: bool,
    pub(crate) lang: &'static str,
}

pub(crate) const DESK: Look = Look { width: 1280, height: 800, is_dark: false, lang: "en-US" };

/// A browser of its own: nothing is shared with another one.
pub(crate) struct Browser<'a> {
    driver: &'a Driver,
    session: String,
}

impl Driver {
    /// `None`, and a line that says so, where Chromium is not installed.
    pub(crate) fn start() -> Option<Self> {
        let missing = ["chromedriver", "chromium"].into_iter().find(|program| !is_installed(program));
        if let Some(program) = missing {
            note(&format!("SKIPPED: the page in a browser, because {program} is not installed"));
            return None;
        }
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").env("TMPDIR", env!("CARGO_TARGET_TMPDIR"));
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it runs");
        let limit = TimeLimit::of(&child);
        let mut said = BufReader::new(child.stdout.take().expect("piped")).lines();
        let port = said.find_map(|line| {
            let line = line.expect("text");
            line.strip_prefix("ChromeDriver was started successfully on port ")?.trim_end_matches('.').parse().ok()
        });
        thread::spawn(move || said.for_each(drop)); // so that it never waits to write
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port.expect("a port")));
        Some(Self { child, addr, sessions: RefCell::default(), _limit: limit })
    }

    #[track_caller]
    pub(crate) fn browser(&self, look: Look) -> Browser<'_> {
        let Look { width, height, is_dark, lang } = look;
        // With the pipe, a browser ends when its driver does, however that ends.
        let options = json!({
            "args": [
                "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--remote-debugging-pipe",
                "--enable-precise-memory-info", format!("--lang={lang}"), format!("--window-size={width},{height}"),
            ],
            "prefs": { "intl.accept_languages": lang },
        });
        let capabilities = json!({ "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" } });
        let answer = self.ask("POST", "/session", &json!({ "capabilities": { "alwaysMatch": capabilities } }));
        let session = format!("/session/{}", answer["sessionId"].as_str().expect("an id"));
        self.sessions.borrow_mut().push(session.clone());
        let browser = Browser { driver: self, session };
        // A headless window has no frame, but is no narrower than 500 pixels.
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        browser.devtools("Emulation.setDeviceMetricsOverride", &metrics);
        let scheme = if is_dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        browser.devtools("Emulation.setEmulatedMedia", &features);
        browser
    }

    /// The process that its browsers come from.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    #[track_caller]
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.try_ask(method, path, body).expect("chromedriver answers");
        assert!(answer["error"].is_null(), "{method} {path}: {} {}", answer["error"], answer["message"]);
        answer
    }

    fn try_ask(&self, method: &str, path: &str, body: &Value) -> std::io::Result<Value> {
        let mut stream = TcpStream::connect(self.addr)?;
        stream.set_read_timeout(Some(STEP_MAX))?;
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let (addr, length) = (self.addr, body.len());
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: {addr}\r\nContent-Length: {length}\r\n\r\n{body}")?;
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        for line in reader.by_ref().lines() {
            let line = line?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let answer: Value = serde_json::from_slice(&body).expect("JSON");
        Ok(answer["value"].clone())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        for session in self.sessions.take() {
            self.try_ask("DELETE", &session, &Value::Null).ok(); // removes what the browser has written
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Browser<'_> {
    #[track_caller]
    pub(crate) fn open(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    /// Loads the page again.
    #[track_caller]
    pub(crate) fn reload(&self) {
        self.post("/refresh", &json!({}));
    }

    /// Runs a script in the page, and returns what it returns.
    #[track_caller]
    pub(crate) fn script(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// The same, of a script that calls its last argument with what it returns.
    #[track_caller]
    pub(crate) fn script_with_callback(&self, script: &str) -> Value {
        self.post("/execute/async", &json!({ "script": script, "args": [] }))
    }

    /// Waits until an expression is true in the page, and returns its value.
    #[track_caller]
    pub(crate) fn until(&self, expression: &str) -> Value {
        let (start, script) = (Instant::now(), format!("return {expression}"));
        loop {
            let value = self.script(&script);
            if value.as_bool() != Some(false) && value.as_str() != Some("") && !value.is_null() {
                return value;
            }
            if start.elapsed() > DEADLINE {
                let page = self.script("return document.body.innerText.slice(-2000)");
                panic!("not within {DEADLINE:?}: {expression}; console: {}; page: {page}", self.console());
            }
            thread::sleep(POLL); // between two looks at what only the page knows
        }
    }

    /// Types into the first element that `selector` finds.
    #[track_caller]
    pub(crate) fn keys(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.post(&format!("/element/{element}/value"), &json!({ "text": text }));
    }

    #[track_caller]
    pub(crate) fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.post(&format!("/element/{element}/click"), &json!({}));
    }

    #[track_caller]
    fn element(&self, selector: &str) -> String {
        let found = self.post("/element", &json!({ "using": "css selector", "value": selector }));
        found[ELEMENT].as_str().expect("an element").to_owned()
    }

    /// Opens another tab, which is the one that is spoken to from now on. Returns its handle.
    #[track_caller]
    pub(crate) fn new_tab(&self) -> String {
        let handle =
            self.post("/window/new", &json!({ "type": "tab" }))["handle"].as_str().expect("a handle").to_owned();
        self.switch_to(&handle);
        handle
    }

    #[track_caller]
    pub(crate) fn tab(&self) -> String {
        self.driver.ask("GET", &format!("{}/window", self.session), &Value::Null).as_str().expect("a handle").to_owned()
    }

    #[track_caller]
    pub(crate) fn switch_to(&self, tab: &str) {
        self.post("/window", &json!({ "handle": tab }));
    }

    /// Closes the tab that is spoken to. Another one is to be chosen then.
    #[track_caller]
    pub(crate) fn close_tab(&self) {
        self.driver.ask("DELETE", &format!("{}/window", self.session), &Value::Null);
    }

    /// A command of the DevTools protocol.
    #[track_caller]
    pub(crate) fn devtools(&self, command: &str, params: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": params }))
    }

    /// What the page has told its console since the last time. Each failed request is there.
    #[track_caller]
    pub(crate) fn console(&self) -> Value {
        self.post("/se/log", &json!({ "type": "browser" }))
    }

    /// Writes a picture of the page to a file.
    #[track_caller]
    pub(crate) fn screenshot(&self, path: &Path) {
        let picture = self.driver.ask("GET", &format!("{}/screenshot", self.session), &Value::Null);
        fs::write(path, from_base64(picture.as_str().expect("base64"))).expect("a file");
    }

    #[track_caller]
    fn post(&self, path: &str, body: &Value) -> Value {
        self.driver.ask("POST", &format!("{}{path}", self.session), body)
    }
}

fn is_installed(program: &str) -> bool {
    env::split_paths(&env::var_os("PATH").unwrap_or_default()).any(|directory| directory.join(program).is_file())
}

fn from_base64(text: &str) -> Vec<u8> {
    let sextets = text.bytes().filter_map(|c| match c {
        b'A'..=b'Z' => Some(c - b'A'),
        b'a'..=b'z' => Some(c - b'a' + 26),
        b'0'..=b'9' => Some(c - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None, // the padding
    });
    let sextets: Vec<u32> = sextets.map(u32::from).collect();
    let bytes = |group: &[u32]| {
        let bits = group.iter().fold(0, |bits, sextet| bits << 6 | sextet) << (6 * (4 - group.len()));
        bits.to_be_bytes()[1..group.len()].to_vec()
    };
    sextets.chunks(4).flat_map(bytes).collect()
}
