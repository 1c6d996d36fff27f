//! A tiny router, scripted LLMs on this machine, and the server between them and a client.

use std::{
    fs::{self, File},
    process::{Child, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use dataset::CostKind;
use serde_json::{Value, json};
use test_support::{Answer, Body, Request, Server};

use crate::{
    bench::Tiny,
    client::{Client, Reply},
};

/// How the router sees the prompts of `bench`, at mu 0: the best of the first is `owner/dear`, of the second `cheap`.
pub(crate) const FOR_DEAR: &str = "so so";
pub(crate) const FOR_CHEAP: &str = "very long";
pub(crate) const CHAT: &str = "/v1/chat/completions";

/// Scripted LLMs, and what they were asked.
pub(crate) struct Llms {
    pub(crate) server: Server,
    pub(crate) seen: Arc<Mutex<Vec<Request>>>,
}

/// A running server.
pub(crate) struct Serve {
    pub(crate) bench: Tiny,
    pub(crate) address: String,
    child: Child,
}

impl Llms {
    /// A handler gets the name of the LLM, as the upstream knows it, and the request.
    pub(crate) fn start(answer: impl Fn(&str, &Request) -> Answer + Send + Sync + 'static) -> Self {
        let seen: Arc<Mutex<Vec<Request>>> = Arc::default();
        let seen_here = Arc::clone(&seen);
        let server = Server::start(move |request| {
            seen_here.lock().expect("open").push(request.clone());
            let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            answer(body["model"].as_str().unwrap_or_default(), request)
        });
        Self { server, seen }
    }

    /// LLMs that answer well: streams where that is asked for.
    pub(crate) fn good() -> Self {
        Self::start(good)
    }

    pub(crate) fn bodies(&self) -> Vec<String> {
        let seen = self.seen.lock().expect("open");
        let text = |request: &Request| String::from_utf8_lossy(&request.body).into_owned();
        seen.iter().map(text).collect()
    }

    /// The configuration of a server in front of them, with `more` at its beginning.
    pub(crate) fn config(&self, mu: f64, more: &str) -> String {
        let mut text = format!(
            "listen = \"127.0.0.1:0\"\n{more}\n[router]\nmodel = \"models/tiny/carrot-knn\"\nmu = {mu:?}\ndefault-model = \"cheap\"\n\
             [[upstream]]\nname = \"here\"\nbase-url = \"{}/v1\"\nformats = [\"chat\", \"responses\", \"messages\"]\n",
            self.server.url()
        );
        for llm in ["owner/dear", "cheap", "twin", "extra"] {
            text += &format!(
                "[[llm]]\nname = \"{llm}\"\nupstream = \"here\"\nmodel = \"up-{llm}\"\ncan = [\"tools\"]\n"
            );
        }
        text
    }

    /// A server in front of them.
    pub(crate) fn serve(&self, mu: f64, more: &str) -> Serve {
        Serve::start(&self.config(mu, more), &[], &[])
    }
}

impl Serve {
    pub(crate) fn start(config: &str, args: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::start_in(Tiny::new(CostKind::OutputTokens), config, args, variables)
    }

    pub(crate) fn start_in(
        bench: Tiny,
        config: &str,
        args: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        bench.write("serve.toml", config);
        let args = [&["serve", "--config", "serve.toml"], args].concat();
        let log = File::create(bench.join("stderr.txt")).expect("created");
        let mut command = bench.command(&args);
        command.envs(variables.iter().copied());
        let child = command
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("it starts");
        let mut serve = Self {
            bench,
            address: String::new(),
            child,
        };
        let address = serve.wait_for("listening at http://");
        serve.address = address.lines().next().unwrap_or_default().trim().to_owned();
        serve
    }

    /// What it has said after a text, once it says it.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let said = self.said();
            if let Some((_, after)) = said.split_once(text)
                && after.contains('\n')
            {
                return after.to_owned();
            }
            let ended = self.child.try_wait().expect("it can be asked");
            assert!(
                ended.is_none() && Instant::now() < end,
                "no `{text}` in: {said}"
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.bench.join("stderr.txt")).expect("its log")
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&self.address)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Reply {
        self.client()
            .ask("POST", path, &[], body.to_string().as_bytes())
    }

    /// The answer, where one comes at once.
    pub(crate) fn post_quickly(&self, path: &str, body: &Value) -> Option<Reply> {
        let mut client = Client::impatient(&self.address, Duration::from_millis(300));
        client.send("POST", path, &[], body.to_string().as_bytes());
        client.reply()
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.client().ask("GET", path, &[], b"")
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let mut kill = std::process::Command::new("kill");
        let status = kill.args([&format!("-{name}"), &id]).status();
        assert!(status.expect("kill runs").success());
    }

    /// Ends it, and waits for that.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        self.signal("TERM");
        self.ended()
    }

    pub(crate) fn ended(&mut self) -> Option<i32> {
        let end = Instant::now() + Duration::from_secs(30);
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().expect("it can be asked") {
                return status.code();
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("it does not end: {}", self.said());
    }

    /// The value of a metric by its name with labels; 0 where there is none.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").text();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().expect("a number"))
    }

    /// The lines of the decision log.
    pub(crate) fn log(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.bench.join("log.jsonl")).expect("the log");
        let lines = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line of JSON"));
        lines.collect()
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// A chat request.
pub(crate) fn chat(model: &str, prompt: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": prompt}]})
}

pub(crate) fn stream(model: &str, prompt: &str) -> Value {
    let mut body = chat(model, prompt);
    body["stream"] = json!(true);
    body
}

/// A good answer.
pub(crate) fn good(model: &str, request: &Request) -> Answer {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    match body["stream"] == true {
        true => events(
            &["a", "b", "c"].map(|text| chunk(model, text, "")),
            &["[DONE]".to_owned()],
        ),
        false => json_answer(200, &completion(model)),
    }
}

pub(crate) fn completion(model: &str) -> String {
    format!(
        "{{\"id\":\"chatcmpl-1\", \"object\":\"chat.completion\",\"model\":\"{model}\",\"x\":1.50,\"choices\":[{{\"index\":0,\"message\":{{\"role\":\"assistant\",\"content\":\"hello\"}},\"finish_reason\":\"stop\"}}],\"usage\":{{\"prompt_tokens\":1000,\"completion_tokens\":100,\"total_tokens\":1100}}}}"
    )
}

pub(crate) fn json_answer(status: u16, body: &str) -> Answer {
    Answer::new(status, body).with_header("content-type", "application/json")
}

/// A chunk of a stream as data; `more` are further members, with a comma before them.
pub(crate) fn chunk(model: &str, text: &str, more: &str) -> String {
    format!(
        "{{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"{model}\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}]{more}}}"
    )
}

/// A stream of events.
pub(crate) fn events(data: &[String], more: &[String]) -> Answer {
    pieces(
        data.iter()
            .chain(more)
            .map(|data| (Duration::ZERO, event(data))),
        false,
    )
}

pub(crate) fn event(data: &str) -> Vec<u8> {
    format!("data: {data}\n\n").into_bytes()
}

/// A stream of bytes, each after a wait.
pub(crate) fn pieces(
    pieces: impl IntoIterator<Item = (Duration, Vec<u8>)>,
    is_cut: bool,
) -> Answer {
    let mut answer = Answer::new(200, "").with_header("content-type", "text/event-stream");
    answer.body = Body::Pieces {
        pieces: pieces.into_iter().collect(),
        is_cut,
    };
    answer
}
