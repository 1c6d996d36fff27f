use std::{
    cell::Cell,
    fs::{self, File},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    ops::Range,
    path::{Path, PathBuf},
    process,
    time::Instant,
};

use tracing::debug;
use ureq::{Body, http::Response};

use crate::{
    address::text,
    cache::{RepoCache, make_parent},
    check::{Announced, BUFFER, Difference, check, is_whole, length},
    client::{Ask, Client},
    error::HubError,
    repo::{HubRepo, is_file_name},
};

/// Bytes of a file whose size neither the listing nor an answer says. Without an end a broken server would fill the disk.
const MAX_UNANNOUNCED: u64 = 2_000_000_000;
/// Times that a file may arrive whole but with other bytes: once it was the part of an earlier run, twice it is the server.
const MAX_BROKEN: u32 = 2;

/// Downloads one file of a commit into the cache, resuming what an earlier process left. The crate's documentation says why hf-hub's own
/// downloader is not used.
pub(crate) struct Download<'a> {
    pub(crate) client: &'a Client<'a>,
    pub(crate) endpoint: &'a str,
    pub(crate) cache: &'a RepoCache,
    pub(crate) repo: &'a HubRepo,
    pub(crate) commit: &'a str,
    /// The file's path in the repository.
    pub(crate) path: &'a str,
    /// Its size by the listing.
    pub(crate) listed_size: Option<u64>,
}

/// Counts the bytes of one file that arrived, those of earlier attempts included, each once.
struct Counted<'a> {
    position: Cell<u64>,
    on_bytes: &'a dyn Fn(u64),
}

impl Download<'_> {
    /// Whether the hub would send it.
    pub(crate) fn is_available(&self) -> Result<(), HubError> {
        let patience = self.client.patience();
        patience.until(|| self.announced(&self.url())).map(|_| ())
    }

    /// The file in the snapshot. `on_bytes` is called with the number of bytes that arrived.
    pub(crate) fn run(&self, on_bytes: &dyn Fn(u64)) -> Result<PathBuf, HubError> {
        let url = self.url();
        let announced = self.client.patience().until(|| self.announced(&url))?;
        let counted = Counted {
            position: Cell::new(0),
            on_bytes,
        };
        let blob = self.cache.blob(&announced.etag);
        make_parent(&blob)?;
        let lock = self.cache.lock(&announced.etag, self.path)?;
        if is_whole(&blob, &announced) {
            debug!("`{}` is in the cache under another commit", self.path);
            counted.up_to(announced.size.unwrap_or(0));
        } else {
            let end = if lock.file.is_some() {
                "incomplete".to_owned()
            } else {
                // Without locks another process may write the common one.
                format!("{}.incomplete", process::id())
            };
            let part = self.cache.blob(&format!("{}.{end}", announced.etag));
            self.fill(&url, &part, &announced, &counted)?;
            fs::rename(&part, &blob).map_err(HubError::io("rename", &part))?;
        }
        self.cache.link(&announced.etag, self.commit, self.path)
    }

    fn url(&self) -> String {
        self.repo.file_url(self.endpoint, self.commit, self.path)
    }

    fn announced(&self, url: &str) -> Result<Announced, HubError> {
        let asked = self.client.ask(self.repo, url, Ask::Head);
        let response = asked.map_err(|error| self.name_file(error))?;
        let header = |name| text(response.headers(), name);
        // A redirect to large-file storage describes the file in `x-linked-*` headers, and itself in the usual ones.
        let is_redirect = response.status().is_redirection();
        let etag = header("x-linked-etag").or_else(|| header("etag"));
        let etag = etag.map(|etag| etag.trim_start_matches("W/").trim_matches('"'));
        let size = header("x-linked-size")
            .or_else(|| header("content-length").filter(|_| !is_redirect))
            .and_then(|size| size.parse().ok());
        match etag {
            Some(etag) if is_file_name(etag) => Ok(Announced {
                etag: etag.to_owned(),
                size: size.or(self.listed_size),
            }),
            _ => {
                let problem = format!("`{}` has no ETag to know it by", self.path);
                Err(self.client.malformed(self.repo, problem))
            }
        }
    }

    /// Downloads into the part file until it is what was announced.
    fn fill(
        &self,
        url: &str,
        part: &Path,
        announced: &Announced,
        counted: &Counted<'_>,
    ) -> Result<(), HubError> {
        let mut options = File::options();
        let opened = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(part);
        let mut file = opened.map_err(HubError::io("open", part))?;
        let mut patience = self.client.patience();
        let mut n_broken = 0;
        loop {
            let n_before = length(&file, part)?;
            let attempted = self.attempt(url, &mut file, part, announced, counted);
            let error = match attempted {
                Ok(()) => match check(&mut file, part, announced)? {
                    None => return file.sync_all().map_err(HubError::io("sync", part)),
                    Some(difference) => self.broken(difference),
                },
                Err(error) => self.name_file(error),
            };
            let n_after = length(&file, part)?;
            let is_broken = matches!(error, HubError::Broken { .. });
            if is_broken && announced.size.is_none_or(|size| n_after >= size) {
                // Whatever it is, it is not a part of the file.
                clear(&mut file, part)?;
                n_broken += 1;
                if n_broken == MAX_BROKEN {
                    return Err(error);
                }
            } else if n_after > n_before {
                // It breaks off again and again, but moves forward.
                patience.reset();
            }
            patience.after(error)?;
        }
    }

    fn broken(&self, difference: Difference) -> HubError {
        let Difference {
            what,
            found,
            expected,
        } = difference;
        HubError::Broken {
            repo: self.repo.clone().into(),
            file: self.path.to_owned(),
            what,
            found,
            expected,
        }
    }

    /// One request for what is missing.
    fn attempt(
        &self,
        url: &str,
        file: &mut File,
        part: &Path,
        announced: &Announced,
        counted: &Counted<'_>,
    ) -> Result<(), HubError> {
        let mut start = length(file, part)?;
        if announced.size.is_none_or(|size| start > size) {
            clear(file, part)?;
            start = 0;
        }
        if announced.size == Some(start) {
            counted.up_to(start);
            return Ok(());
        }
        let ask = if start > 0 {
            Ask::GetFrom(start)
        } else {
            Ask::Get
        };
        let response = self.client.ask(self.repo, url, ask)?;
        let status = response.status().as_u16();
        if start > 0 && (status != 206 || range_start(&response) != Some(start)) {
            debug!("the server does not resume `{}`; starting over", self.path);
            clear(file, part)?;
            if status != 200 {
                // Answered a 416, or another range: ask for all of it.
                return self.attempt(url, file, part, announced, counted);
            }
            start = 0;
        }
        counted.up_to(start);
        file.seek(SeekFrom::Start(start))
            .map_err(HubError::io("write", part))?;
        let end = announced
            .size
            .unwrap_or(start.saturating_add(MAX_UNANNOUNCED));
        let is_over = self.copy(url, response, file, part, start..end, counted)?;
        if !is_over {
            return Ok(());
        }
        Err(self.broken(Difference {
            what: "size",
            found: format!("more than {end}"),
            expected: announced
                .size
                .map_or_else(|| "an announced size".to_owned(), |size| size.to_string()),
        }))
    }

    /// Writes what comes to the place that it is for. Returns whether more came than belongs there; that is left out.
    fn copy(
        &self,
        url: &str,
        response: Response<Body>,
        file: &mut File,
        part: &Path,
        place: Range<u64>,
        counted: &Counted<'_>,
    ) -> Result<bool, HubError> {
        let mut body = response.into_body().into_reader();
        let mut buffer = vec![0; BUFFER];
        let mut position = place.start;
        let mut pace = self.client.pace();
        loop {
            let n = match body.read(&mut buffer) {
                Ok(0) => return Ok(false),
                Ok(n) => n,
                Err(error) => return Err(self.client.unreachable(self.repo, url, error.into())),
            };
            let room = place.end.saturating_sub(position);
            let n_fitting = usize::try_from(room).map_or(n, |room| n.min(room));
            let written = file.write_all(&buffer[..n_fitting]);
            written.map_err(HubError::io("write", part))?;
            position += n_fitting as u64;
            counted.up_to(position);
            if n_fitting < n {
                return Ok(true);
            }
            if pace.is_too_slow(n, Instant::now()) {
                return Err(self.client.too_slow(self.repo, url));
            }
        }
    }

    /// A 404 of a file whose repository was just listed is about the file.
    fn name_file(&self, error: HubError) -> HubError {
        match error {
            HubError::NoRepo { repo, .. } => HubError::NoFile {
                repo,
                file: self.path.to_owned(),
            },
            other => other,
        }
    }
}

impl Counted<'_> {
    fn up_to(&self, position: u64) {
        if position > self.position.get() {
            (self.on_bytes)(position - self.position.get());
            self.position.set(position);
        }
    }
}

fn clear(file: &mut File, part: &Path) -> Result<(), HubError> {
    file.set_len(0).map_err(HubError::io("shorten", part))
}

/// The first byte of `content-range: bytes 5-9/10`.
fn range_start(response: &Response<Body>) -> Option<u64> {
    let range = text(response.headers(), "content-range")?.strip_prefix("bytes ")?;
    range.split('-').next()?.trim().parse().ok()
}
