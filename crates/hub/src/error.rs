use std::{io, path::PathBuf, time::Duration};

use crate::{
    needed::{Needed, bytes_text},
    repo::HubRepo,
};

/// Why a file is available neither from the hub nor from the cache. No message holds the token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// The license must be accepted, or the author must let the reader in.
    #[error("{repo} is gated: {}", gate_cure(page, *has_token))]
    Gated {
        /// The repository.
        repo: Box<HubRepo>,
        /// Where the license is accepted.
        page: String,
        /// Whether a token was sent, which then has no access.
        has_token: bool,
    },
    /// The hub does not know the token.
    #[error(
        "the hub does not accept the token in use: set HF_TOKEN to a valid one, or unset it to read what is public"
    )]
    BadToken,
    /// The hub has no such repository, or does not show it to this reader.
    #[error("the hub has no {repo}, or it is private ({}): look at {page}", private_cure(*has_token))]
    NoRepo {
        /// The repository.
        repo: Box<HubRepo>,
        /// Where it would be.
        page: String,
        /// Whether a token was sent.
        has_token: bool,
    },
    /// The repository has no such branch, tag or commit.
    #[error("{} `{}` has no revision `{}`", repo.kind, repo.id, repo.revision)]
    NoRevision {
        /// The repository.
        repo: Box<HubRepo>,
    },
    /// The repository has no such file.
    #[error("{repo} on the hub has no file `{file}`")]
    NoFile {
        /// The repository.
        repo: Box<HubRepo>,
        /// Its path there.
        file: String,
    },
    /// 401 or 403 without a reason that is known.
    #[error(
        "the hub refuses {repo} with {status}{}: look at {page} for a license to accept, and set HF_TOKEN to a token with access",
        said(message)
    )]
    Refused {
        /// The repository.
        repo: Box<HubRepo>,
        /// Where it is.
        page: String,
        /// 401 or 403.
        status: u16,
        /// What the hub says.
        message: String,
    },
    /// The hub is overloaded, or something broke there.
    #[error("{repo}: the hub answers {status}{}", said(message))]
    Busy {
        /// The repository.
        repo: Box<HubRepo>,
        /// 429, 408, or from 500 up.
        status: u16,
        /// What the hub says.
        message: String,
        /// How long it asks to wait before the next request.
        retry_after: Option<Duration>,
    },
    /// A status that the hub is not known to answer with.
    #[error("{repo}: the hub answers {status}{}", said(message))]
    Unexpected {
        /// The repository.
        repo: Box<HubRepo>,
        /// The status.
        status: u16,
        /// What the hub says.
        message: String,
    },
    /// No answer, or one that broke off.
    #[error("{repo}: no complete answer from `{host}`: {problem}")]
    Unreachable {
        /// The repository.
        repo: Box<HubRepo>,
        /// Scheme and host.
        host: String,
        /// What went wrong.
        problem: String,
        /// Whether asking again cannot help.
        is_final: bool,
    },
    /// Whoever answers has a certificate that is not trusted.
    #[error("the certificate of `{host}` is not trusted ({problem}): {cure}")]
    Certificate {
        /// Scheme and host.
        host: String,
        /// What is wrong with the certificate.
        problem: String,
        /// What to do about it.
        cure: &'static str,
    },
    /// The certificates to trust were named, and there are none.
    #[error(
        "no certificate can be read from {places}: expected PEM files, or unset the variable to trust the system's"
    )]
    NoCertificates {
        /// The variables, with what they name.
        places: String,
    },
    /// The proxy in the environment is none.
    #[error(
        "the proxy {problem}: set HTTPS_PROXY to `http://HOST:PORT`, or list the hub's host in NO_PROXY"
    )]
    BadProxy {
        /// What is wrong with it, without a password.
        problem: String,
    },
    /// The hub's address is none.
    #[error(
        "HF_ENDPOINT `{endpoint}` is not an address: expected `https://HOST` or `https://HOST/PATH`"
    )]
    BadEndpoint {
        /// As much of it as may be shown.
        endpoint: String,
    },
    /// The disk has no room for what would be downloaded.
    #[error("{} to download, but `{}` has {} free; make room there, or set HF_HOME to a folder on another disk", needed, cache.display(), bytes_text(*free))]
    NoSpace {
        /// What would be downloaded.
        needed: Needed,
        /// The cache.
        cache: PathBuf,
        /// Bytes that are free there.
        free: u64,
    },
    /// An answer of an unexpected form.
    #[error("{repo}: the hub's answer cannot be used: {problem}")]
    Malformed {
        /// The repository.
        repo: Box<HubRepo>,
        /// What is wrong with it.
        problem: String,
    },
    /// Other bytes arrived than the hub announced.
    #[error("`{file}` of {repo} arrived broken: {what} `{found}`, expected `{expected}`")]
    Broken {
        /// The repository.
        repo: Box<HubRepo>,
        /// Its path there.
        file: String,
        /// Size or hash.
        what: &'static str,
        /// As it arrived.
        found: String,
        /// As announced.
        expected: String,
    },
    /// The hub must not be asked, and the cache lacks something.
    #[error("{what} of {repo} is not in the cache `{}`, and HF_HUB_OFFLINE is set", cache.display())]
    Offline {
        /// The repository.
        repo: Box<HubRepo>,
        /// What is missing.
        what: String,
        /// The cache.
        cache: PathBuf,
    },
    /// A name that no repository can have.
    #[error("`{}` at `{}` is not the name of a repository: expected `owner/name`", repo.id, repo.revision)]
    BadName {
        /// As it was given.
        repo: Box<HubRepo>,
    },
    /// The cache cannot be read or written.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
}

impl HubError {
    /// For `map_err`, with what was tried and where.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    /// Whether the same request may succeed later.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Busy { .. } | Self::Broken { .. } => true,
            Self::Unreachable { is_final, .. } => !is_final,
            _ => false,
        }
    }

    /// Whether the hub could merely not be asked, so that what it gave earlier will do.
    pub(crate) fn cache_will_do(&self) -> bool {
        !matches!(
            self,
            Self::NoFile { .. }
                | Self::NoRevision { .. }
                | Self::BadName { .. }
                | Self::NoSpace { .. }
                | Self::Io { .. }
        )
    }
}

fn gate_cure(page: &str, has_token: bool) -> String {
    if has_token {
        format!(
            "the token in use has no access; accept the license at {page} with its account, \
             and let the token read gated repositories"
        )
    } else {
        format!("accept the license at {page}, and set HF_TOKEN to a token of that account")
    }
}

fn private_cure(has_token: bool) -> &'static str {
    if has_token {
        "the token in use does not open it"
    } else {
        "HF_TOKEN is not set"
    }
}

fn said(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(" (`{message}`)")
    }
}
