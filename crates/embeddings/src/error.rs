use std::{io, path::PathBuf, time::Duration};

/// What goes wrong between a text and its embedding. No message ever holds the API key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting that no request can use.
    #[error("`{name}` is `{found}`, expected {expected}")]
    BadSetting {
        /// The setting.
        name: &'static str,
        /// Its value.
        found: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// The API key cannot be sent in a header. It is not shown.
    #[error(
        "the API key contains characters that are not valid in an HTTP header; check `OPENAI_API_KEY`"
    )]
    BadKey,
    /// OpenAI's own address needs a key.
    #[error(
        "`{base_url}` requires an API key; set `OPENAI_API_KEY`, or `OPENAI_BASE_URL` for another server"
    )]
    NoKey {
        /// The address.
        base_url: String,
    },
    /// The HTTP client could not be set up.
    #[error("cannot set up the HTTP client")]
    Setup(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store is open in another process, or twice in this one.
    #[error("the store `{}` is in use by another process; wait until it ends, or use another store", path.display())]
    StoreInUse {
        /// The store's file.
        path: PathBuf,
    },
    /// The store could not be read or written.
    #[error("cannot use the store `{}`", path.display())]
    Store {
        /// The store's file.
        path: PathBuf,
        /// What the database said.
        #[source]
        source: Box<redb::Error>,
    },
    /// The store holds an embedding that this crate cannot have written.
    #[error("the store `{}` holds a broken embedding of text {row} (from 1): {problem}; delete the file", path.display())]
    StoredVector {
        /// The store's file.
        path: PathBuf,
        /// The first text that the embedding belongs to, from 1.
        row: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// The server refused, and a retry would not help.
    #[error("{request} was refused with status {status}: {message}")]
    Refused {
        /// The request.
        request: RequestName,
        /// The HTTP status.
        status: u16,
        /// The server's message.
        message: String,
    },
    /// The account has no money or quota left.
    #[error("{request} was refused because the account's quota is used up: {message}")]
    QuotaUsedUp {
        /// The request.
        request: RequestName,
        /// The server's message.
        message: String,
    },
    /// The server turned the request down each time.
    #[error("{request} failed {n_attempts} times, most recently with status {status}: {message}")]
    Unavailable {
        /// The request.
        request: RequestName,
        /// How often it was sent.
        n_attempts: u32,
        /// The last HTTP status.
        status: u16,
        /// The server's last message.
        message: String,
    },
    /// No answer, or only part of one, arrived each time.
    #[error("{request} failed {n_attempts} times, most recently: {problem}")]
    Broken {
        /// The request.
        request: RequestName,
        /// How often it was sent.
        n_attempts: u32,
        /// What happened to the last answer.
        problem: String,
    },
    /// The server asked for a longer wait than is allowed.
    #[error(
        "{request} would have to wait {} s, as the server asked; the limit is {} s. Run again later, finished requests are kept: {message}",
        wait.as_secs(), limit.as_secs()
    )]
    LongWait {
        /// The request.
        request: RequestName,
        /// What the server asked for.
        wait: Duration,
        /// The longest wait allowed.
        limit: Duration,
        /// The server's message.
        message: String,
    },
    /// Whoever answers cannot show that it is the server.
    #[error("{request} was not sent, as the server's certificate is not trusted: {problem}")]
    Untrusted {
        /// The request.
        request: RequestName,
        /// What is wrong with the certificate, and what to do.
        problem: String,
    },
    /// The server does not embed these texts, whatever they are sent with. All others have their embeddings, and those are kept.
    #[error(
        "the server does not embed {}; the embeddings of all others are kept",
        these(texts)
    )]
    NotEmbedded {
        /// The texts, in their order.
        texts: Vec<NotEmbedded>,
    },
    /// The answer arrived, but is not what was asked for.
    #[error("the answer to {request} is wrong: {problem}")]
    BadAnswer {
        /// The request.
        request: RequestName,
        /// What is wrong with it.
        problem: String,
    },
    /// The answer's embeddings have another length than those that are there already, as those of another model would.
    #[error(
        "the answer to {request} is wrong: its embeddings have {found} values, those in the store or of other answers have {expected}"
    )]
    OtherLength {
        /// The request.
        request: RequestName,
        /// Values of an embedding in the answer.
        found: usize,
        /// Values of all others.
        expected: usize,
    },
    /// A thread could not be started.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
}

/// A text that the server does not embed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotEmbedded {
    /// Where it occurs first, from 1.
    pub row: usize,
    /// What the server says of it, or sends instead of an embedding.
    pub message: String,
}

/// Texts that are named one by one; more are counted.
const MAX_NAMED: usize = 10;

fn these(texts: &[NotEmbedded]) -> String {
    let named = texts.iter().take(MAX_NAMED);
    let named = named.map(|NotEmbedded { row, message }| format!("text {row} ({message})"));
    let named = named.collect::<Vec<_>>().join(", ");
    match texts.len().saturating_sub(MAX_NAMED) {
        0 => named,
        n => format!("{named} and {n} others"),
    }
}

/// Which request, in terms of the caller's texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestName {
    /// The request's number in this run, from 1.
    pub number: usize,
    /// How many requests the run has.
    pub n_requests: usize,
    /// The first text in it, from 1.
    pub first_row: usize,
    /// The last text in it, from 1.
    pub last_row: usize,
}

impl std::fmt::Display for RequestName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            number,
            n_requests,
            first_row,
            last_row,
        } = self;
        write!(
            f,
            "request {number} of {n_requests} (texts {first_row} to {last_row})"
        )
    }
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
