use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use secrets::shown_address;

use crate::network::Network;

/// Called with the number of bytes that arrived, from several threads at once. Dropped when the download ends.
pub type OnBytes = Box<dyn Fn(u64) + Send + Sync>;

/// Called when a download begins, with a label of a word or two and the number of bytes that will arrive.
pub type StartProgress = dyn Fn(&str, u64) -> OnBytes + Send + Sync;

/// The Hugging Face hub, through the cache that Python's `huggingface_hub` uses too.
///
/// What is asked for is listed at the hub first, so that all files are of one commit; what the cache lacks of it is downloaded, resumed
/// where an earlier run was cut off, and checked against the hub's hash before it takes its name. Where the hub cannot be asked,
/// the files of the last download serve, with a warning.
///
/// ```no_run
/// use hub::{Hub, HubRepo};
///
/// # fn main() -> Result<(), hub::HubError> {
/// let hub = Hub::from_env();
/// let repo = HubRepo::dataset("CARROT-LLM-Routing/SPROUT");
/// let listing = hub.list(&repo)?;
/// let tables = listing.paths().filter(|path| path.ends_with(".parquet"));
/// let paths = hub.files(&repo, &tables.collect::<Vec<_>>())?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Hub {
    /// The cache.
    pub cache_dir: PathBuf,
    /// Where the hub answers, without a slash at the end.
    pub endpoint: String,
    /// What opens gated repositories. It is sent to the endpoint only.
    pub token: Option<String>,
    /// Never asks the hub.
    pub is_offline: bool,
    /// Called when a download begins; `None` reports nothing.
    pub progress: Option<Arc<StartProgress>>,
    /// A connection that sends nothing for so long is given up.
    pub read_timeout: Duration,
    /// Wait after the first failure; it doubles with each further one.
    pub first_wait: Duration,
    /// Proxies and certificates.
    pub network: Network,
}

/// A file that is wanted from a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedFile<'a> {
    /// Its path in the repository.
    pub name: &'a str,
    /// Whether a repository without it is an error.
    pub is_required: bool,
}

impl Hub {
    /// The same hub, whose downloads report their progress.
    #[must_use]
    pub fn with_progress(
        mut self,
        start: impl Fn(&str, u64) -> OnBytes + Send + Sync + 'static,
    ) -> Self {
        self.progress = Some(Arc::new(start));
        self
    }
}

impl<'a> WantedFile<'a> {
    /// A file that a repository must have.
    pub fn required(name: &'a str) -> Self {
        Self {
            name,
            is_required: true,
        }
    }

    /// A file that is downloaded only where a repository has it.
    pub fn optional(name: &'a str) -> Self {
        Self {
            name,
            is_required: false,
        }
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("cache_dir", &self.cache_dir)
            .field("endpoint", &shown_address(&self.endpoint))
            .field("token", &self.token.as_ref().map(|_| "***"))
            .field("is_offline", &self.is_offline)
            .finish_non_exhaustive()
    }
}
