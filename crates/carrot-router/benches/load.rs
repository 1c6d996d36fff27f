//! A load on an HTTP server and an upstream behind it, both without any library, so that what is measured is the server; bench_serve.py runs them.
//!
//! ```text
//! load upstream                                              prints its address and answers until its standard input ends
//! load load ADDRESS PATH BODY_FILE CONNECTIONS SECONDS       prints a line of JSON
//! ```
//!
//! Each connection has a thread, and sends its next request when it has the answer to the last.

use std::{
    env, fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(20);
/// What the upstream answers.
const ANSWER: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Yes."},"finish_reason":"stop"}],"usage":{"prompt_tokens":62,"completion_tokens":2,"total_tokens":64}}"#;

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["upstream"] => upstream(),
        ["load", address, path, body, connections, seconds] => {
            let load = || -> io::Result<()> {
                let number = |text: &str| text.parse::<f64>().map_err(io::Error::other);
                let seconds = Duration::from_secs_f64(number(seconds)?);
                let request = request(address, path, &fs::read(body)?);
                report(address, &request, number(connections)? as usize, seconds)
            };
            load()
        }
        // As `cargo bench` runs every bench.
        _ => Ok(()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            _ = writeln!(io::stderr(), "load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn upstream() -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    writeln!(io::stdout(), "{}", listener.local_addr()?)?;
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            // Whoever has gone gets no answer.
            thread::spawn(move || _ = answer_all(stream));
        }
    });
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

fn answer_all(stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(&stream);
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{ANSWER}",
        ANSWER.len()
    );
    let mut body = Vec::new();
    while read_message(&mut reader, &mut body)?.is_some() {
        (&stream).write_all(answer.as_bytes())?;
    }
    Ok(())
}

/// The first line of a message, after its body was read into `body`; none where the connection ends instead.
fn read_message(
    reader: &mut BufReader<&TcpStream>,
    body: &mut Vec<u8>,
) -> io::Result<Option<String>> {
    let (mut first, mut line) = (String::new(), String::new());
    if reader.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let (mut length, mut is_chunked) = (0_u64, false);
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
        is_chunked |= name.eq_ignore_ascii_case("transfer-encoding");
    }
    body.clear();
    if !is_chunked {
        reader.take(length).read_to_end(body)?;
        return Ok(Some(first));
    }
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let length = u64::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
        reader.take(length).read_to_end(body)?;
        line.clear();
        reader.read_line(&mut line)?;
        if length == 0 {
            return Ok(Some(first));
        }
    }
}

fn request(address: &str, path: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\nauthorization: Bearer none\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn report(address: &str, request: &[u8], n_connections: usize, time: Duration) -> io::Result<()> {
    let start = Instant::now();
    let mut seconds = Vec::new();
    let mut n_failed = 0;
    thread::scope(|scope| {
        let ask = || scope.spawn(|| ask(address, request, start + time));
        let threads: Vec<_> = (0..n_connections).map(|_| ask()).collect();
        for thread in threads {
            let (found, failed) = thread.join().expect("no panic")?;
            seconds.extend(found);
            n_failed += failed;
        }
        Ok::<_, io::Error>(())
    })?;
    let total = start.elapsed().as_secs_f64();
    seconds.sort_by(f64::total_cmp);
    let quantile = |q: f64| seconds.get((q * seconds.len() as f64) as usize).copied();
    let json = serde_json::json!({
        "requests": seconds.len(), "failed": n_failed, "seconds": total, "per_second": seconds.len() as f64 / total,
        "p50_ms": quantile(0.5).map(|it| it * 1e3), "p99_ms": quantile(0.99).map(|it| it * 1e3),
    });
    writeln!(io::stdout(), "{json}")
}

/// The seconds of each answer, and how many were not 200.
fn ask(address: &str, request: &[u8], end: Instant) -> io::Result<(Vec<f64>, usize)> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(&stream);
    let (mut seconds, mut n_failed, mut body) = (Vec::new(), 0, Vec::new());
    while Instant::now() < end {
        let start = Instant::now();
        (&stream).write_all(request)?;
        let first = read_message(&mut reader, &mut body)?;
        match first.as_deref().and_then(|line| line.split(' ').nth(1)) {
            Some("200") => seconds.push(start.elapsed().as_secs_f64()),
            Some(_) => n_failed += 1,
            None => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
    Ok((seconds, n_failed))
}
