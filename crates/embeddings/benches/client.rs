//! What the client reaches against a server on this machine, and what it costs itself.
//!
//! ```text
//! limit      1,000,000 tokens/minute, 200 ms latency: share of the limit that is used. The bucket starts full, so what counts begins 20 s
//!            after the moment when as much was answered as it held: tokens answered from one answer to another, by the server's count
//! parallel   200 ms latency, no limit: throughput over that of one request at a time
//! overhead   5 ms latency, no limit: time of `embed` over the time in which a bare loop sends the same texts to the same server, as many at a
//!            time, from JSON made beforehand, and drops the answers unread
//! ```
//!
//! Server and client share the processors. `cargo bench -p embeddings -- limit` runs one of the three; the seconds of `limit` can follow.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::{
    env,
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use embeddings::{Client, Endpoint, Limits, Model, Progress, Store};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use rayon::prelude::*;
use test_support::OpenAi;

const MODEL: &str = "text-embedding-3-small";
const DIM: usize = 1_536;
const TOKENS_PER_MINUTE: u32 = 1_000_000;
const SETTLING: Duration = Duration::from_secs(20);
const WORDS: [&str; 16] = [
    "the", "router", "chooses", "a", "model", "for", "each", "prompt", "and", "pays", "what", "it",
    "costs", "in", "tokens", "sent",
];

fn main() {
    let args: Vec<String> = env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let is_wanted = |name| args.is_empty() || args.first().is_some_and(|arg| arg == name);
    if is_wanted("limit") {
        let seconds = args.get(1).and_then(|arg| arg.parse().ok());
        limit(seconds.unwrap_or(60.0));
    }
    if is_wanted("parallel") {
        parallel();
    }
    if is_wanted("overhead") {
        for (n_inputs, n_words, n_requests) in [(16, 100, 400), (128, 100, 100), (2_048, 100, 12)] {
            overhead(n_inputs, n_words, n_requests);
        }
    }
}

/// Different texts of so many words, each a token.
fn texts(n: usize, n_words: usize) -> Vec<String> {
    let mut rng = StdRng::seed_from_u64(1);
    let word = |rng: &mut StdRng| WORDS[rng.random_range(0..WORDS.len())];
    (0..n)
        .map(|n| (1..n_words).fold(n.to_string(), |text, _| text + " " + word(&mut rng)))
        .collect()
}

fn server(latency_ms: u64) -> OpenAi {
    OpenAi::start()
        .model(MODEL, DIM)
        .fast()
        .latency(Duration::from_millis(latency_ms))
}

fn client(server: &OpenAi, limits: Limits) -> Client {
    let endpoint = Endpoint::at(&server.url());
    Client::new(endpoint, Model::named(MODEL), limits).expect("a client")
}

/// Seconds of `embed` with a new store.
fn embed(client: &Client, texts: &[String], on_progress: &(dyn Fn(Progress) + Sync)) -> f64 {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open(&dir.path().join("embeddings.redb")).expect("a store");
    let start = Instant::now();
    let embedded = client
        .embed(&store, texts, on_progress)
        .expect("embeddings");
    assert_eq!(embedded.values.dim(), (texts.len(), DIM));
    start.elapsed().as_secs_f64()
}

fn limit(seconds: f64) {
    let per_minute = f64::from(TOKENS_PER_MINUTE);
    // What the bucket holds, and what refills before and in the time that counts.
    let n_tokens = per_minute * (1.0 + (SETTLING.as_secs_f64() + seconds + 5.0) / 60.0);
    // The server takes four bytes for a token, so counts otherwise than the client.
    let n_bytes_per_text = texts(100, 200).concat().len() as f64 / 100.0;
    let texts = texts((n_tokens * 4.0 / n_bytes_per_text) as usize, 200);
    for n_inputs in [40, 400] {
        let server = server(200).rate_limits(10_000, TOKENS_PER_MINUTE);
        let limits = Limits {
            max_inputs_per_request: n_inputs,
            ..Limits::openai()
        };
        let answered = Mutex::new(Vec::new());
        embed(&client(&server, limits), &texts, &|_| {
            let mut answered = answered.lock().expect("no thread panics");
            answered.push((Instant::now(), server.totals().0 as f64));
        });
        let answered = answered.into_inner().expect("no thread panics");
        let mut ticks = answered.iter();
        let drained = ticks.find(|(_, n_tokens)| *n_tokens >= per_minute);
        let (drained, _) = drained.expect("more was sent than the bucket held");
        let settled = ticks.find(|(at, _)| *at >= *drained + SETTLING);
        let (start, n_before) = settled.expect("it takes longer");
        let (end, n_after) = answered.last().expect("as above");
        let time = (*end - *start).as_secs_f64();
        let share = (n_after - n_before) / time / per_minute * 60.0;
        let (_, n_limited) = server.totals();
        println!(
            "limit: {n_inputs} texts of 200 tokens per request: {:.1} % used over {time:.1} s, {n_limited} requests turned down",
            share * 100.0
        );
    }
}

fn parallel() {
    let texts = texts(64 * 100, 100);
    let run = |max_in_flight, texts: &[String]| {
        let server = server(200);
        let limits = Limits {
            max_inputs_per_request: 64,
            max_in_flight,
            ..Limits::openai()
        };
        texts.len() as f64 / embed(&client(&server, limits), texts, &|_| ())
    };
    let one = run(1, &texts[..64 * 20]);
    let many = run(Limits::openai().max_in_flight, &texts);
    println!(
        "parallel: {one:.0} texts/s one request at a time, {many:.0} texts/s with {} at a time: {:.1} x",
        Limits::openai().max_in_flight,
        many / one
    );
}

fn overhead(n_inputs: usize, n_words: usize, n_requests: usize) {
    let texts = texts(n_inputs * n_requests, n_words);
    let server = server(5);
    for max_in_flight in [1, Limits::openai().max_in_flight] {
        let limits = Limits {
            max_inputs_per_request: n_inputs,
            max_in_flight,
            ..Limits::openai()
        };
        let client = client(&server, limits);
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("embeddings.redb")).expect("a store");
        // Reads the encoding's table, which is no part of a run's cost.
        client.plan(&store, &texts[..1]).expect("a plan");
        let mut n_tokens = 0;
        let planning = seconds(|| {
            let plan = client.plan(&store, &texts).expect("a plan");
            assert_eq!(plan.n_requests, n_requests);
            n_tokens = plan.n_tokens;
        });
        let counting = seconds(|| {
            let encoding = tiktoken_rs::cl100k_base_singleton();
            let counts = texts.par_iter().map(|text| encoding.count_ordinary(text));
            assert_eq!(counts.sum::<usize>() as u64, n_tokens);
        });
        let bare = bare(&server, &texts, n_inputs, max_in_flight);
        let whole = seconds(|| _ = client.embed(&store, &texts, &|_| ()).expect("embeddings"));
        let share = |seconds: f64| seconds / whole * 100.0;
        println!(
            "overhead: {n_requests} requests of {n_inputs} texts of {n_words} tokens, {max_in_flight} at a time: {whole:.2} s, bare {bare:.2} s \
             ({:.1} ms per request); {:.0} % of it for counting tokens, {:.0} % for hashing and packing, {:.0} % for decoding, storing and waiting",
            bare / n_requests as f64 * 1e3,
            share(counting),
            share(planning - counting),
            share(whole - bare - planning),
        );
    }
}

fn seconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

/// Seconds for the same requests without anything around them.
fn bare(server: &OpenAi, texts: &[String], n_inputs: usize, n_threads: usize) -> f64 {
    let address = server.url();
    let address = address
        .trim_start_matches("http://")
        .trim_end_matches("/v1");
    let requests: Vec<Vec<u8>> = texts
        .chunks(n_inputs)
        .map(|texts| {
            let body =
                serde_json::json!({"model": MODEL, "input": texts, "encoding_format": "base64"})
                    .to_string();
            let head = format!(
                "POST /v1/embeddings HTTP/1.1\r\nhost: {address}\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            [head, body].concat().into_bytes()
        })
        .collect();
    let next = AtomicUsize::new(0);
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..n_threads {
            scope.spawn(|| {
                let mut stream = TcpStream::connect(address).expect("the server is there");
                stream.set_nodelay(true).expect("a socket");
                let mut bytes = vec![0; 1 << 20];
                while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                    stream.write_all(request).expect("sent");
                    read_answer(&mut stream, &mut bytes);
                }
            });
        }
    });
    start.elapsed().as_secs_f64()
}

fn read_answer(stream: &mut TcpStream, bytes: &mut [u8]) {
    let mut n_read = 0;
    let head_end = loop {
        n_read += stream.read(&mut bytes[n_read..]).expect("an answer");
        if let Some(end) = bytes[..n_read].windows(4).position(|w| w == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]);
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.and_then(|n| n.parse().ok()).expect("a length");
    let mut n_left = length - (n_read - head_end);
    while n_left > 0 {
        let n_most = n_left.min(bytes.len());
        n_left -= stream.read(&mut bytes[..n_most]).expect("the rest");
    }
}
