use std::{collections::HashMap, sync::Arc};

use serde_json::json;

use super::{
    fault::{self, Fault, Stage, Wrong},
    seen::Seen,
    tree::{StoredFile, Tree},
};
use crate::{Answer, Request};

/// Where small files are redirected to.
const RESOLVE_CACHE: &str = "/api/resolve-cache";

#[derive(Debug, Default)]
pub(super) struct State {
    /// By `owner/name` or `datasets/owner/name`.
    pub(super) repos: HashMap<String, Repo>,
    /// Tokens that the hub accepts, but that open nothing.
    pub(super) tokens: Vec<String>,
    pub(super) script: Vec<Fault>,
    pub(super) seen: Vec<Seen>,
    pub(super) storage_url: String,
    /// The path that everything is below; empty for the hub itself.
    pub(super) below: String,
    pub(super) has_resolve_cache: bool,
    pub(super) storage: HashMap<String, Arc<Vec<u8>>>,
}

#[derive(Debug, Default)]
pub(super) struct Repo {
    /// The last one is `main`.
    pub(super) commits: Vec<(String, Tree)>,
    pub(super) gate: Option<Gate>,
    /// The repository of the same kind that it was renamed to.
    pub(super) renamed: Option<String>,
}

#[derive(Debug)]
pub(super) struct Gate {
    pub(super) token: String,
    /// Hides that the repository exists.
    pub(super) is_private: bool,
}

impl State {
    pub(super) fn answer(&mut self, request: &Request) -> Answer {
        let path = decode(request.path());
        let inner = path.strip_prefix(&self.below).unwrap_or_default();
        let cached = inner.strip_prefix(RESOLVE_CACHE);
        let route = Route::of(&request.method, cached.unwrap_or(inner));
        let stage = route.as_ref().map(|route| match &route.file {
            None => Stage::Listing,
            Some(_) if request.method == "HEAD" => Stage::Metadata,
            Some(file) if self.is_large(route, file) => Stage::Redirect,
            Some(_) => Stage::Content,
        });
        let wrong = self.note(request, &path, stage, false);
        let Some(route) = route else {
            return Answer::new(404, "not found");
        };
        let options = FileOptions {
            ranges: wrong != Some(Wrong::WholeFile),
            // The cache itself has the bytes.
            redirect: self.has_resolve_cache && cached.is_none(),
        };
        let answer = self.route(request, &route, options);
        wrong.into_iter().fold(answer, fault::spoil)
    }

    pub(super) fn answer_storage(&mut self, request: &Request) -> Answer {
        let path = decode(request.path());
        let wrong = self.note(request, &path, Some(Stage::Content), true);
        let sha256 = path.split('/').nth(2).unwrap_or_default();
        let Some(bytes) = self.storage.get(sha256) else {
            return Answer::new(403, "the signature is not valid");
        };
        let answer = content(bytes, request, wrong != Some(Wrong::WholeFile))
            .with_header("etag", format!("\"{sha256}\""));
        wrong.into_iter().fold(answer, fault::spoil)
    }

    /// Logs a request; returns how it goes wrong.
    fn note(
        &mut self,
        request: &Request,
        path: &str,
        stage: Option<Stage>,
        is_storage: bool,
    ) -> Option<Wrong> {
        self.seen.push(Seen {
            stage,
            path: path.to_owned(),
            range: request.header("range").map(str::to_owned),
            has_token: request.header("authorization").is_some(),
            is_storage,
        });
        stage.and_then(|stage| fault::next(&mut self.script, stage, path))
    }

    fn is_large(&self, route: &Route<'_>, file: &str) -> bool {
        let repo = self.repos.get(&route.repo);
        repo.and_then(|repo| repo.at(route.revision))
            .and_then(|(_, tree)| tree.files.get(file))
            .is_some_and(|file| file.sha256.is_some())
    }

    fn route(&self, request: &Request, route: &Route<'_>, options: FileOptions) -> Answer {
        let token = request
            .header("authorization")
            .and_then(|value| value.strip_prefix("Bearer "));
        if let Some(token) = token
            && !self.tokens.iter().any(|known| known == token)
        {
            return Answer::new(401, "").with_header(
                "x-error-message",
                "Invalid credentials in Authorization header",
            );
        }
        let refuse = |status, code: &str, message: String| {
            Answer::new(status, format!("{{\"error\": \"{message}\"}}"))
                .with_header("x-error-code", code)
                .with_header("x-error-message", message)
        };
        let missing = || {
            // As the hub does: without a token the answer is to log in.
            let status = if token.is_some() { 404 } else { 401 };
            let message = if token.is_some() {
                "Repository not found"
            } else {
                "Invalid username or password."
            };
            refuse(status, "RepoNotFound", message.to_owned())
        };
        let Some(repo) = self.repos.get(&route.repo) else {
            return missing();
        };
        if let Some(new) = &repo.renamed {
            let target = request.target.replacen(&route.repo, new, 1);
            return Answer::new(307, "").with_header("location", target);
        }
        if let Some(gate) = &repo.gate
            && token != Some(gate.token.as_str())
        {
            if gate.is_private {
                return missing();
            }
            if route.file.is_some() {
                let status = if token.is_some() { 403 } else { 401 };
                let why = match token {
                    None => {
                        "You must have access to it and be authenticated to access it. Please log in."
                    }
                    Some(_) => {
                        "You are not in the authorized list. Visit its page to ask for access."
                    }
                };
                let message = format!("Access to {} is restricted. {why}", route.repo);
                return refuse(status, "GatedRepo", message);
            }
        }
        let Some((commit, tree)) = repo.at(route.revision) else {
            let message = format!("Invalid rev id: {}", route.revision);
            return refuse(404, "RevisionNotFound", message);
        };
        let Some(path) = &route.file else {
            return listing(&route.repo, commit, tree, repo.gate.is_some());
        };
        let Some(file) = tree.files.get(path.as_str()) else {
            return refuse(404, "EntryNotFound", "Entry not found".to_owned());
        };
        self.file(request, file, path, options)
            .with_header("x-repo-commit", commit)
    }

    fn file(
        &self,
        request: &Request,
        file: &StoredFile,
        path: &str,
        options: FileOptions,
    ) -> Answer {
        match &file.sha256 {
            None if options.redirect => {
                let start = request.path().strip_prefix(&self.below).unwrap_or_default();
                let target = format!(
                    "{}{RESOLVE_CACHE}{start}?etag=%22{}%22",
                    self.below, file.blob_id
                );
                Answer::new(307, "Temporary Redirect")
                    .with_header("location", target)
                    .with_header("x-linked-etag", format!("\"{}\"", file.blob_id))
                    .with_header("x-linked-size", file.bytes.len())
            }
            None => content(&file.bytes, request, options.ranges)
                .with_header("etag", format!("\"{}\"", file.blob_id)),
            Some(sha256) => {
                let name = path.rsplit('/').next().unwrap_or_default();
                let target = format!("{}/lfs/{sha256}/{}", self.storage_url, encode(name));
                Answer::new(302, format!("Found. Redirecting to {target}"))
                    .with_header("location", target)
                    .with_header("x-linked-etag", format!("\"{sha256}\""))
                    .with_header("x-linked-size", file.bytes.len())
            }
        }
    }
}

impl Repo {
    fn at(&self, revision: &str) -> Option<&(String, Tree)> {
        if revision == "main" {
            return self.commits.last();
        }
        self.commits.iter().find(|(commit, _)| commit == revision)
    }
}

/// How a file is answered.
#[derive(Clone, Copy)]
struct FileOptions {
    /// By the part that was asked for, if it was a part.
    ranges: bool,
    /// By a redirect to the cache, if it is small.
    redirect: bool,
}

/// What a path asks for.
struct Route<'a> {
    /// `owner/name` or `datasets/owner/name`.
    repo: String,
    revision: &'a str,
    file: Option<String>,
}

impl<'a> Route<'a> {
    fn of(method: &str, path: &'a str) -> Option<Self> {
        if let Some(rest) = path.strip_prefix("/api/") {
            let (repo, revision) = rest.split_once("/revision/")?;
            return Some(Self {
                repo: repo.strip_prefix("models/").unwrap_or(repo).to_owned(),
                revision,
                file: None,
            });
        }
        let (repo, rest) = path.strip_prefix('/')?.split_once("/resolve/")?;
        let (revision, file) = rest.split_once('/')?;
        ["GET", "HEAD"].contains(&method).then(|| Self {
            repo: repo.to_owned(),
            revision,
            file: Some(file.to_owned()),
        })
    }
}

fn listing(repo: &str, commit: &str, tree: &Tree, is_gated: bool) -> Answer {
    let siblings = tree.files.iter().map(|(path, file)| {
        let (size, blob) = (file.bytes.len(), &file.blob_id);
        match &file.sha256 {
            None => json!({"rfilename": path, "size": size, "blobId": blob}),
            Some(sha256) => json!({
                "rfilename": path, "size": size, "blobId": blob,
                "lfs": {"sha256": sha256, "size": size, "pointerSize": 132},
            }),
        }
    });
    let id = repo.strip_prefix("datasets/").unwrap_or(repo);
    let siblings: Vec<_> = siblings.collect();
    let gated = if is_gated {
        json!("auto")
    } else {
        json!(false)
    };
    let body = json!({"id": id, "gated": gated, "sha": commit, "siblings": siblings});
    Answer::new(200, body.to_string()).with_header("content-type", "application/json")
}

/// A file, or the range of it that was asked for.
fn content(bytes: &[u8], request: &Request, ranges: bool) -> Answer {
    let range = request.header("range").filter(|_| ranges);
    let Some(range) = range.and_then(|range| range.strip_prefix("bytes=")) else {
        return Answer::new(200, bytes).with_header("accept-ranges", "bytes");
    };
    let (start, end) = range.split_once('-').unwrap_or((range, ""));
    let start: usize = start.parse().unwrap_or(0);
    let end = end.parse().map_or(bytes.len(), |end: usize| end + 1);
    let end = end.min(bytes.len());
    if start >= end {
        return Answer::new(416, "")
            .with_header("content-range", format!("bytes */{}", bytes.len()));
    }
    let range = format!("bytes {start}-{}/{}", end - 1, bytes.len());
    Answer::new(206, &bytes[start..end]).with_header("content-range", range)
}

fn decode(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let digits = path.get(i + 1..i + 3).filter(|_| bytes[i] == b'%');
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                i += 3;
            }
            None => {
                decoded.push(bytes[i]);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn encode(name: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => (byte as char).to_string(),
        other => format!("%{other:02X}"),
    };
    name.bytes().map(encode).collect()
}
