//! A client on plain sockets, which sees every byte and leaves when it likes.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use serde_json::Value;

/// No answer of a test takes longer.
const PATIENCE: Duration = Duration::from_secs(20);
const MAX_HEADERS: usize = 64;

/// A connection that is kept open between requests.
pub(crate) struct Client {
    reader: BufReader<TcpStream>,
}

/// An answer of which the head has come.
pub(crate) struct Head {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
}

/// A whole answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the body ended as it should.
    pub(crate) is_whole: bool,
}

impl Client {
    pub(crate) fn new(address: &str) -> Self {
        Self::impatient(address, PATIENCE)
    }

    /// One that gives up after a while.
    pub(crate) fn impatient(address: &str, patience: Duration) -> Self {
        let stream = TcpStream::connect(address).expect("the server takes connections");
        stream.set_nodelay(true).expect("set");
        stream.set_read_timeout(Some(patience)).expect("set");
        Self {
            reader: BufReader::new(stream),
        }
    }

    pub(crate) fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) {
        self.try_send(method, path, headers, body).expect("sent");
    }

    pub(crate) fn try_send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> std::io::Result<()> {
        let mut bytes = format!(
            "{method} {path} HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n",
            body.len()
        );
        for (name, value) in headers {
            bytes += &format!("{name}: {value}\r\n");
        }
        let mut bytes = (bytes + "\r\n").into_bytes();
        bytes.extend_from_slice(body);
        self.reader.get_mut().write_all(&bytes)
    }

    /// The head of the next answer; `None` where the connection has been closed instead.
    pub(crate) fn head(&mut self) -> Option<Head> {
        let mut bytes = Vec::new();
        loop {
            let before = bytes.len();
            match self.reader.read_until(b'\n', &mut bytes) {
                Ok(0) | Err(_) => return None,
                Ok(_) if bytes[before..] == *b"\r\n" => break,
                Ok(_) => {}
            }
        }
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut parsed = httparse::Response::new(&mut headers);
        parsed.parse(&bytes).expect("a head");
        let headers = parsed.headers.iter().map(|header| {
            let value = String::from_utf8_lossy(header.value).into_owned();
            (header.name.to_ascii_lowercase(), value)
        });
        Some(Head {
            status: parsed.code.expect("a status"),
            headers: headers.collect(),
        })
    }

    /// The next chunk of a body without a stated length; `None` at its end, `Err` where it has none.
    pub(crate) fn chunk(&mut self) -> Result<Option<Vec<u8>>, ()> {
        let mut line = String::new();
        match self.reader.read_line(&mut line) {
            Ok(0) | Err(_) => return Err(()),
            Ok(_) => {}
        }
        let n = usize::from_str_radix(line.trim(), 16).expect("the length of a chunk");
        let mut chunk = vec![0; n + 2];
        self.reader.read_exact(&mut chunk).map_err(|_| ())?;
        chunk.truncate(n);
        Ok((n > 0).then_some(chunk))
    }

    /// The next answer to its end.
    pub(crate) fn reply(&mut self) -> Option<Reply> {
        let head = self.head()?;
        let mut reply = Reply {
            status: head.status,
            body: Vec::new(),
            is_whole: true,
            headers: head.headers,
        };
        if reply.header("transfer-encoding").is_some() {
            loop {
                match self.chunk() {
                    Ok(Some(chunk)) => reply.body.extend(chunk),
                    Ok(None) => break,
                    Err(()) => {
                        reply.is_whole = false;
                        break;
                    }
                }
            }
        } else {
            let length = reply
                .header("content-length")
                .map(|it| it.parse().expect("a length"));
            reply.body.resize(length.unwrap_or(0), 0);
            reply.is_whole = self.reader.read_exact(&mut reply.body).is_ok();
        }
        Some(reply)
    }

    pub(crate) fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        self.send(method, path, headers, body);
        self.reply().expect("an answer")
    }
}

impl Head {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        value(&self.headers, name)
    }
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        value(&self.headers, name)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The error in OpenAI's form that this must be; returns its code.
    pub(crate) fn error_code(&self) -> String {
        let body = self.json();
        let error = body["error"]
            .as_object()
            .unwrap_or_else(|| panic!("no error: {body}"));
        for key in ["message", "type", "param", "code"] {
            assert!(error.contains_key(key), "no `{key}` in {body}");
        }
        assert!(
            error["message"].is_string() && error["type"].is_string(),
            "{body}"
        );
        assert_eq!(self.header("content-type"), Some("application/json"));
        error["code"].as_str().expect("a code").to_owned()
    }

    /// The data of the events of a stream.
    pub(crate) fn events(&self) -> Vec<String> {
        let text = self.text();
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        data.map(str::to_owned).collect()
    }
}

fn value<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    let mut found = headers.iter().filter(|(header, _)| header == name);
    found.next().map(|(_, value)| value.as_str())
}
