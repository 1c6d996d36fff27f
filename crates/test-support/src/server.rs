use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::tls::{self, Shown};

/// Headers of a request that are read at most.
const MAX_HEADERS: usize = 64;
/// How often a server looks whether its client is still there.
const LOOK: Duration = Duration::from_millis(5);
/// A body is written in pieces of this many bytes, each after its wait.
const PIECE: usize = 16 * 1024;

/// A request as it came in.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `POST`, ...
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    /// Names in lower case, values as sent.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
    /// How many requests came before this one, over all connections.
    pub number: usize,
}

/// What a handler answers.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Headers except `content-length`, which follows from the body.
    pub headers: Vec<(String, String)>,
    /// The body, and how it goes wrong.
    pub body: Body,
    /// Wait before the first byte.
    pub delay: Duration,
}

/// The body of an answer. `content-length` states the length of the whole, but for [`Body::Pieces`].
#[derive(Debug, Clone)]
pub enum Body {
    /// All of it.
    Whole(Vec<u8>),
    /// All of it, with a wait before each piece of 16 KiB.
    Slow {
        /// The bytes.
        bytes: Vec<u8>,
        /// The wait.
        pause: Duration,
    },
    /// The first `n` bytes; then the connection is closed.
    Cut {
        /// The bytes, only some of which are sent.
        bytes: Vec<u8>,
        /// How many are sent.
        n: usize,
    },
    /// Nothing at all, not even a status line: the connection is closed.
    Hangup,
    /// In chunks, without a length stated before.
    Pieces {
        /// Each with a wait before it.
        pieces: Vec<(Duration, Vec<u8>)>,
        /// Whether the connection is closed without the end of the body.
        is_cut: bool,
    },
    /// Nothing either, until the client leaves.
    Hold,
}

/// A server on a free port of the loopback device. It stops when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    scheme: &'static str,
    n_requests: Arc<AtomicUsize>,
    left: Arc<Left>,
    is_stopped: Arc<AtomicBool>,
}

/// How many clients left before the end of their answer.
#[derive(Debug, Default)]
struct Left {
    n: Mutex<usize>,
    changed: Condvar,
}

impl Left {
    fn add(&self) {
        *self.n.lock().expect("nobody panics while counting") += 1;
        self.changed.notify_all();
    }
}

impl Request {
    /// A header's value, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(header, _)| header == name);
        found.next().map(|(_, value)| value.as_str())
    }

    /// The path without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

impl Answer {
    /// An answer with a body that arrives whole and at once.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Whole(body.into()),
            delay: Duration::ZERO,
        }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }
}

impl Server {
    /// Starts to answer: one thread per connection, which is kept open between requests.
    ///
    /// # Panics
    /// If the loopback device has no free port.
    pub fn start(handler: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_as(None, handler)
    }

    /// The same with TLS. Only who trusts [`authority_file`](crate::authority_file) trusts the certificate for this machine.
    ///
    /// # Panics
    /// If the loopback device has no free port.
    pub fn start_with_tls(
        shown: Shown,
        handler: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::start_as(Some(shown), handler)
    }

    fn start_as(
        shown: Option<Shown>,
        handler: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let tls = shown.map(tls::config);
        let listener =
            TcpListener::bind("127.0.0.1:0").expect("the loopback device has a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let server = Self {
            address,
            scheme: if tls.is_some() { "https" } else { "http" },
            n_requests: Arc::default(),
            left: Arc::default(),
            is_stopped: Arc::default(),
        };
        let handler = Arc::new(handler);
        let (n_requests, is_stopped) = (
            Arc::clone(&server.n_requests),
            Arc::clone(&server.is_stopped),
        );
        let server_left = Arc::clone(&server.left);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if is_stopped.load(Ordering::Relaxed) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                let (handler, n_requests) = (Arc::clone(&handler), Arc::clone(&n_requests));
                let (tls, left) = (tls.clone(), Arc::clone(&server_left));
                // A client that goes away in the middle is what these servers are for.
                thread::spawn(move || {
                    stream.set_nodelay(true)?;
                    let client = Client {
                        stream: stream.try_clone()?,
                        left: &left,
                    };
                    match tls {
                        None => serve(stream, &client, &*handler, &n_requests),
                        Some(tls) => {
                            serve(tls::accept(tls, stream)?, &client, &*handler, &n_requests)
                        }
                    }
                });
            }
        });
        server
    }

    /// `http://127.0.0.1:PORT`, with TLS `https://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Requests that came in so far.
    pub fn n_requests(&self) -> usize {
        self.n_requests.load(Ordering::Relaxed)
    }

    /// How many clients left before the end of [`Body::Pieces`] or of [`Body::Hold`], as soon as they are so many, or after the time given.
    ///
    /// # Panics
    /// If another thread panicked while counting.
    pub fn wait_for_left(&self, n: usize, most: Duration) -> usize {
        let found = self.left.n.lock().expect("nobody panics while counting");
        let waited = (self.left.changed).wait_timeout_while(found, most, |found| *found < n);
        *waited.expect("nobody panics while counting").0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for connections.
        drop(TcpStream::connect(self.address));
    }
}

/// Who asks, seen beside what it reads and writes.
struct Client<'a> {
    stream: TcpStream,
    left: &'a Left,
}

impl Client<'_> {
    /// Waits, and returns whether the client left meanwhile.
    fn leaves_within(&self, wait: Duration) -> io::Result<bool> {
        let end = Instant::now().checked_add(wait);
        let has_left = loop {
            let left = end.map_or(LOOK, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                break false;
            }
            self.stream.set_read_timeout(Some(left.min(LOOK)))?;
            match self.stream.peek(&mut [0]) {
                Ok(0) => break true,
                // It has sent more, which is for later.
                Ok(_) => thread::sleep(left.min(LOOK)),
                Err(error) if is_timeout(&error) => {}
                Err(_) => break true,
            }
        };
        self.stream.set_read_timeout(None)?;
        Ok(has_left)
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}

fn serve(
    stream: impl Read + Write,
    client: &Client<'_>,
    handler: &(impl Fn(&Request) -> Answer + ?Sized),
    n_requests: &AtomicUsize,
) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some(mut request) = read_request(&mut reader)? {
        request.number = n_requests.fetch_add(1, Ordering::Relaxed);
        let answer = handler(&request);
        thread::sleep(answer.delay);
        let may_go_on = match &answer.body {
            Body::Hold => {
                if client.leaves_within(Duration::MAX)? {
                    client.left.add();
                }
                false
            }
            Body::Pieces { pieces, is_cut } => {
                let whole = write_pieces(reader.get_mut(), client, &answer, pieces);
                if !whole.as_ref().is_ok_and(|is_whole| *is_whole) {
                    client.left.add();
                    return whole.map(|_| ());
                }
                if !is_cut {
                    reader.get_mut().write_all(b"0\r\n\r\n")?;
                    reader.get_mut().flush()?;
                }
                !is_cut
            }
            _ => write_answer(reader.get_mut(), &request.method, &answer)?,
        };
        if !may_go_on {
            break;
        }
    }
    Ok(())
}

/// `None` when the client closed the connection between requests.
fn read_request(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut head = Vec::new();
    loop {
        let n_before = head.len();
        if reader.read_until(b'\n', &mut head)? == 0 {
            return Ok(None);
        }
        if head[n_before..] == *b"\r\n" {
            break;
        }
    }
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    parsed
        .parse(&head)
        .map_err(|error| io::Error::other(error.to_string()))?;
    let headers = parsed.headers.iter().map(|header| {
        let value = String::from_utf8_lossy(header.value);
        (header.name.to_lowercase(), value.into_owned())
    });
    let mut request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        target: parsed.path.unwrap_or_default().to_owned(),
        headers: headers.collect(),
        body: Vec::new(),
        number: 0,
    };
    let length = request
        .header("content-length")
        .and_then(|length| length.parse().ok());
    request.body.resize(length.unwrap_or(0), 0);
    reader.read_exact(&mut request.body)?;
    Ok(Some(request))
}

/// Whether all of them were written before the client left.
fn write_pieces(
    stream: &mut impl Write,
    client: &Client<'_>,
    answer: &Answer,
    pieces: &[(Duration, Vec<u8>)],
) -> io::Result<bool> {
    let mut head = format!(
        "HTTP/1.1 {} As It Is\r\ntransfer-encoding: chunked\r\n",
        answer.status
    );
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    stream.flush()?;
    for (wait, piece) in pieces {
        if client.leaves_within(*wait)? {
            return Ok(false);
        }
        let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
        chunk.extend_from_slice(piece);
        chunk.extend_from_slice(b"\r\n");
        stream.write_all(&chunk)?;
        stream.flush()?;
    }
    Ok(true)
}

/// Whether the connection may be used again.
fn write_answer(stream: &mut impl Write, method: &str, answer: &Answer) -> io::Result<bool> {
    let (bytes, n_sent, pause) = match &answer.body {
        Body::Hangup | Body::Hold | Body::Pieces { .. } => return Ok(false),
        Body::Whole(bytes) => (bytes, bytes.len(), Duration::ZERO),
        Body::Slow { bytes, pause } => (bytes, bytes.len(), *pause),
        Body::Cut { bytes, n } => (bytes, *n, Duration::ZERO),
    };
    let mut head = format!(
        "HTTP/1.1 {} As It Is\r\ncontent-length: {}\r\n",
        answer.status,
        bytes.len()
    );
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    stream.flush()?;
    if method == "HEAD" {
        stream.flush()?;
        return Ok(true);
    }
    for piece in bytes[..n_sent].chunks(PIECE) {
        thread::sleep(pause);
        stream.write_all(piece)?;
        stream.flush()?;
    }
    Ok(n_sent == bytes.len())
}
