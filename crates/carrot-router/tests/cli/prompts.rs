//! Prompts as they come: one by one, odd, endless.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use dataset::CostKind;
use serde_json::{Value, json};

use crate::bench::{PROMPTS, Tiny, stderr};

/// Longer than any answer takes, and shorter than a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

struct Running {
    child: Child,
    stdin: ChildStdin,
    lines: mpsc::Receiver<String>,
}

/// Starts the program, and collects the lines that it prints.
fn start(command: &mut Command) -> Running {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let stdout = BufReader::new(child.stdout.take().expect("piped"));
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in stdout.lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    Running {
        stdin: child.stdin.take().expect("piped"),
        child,
        lines,
    }
}

#[test]
fn a_line_has_its_answer_before_the_next_is_written() {
    let bench = Tiny::new(CostKind::Known);
    let args = bench.with_router(&["--mu", "0.3", "--json", "--quiet"]);
    let mut running = start(&mut bench.route_command(&args));
    for prompt in PROMPTS {
        for line in [prompt.to_owned(), json!({ "prompt": prompt }).to_string()] {
            writeln!(running.stdin, "{line}").expect("written");
            let answer = running.lines.recv_timeout(PATIENCE).expect("an answer");
            let answer: Value = serde_json::from_str(&answer).expect("JSON");
            assert_eq!(answer["prompt"], json!(prompt));
        }
    }
    // A line that holds no prompt ends the run; what came before has its answers.
    writeln!(running.stdin, "last\n{{oops\nnever").expect("written");
    let answer = running.lines.recv_timeout(PATIENCE).expect("an answer");
    assert!(answer.contains("last"), "{answer}");
    drop(running.stdin);
    let output = running.child.wait_with_output().expect("ended");
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{message}");
    let n = 2 * PROMPTS.len() + 2;
    let expected = format!("line {n} of standard input is not a JSON object");
    assert!(message.contains(&expected), "{message}");
    assert!(running.lines.recv().is_err(), "nothing after it");
}

#[test]
fn prompts_without_end_are_routed_until_nobody_reads_the_answers() {
    let bench = Tiny::new(CostKind::Known);
    let args = bench.with_router(&["--mu", "0.3", "--json", "--quiet"]);
    let mut child = bench
        .route_command(&args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut stdin = child.stdin.take().expect("piped");
    let writer = thread::spawn(move || while stdin.write_all(b"so it is\n").is_ok() {});
    let mut first = [0; 1000];
    let mut stdout = child.stdout.take().expect("piped");
    stdout.read_exact(&mut first).expect("answers");
    drop(stdout);
    let output = child.wait_with_output().expect("ended");
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(!stderr(&output).contains("ERROR"), "{}", stderr(&output));
    writer.join().expect("the pipe is closed");
}

#[test]
fn the_order_is_that_of_the_lines() {
    let bench = Tiny::new(CostKind::Known);
    let prompts: Vec<String> = (0..600).map(|n| format!("so {n}")).collect();
    let decisions = bench.decisions(&["--mu", "0.3"], &prompts.join("\n"));
    let found: Vec<&str> = decisions
        .iter()
        .map(|decision| decision["prompt"].as_str().expect("text"))
        .collect();
    assert_eq!(found, prompts);
}

#[test]
fn no_prompt_reaches_the_terminal_as_a_control_sequence() {
    let bench = Tiny::new(CostKind::Known);
    let prompts = [
        "\u{1b}[2J\u{1b}[31mred",
        "\u{1b}]0;title\u{7}",
        "\u{202e}abc\u{200b}",
        "a\u{0}b\rc\u{8}",
        "\u{9b}31m\u{7f}",
    ];
    let lines: Vec<String> = prompts
        .iter()
        .map(|prompt| json!({ "prompt": prompt }).to_string())
        .collect();
    bench.write("odd.jsonl", lines.join("\n"));
    let input = ["--mu", "0.3", "--input", "odd.jsonl"];
    let output = bench.route(&input, "");
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).expect("text");
    let is_obeyed = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!text.contains(is_obeyed), "{text:?}");
    for part in [
        r"\u{1b}[2J\u{1b}[31mred",
        r"a\u{0}b c\u{8}",
        r"\u{9b}31m\u{7f}",
    ] {
        assert!(text.contains(part), "`{part}` is not in {text}");
    }
    // For programs it stays what it was.
    let decisions = bench.decisions(&input, "");
    for (decision, prompt) in decisions.iter().zip(prompts) {
        assert_eq!(decision["prompt"], json!(prompt));
    }

    // Nor does one in an error, or in what clap says of the command line.
    let model = "models/\u{1b}[2J\u{202e}";
    for args in [["--model", model], ["--device", "\u{1b}]0;x\u{7}"]] {
        let output = bench.run(&[&["route", "so", "--mu", "0"], &args[..]].concat());
        let message = stderr(&output);
        assert!(!output.status.success(), "{message}");
        assert!(!message.contains(is_obeyed), "{message:?}");
        assert!(message.contains(r"\u{1b}"), "{message}");
    }
    let output = bench.run(&["route", "so", "--mu", "\u{1b}[2J"]);
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(!message.contains(is_obeyed), "{message:?}");
}

#[test]
fn odd_prompts_are_routed_or_refused_with_what_to_do() {
    let bench = Tiny::new(CostKind::Known);
    let mu = ["--mu", "0.3"];
    let long = json!({ "prompt": "so it is ".repeat(120_000) }).to_string();
    for (bytes, expected) in [
        (
            "\u{feff}{\"prompt\": \"so\"}\r\n\r\n{\"prompt\": \"is\"}\r\n",
            Ok(2),
        ),
        ("{\"prompt\": \"a\\u0000b\"}\n", Ok(1)),
        (&*long, Ok(1)),
        (
            "{\"prompt\": \"  \"}",
            Err("the prompt in line 1 of `odd.jsonl` is empty"),
        ),
        ("{\"prompt\": \"a \\ud83d\"}", Err("stands alone")),
        (
            "{\"messages\": []}",
            Err("put the text that an LLM is to answer under `prompt`"),
        ),
        ("[{\"prompt\": \"so\"}]", Err("jq -c")),
        ("id,prompt\n1,so\n", Err("convert the column of prompts")),
        ("<!doctype html>", Err("is a web page")),
    ] {
        bench.write("odd.jsonl", bytes);
        let output = bench.route(&[&mu[..], &["--input", "odd.jsonl", "--json"]].concat(), "");
        let message = stderr(&output);
        match expected {
            Ok(n) => {
                assert!(output.status.success(), "{message}");
                let text = String::from_utf8(output.stdout).expect("text");
                assert_eq!(text.lines().count(), n, "{text}");
            }
            Err(part) => {
                assert_eq!(output.status.code(), Some(1), "{message}");
                assert!(message.contains(part), "`{part}` is not in {message}");
            }
        }
    }
    let utf16: Vec<u8> = "\u{feff}{\"prompt\": \"so\"}\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    bench.write("odd.jsonl", utf16);
    let output = bench.route(&[&mu[..], &["--input", "odd.jsonl"]].concat(), "");
    let message = stderr(&output);
    assert!(message.contains("it looks like UTF-16"), "{message}");
}

#[test]
fn what_the_router_did_not_see_is_said() {
    let bench = Tiny::new(CostKind::Known);
    // The tiny embedder reads some tokens only, and these prompts end otherwise.
    let beginning = "so it is ".repeat(1000);
    let prompts = [
        format!("{beginning}one"),
        format!("{beginning}two"),
        "so".to_owned(),
    ];
    let output = bench.route(&["--mu", "0.3"], &prompts.join("\n"));
    let message = stderr(&output);
    assert!(output.status.success(), "{message}");
    for part in [
        "2 of the 3 prompts (66.7%) are longer than the router can read and were cut",
        "2 of the 3 prompts (66.7%) have the same embedding as a prompt with another text",
    ] {
        assert!(message.contains(part), "`{part}` is not in {message}");
    }
    let output = bench.route(&["--mu", "0.3"], "so\nit is\nso\n");
    let message = stderr(&output);
    assert!(
        !message.contains("were cut") && !message.contains("the same embedding"),
        "{message}"
    );
}

#[test]
fn names_that_would_leave_a_folder_are_bad_usage() {
    let bench = Tiny::new(CostKind::Known);
    for bad in ["../x", "/tmp", "..", "a/b", "", "nul", "a\u{1b}"] {
        for [dataset, router] in [[bad, "carrot-knn"], ["tiny", bad]] {
            let args = [
                "calibrate",
                "--usd-per-1k",
                "1",
                "--dataset",
                dataset,
                "--router",
                router,
            ];
            let output = bench.run(&args);
            let message = stderr(&output);
            assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
        }
    }
}
