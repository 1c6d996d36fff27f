use std::{
    env,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// `skip` for whoever does without a browser; without it, a machine that has none fails the test.
const WHETHER: &str = "CARROT_BROWSER";
const CHROMIUMS: [&str; 5] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
];
/// The tests run as root in containers, where Chromium's sandbox cannot; the pages are our own.
const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-device-scale-factor=1",
    "--window-size=1280,1000",
];
/// No answer takes that long unless the browser hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A headless Chromium, driven by chromedriver over WebDriver's plain HTTP (W3C WebDriver, and Chromium's additions under `goog/` and `se/`). It is
/// closed when dropped.
#[derive(Debug)]
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
    _profile: TempDir,
}

/// A program named by a variable, else the first of some names on the path.
fn program(variable: &str, names: &[&str]) -> Option<PathBuf> {
    if let Some(named) = env::var_os(variable) {
        return Some(named.into());
    }
    let path = env::var_os("PATH")?;
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|file| file.is_file())
}

impl Browser {
    /// Starts a browser with an empty profile; `None` where the user chose to do without.
    ///
    /// # Panics
    /// Where there is none and nobody said so.
    pub fn start() -> Option<Self> {
        if env::var_os(WHETHER).is_some_and(|value| value == "skip") {
            // Past the harness, which would swallow it.
            writeln!(
                io::stderr(),
                "SKIPPED, as {WHETHER} says: pages in a browser"
            )
            .expect("stderr takes it");
            return None;
        }
        let programs = (
            program("CHROME", &CHROMIUMS),
            program("CHROMEDRIVER", &["chromedriver"]),
        );
        let (Some(chromium), Some(chromedriver)) = programs else {
            panic!(
                "no browser to test pages in; scripts/chromium.sh installs Chromium and chromedriver, CHROME and CHROMEDRIVER name \
                 others, and {WHETHER}=skip does without"
            );
        };
        let mut driver = Command::new(chromedriver)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let lines = BufReader::new(driver.stdout.take().expect("piped")).lines();
        // `ChromeDriver was started successfully on port 12345.`
        let port = lines
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, port) = line.split_once("successfully on port ")?;
                port.trim_end_matches('.').parse().ok()
            })
            .expect("chromedriver says its port");
        let profile = tempfile::tempdir().expect("a folder");
        let mut flags: Vec<String> = FLAGS.map(str::to_owned).to_vec();
        flags.push(format!("--user-data-dir={}", profile.path().display()));
        let mut browser = Self {
            driver,
            port,
            session: String::new(),
            _profile: profile,
        };
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "binary": chromium, "args": flags },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        } } });
        let session = browser.ask("POST", "/session", &capabilities);
        browser.session = session["sessionId"].as_str().expect("a session").to_owned();
        // What the browser's own first tab loads is nobody's: it is left, and forgotten.
        browser.open("about:blank");
        for kind in ["browser", "performance"] {
            browser.log(kind);
        }
        Some(browser)
    }

    /// Opens a page, and waits until it is loaded.
    ///
    /// # Panics
    /// As all that follow, when the browser fails.
    pub fn open(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    /// What the body of a function returns in the page.
    pub fn evaluate(&self, body: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": body, "args": [] }))
    }

    /// Moves the mouse to a place in the window, as a hand would: not by an event of the page's own.
    pub fn hover(&self, x: f64, y: f64) {
        self.pointer(
            "mouse",
            &[json!({ "type": "pointerMove", "duration": 0, "x": x.round(), "y": y.round() })],
        );
    }

    /// Touches a place in the window and lifts the finger.
    pub fn touch(&self, x: f64, y: f64) {
        self.pointer(
            "touch",
            &[
                json!({ "type": "pointerMove", "duration": 0, "x": x.round(), "y": y.round() }),
                json!({ "type": "pointerDown", "button": 0 }),
                json!({ "type": "pointerUp", "button": 0 }),
            ],
        );
    }

    fn pointer(&self, kind: &str, actions: &[Value]) {
        let source = json!({ "type": "pointer", "id": kind, "parameters": { "pointerType": kind }, "actions": actions });
        self.post("/actions", &json!({ "actions": [source] }));
    }

    /// Presses a key: its character, or WebDriver's private one.
    pub fn press(&self, key: char) {
        let actions =
            json!([{ "type": "keyDown", "value": key }, { "type": "keyUp", "value": key }]);
        self.post(
            "/actions",
            &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": actions }] }),
        );
    }

    /// A command of the DevTools protocol.
    pub fn devtools(&self, command: &str, params: &Value) -> Value {
        self.post(
            "/goog/cdp/execute",
            &json!({ "cmd": command, "params": params }),
        )
    }

    /// What was logged since the last call: `browser` for the console, `performance` for the network.
    pub fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self.post("/se/log", &json!({ "type": kind }));
        entries.as_array().expect("a list").clone()
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", &format!("/session/{}{path}", self.session), body)
    }

    /// Asks chromedriver, and returns the value of its answer.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let text = self
            .exchange(method, path, body)
            .expect("chromedriver answers");
        let mut answer: Value = serde_json::from_str(&text).expect("its answers are JSON");
        let value = answer["value"].take();
        assert!(value["error"].is_null(), "{method} {path}: {value}");
        value
    }

    fn exchange(&self, method: &str, path: &str, body: &Value) -> io::Result<String> {
        let body = body.to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.port,
            body.len()
        )?;
        let mut reader = BufReader::new(stream);
        let mut n_bytes = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                n_bytes = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        let mut answer = vec![0; n_bytes];
        reader.read_exact(&mut answer)?;
        String::from_utf8(answer).map_err(io::Error::other)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Closes Chromium; what fails here failed before, and a second panic would hide the first.
        if !self.session.is_empty() {
            let _ = self.exchange(
                "DELETE",
                &format!("/session/{}", self.session),
                &Value::Null,
            );
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
