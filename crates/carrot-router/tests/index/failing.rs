use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Stdio},
};

use dataset::CostKind;
use serde_json::Value;
use test_support::{Postgres, stderr};

use crate::{INDEXED, bench::Tiny, checked, index};

/// `route` that answers line by line.
struct Route {
    child: Child,
    lines: BufReader<ChildStdout>,
    prompts: ChildStdin,
}

impl Route {
    fn start(bench: &Tiny, urls: &[String], more: &[&str]) -> Self {
        let args = [&["route", "--mu", "0.25", "--json"], &INDEXED[..], more].concat();
        let mut child = bench
            .command(&args)
            .env("CARROT_INDEX", urls.join(" "))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe"));
        let prompts = child.stdin.take().expect("a pipe");
        Self {
            child,
            lines,
            prompts,
        }
    }

    fn ask(&mut self, prompt: &str) -> Option<Value> {
        writeln!(self.prompts, "{prompt}").expect("written");
        self.prompts.flush().expect("flushed");
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("read");
        (!line.is_empty()).then(|| serde_json::from_str(&line).expect("JSON"))
    }

    /// The exit code and what was said.
    fn end(self) -> (Option<i32>, String) {
        drop(self.prompts);
        drop(self.lines);
        let output = checked(self.child.wait_with_output().expect("ended"));
        (output.status.code(), stderr(&output))
    }
}

/// kill -9 in the middle of a run: an error, or answers that say what was missing.
#[test]
fn a_shard_is_killed_in_the_middle_of_a_run() {
    let mut shards = [Postgres::start(), Postgres::start()];
    let urls = shards.each_ref().map(Postgres::url);
    let bench = Tiny::new(CostKind::OutputTokens);
    let report = index(&bench, &urls, &["--exact"]);
    assert!(report.status.success(), "{}", stderr(&report));
    let mut strict = Route::start(&bench, &urls, &[]);
    let mut lenient = Route::start(&bench, &urls, &["--min-shards", "1"]);
    let before = strict.ask("so so").expect("answered");
    assert_eq!(lenient.ask("so so").expect("answered"), before);
    assert!(before.get("shards_missing").is_none());

    // The first two prompts are in the second shard.
    shards[0].kill();
    assert_eq!(strict.ask("so so"), None);
    let (code, said) = strict.end();
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("1 of 2 shards answered, expected at least 2"),
        "{said}"
    );
    assert!(
        said.contains(&format!("127.0.0.1:{}/postgres", shards[0].port())),
        "{said}"
    );
    let mut after = lenient.ask("so so").expect("answered");
    assert_eq!(after["shards_missing"], 1);
    after
        .as_object_mut()
        .expect("an object")
        .remove("shards_missing");
    assert_eq!(after, before, "its neighbor is in the other shard");
    let (code, said) = lenient.end();
    assert_eq!(code, Some(0), "{said}");
    // Brief answers say so, too.
    let mut brief = Route::start(&bench, &urls, &["--min-shards", "1", "--brief"]);
    assert_eq!(brief.ask("so so").expect("answered")["shards_missing"], 1);
    brief.end();
}

#[test]
fn a_replica_takes_over_in_the_middle_of_a_run() {
    let mut primary = Postgres::start();
    let bench = Tiny::new(CostKind::OutputTokens);
    let report = index(&bench, &[primary.url()], &["--exact"]);
    assert!(report.status.success(), "{}", stderr(&report));
    let replica = primary.replica();
    let mut route = Route::start(&bench, &[primary.url_with(&[&replica])], &[]);
    let before = route.ask("very long").expect("answered");
    primary.kill();
    assert_eq!(route.ask("very long"), Some(before));
    let (code, said) = route.end();
    assert_eq!(code, Some(0), "{said}");
}
