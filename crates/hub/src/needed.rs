use std::{
    fmt, fs,
    ops::{Add, AddAssign},
    path::Path,
};

use crate::{cache::RepoCache, error::HubError, hub::Hub, listing::HubFile};

/// What the cache lacks of what is wanted: known before anything is downloaded.
///
/// ```
/// # use hub::Needed;
/// let needed = Needed { n_files: 3, n_bytes: 1_234_000_000, n_unsized: 0 };
/// assert_eq!(needed.to_string(), "3 files, 1.2 GB");
/// assert_eq!((needed + Needed { n_files: 1, n_bytes: 0, n_unsized: 1 }).to_string(), "4 files, 1.2 GB and 1 file of unknown size");
/// assert_eq!(Needed::default().to_string(), "nothing");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needed {
    /// Files, those of unknown size included.
    pub n_files: usize,
    /// Bytes of the others, less what earlier runs left of them.
    pub n_bytes: u64,
    /// Files whose size the hub does not say.
    pub n_unsized: usize,
}

impl Needed {
    pub(crate) fn of(files: &[&HubFile], cache: &RepoCache) -> Self {
        let mut needed = Self::default();
        for file in files {
            needed += Self::of_one(file, cache);
        }
        needed
    }

    fn of_one(file: &HubFile, cache: &RepoCache) -> Self {
        let Some(size) = file.size else {
            return Self {
                n_files: 1,
                n_bytes: 0,
                n_unsized: 1,
            };
        };
        let length = |name: &str| fs::metadata(cache.blob(name)).map_or(0, |data| data.len());
        let here = match &file.blob {
            // Downloaded whole for another commit, or in part by an earlier run.
            Some(blob) => match length(blob) {
                0 => length(&format!("{blob}.incomplete")),
                whole => whole,
            },
            None => 0,
        };
        Self {
            n_files: 1,
            n_bytes: size.saturating_sub(here),
            n_unsized: 0,
        }
    }

    /// Whether everything is in the cache.
    pub fn is_nothing(&self) -> bool {
        self.n_files == 0
    }
}

impl Add for Needed {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            n_files: self.n_files.saturating_add(other.n_files),
            n_bytes: self.n_bytes.saturating_add(other.n_bytes),
            n_unsized: self.n_unsized.saturating_add(other.n_unsized),
        }
    }
}

impl AddAssign for Needed {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl fmt::Display for Needed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = |n: usize| format!("{n} file{}", if n == 1 { "" } else { "s" });
        match *self {
            Self { n_files: 0, .. } => f.write_str("nothing"),
            Self {
                n_files, n_unsized, ..
            } if n_files == n_unsized => write!(f, "{} of unknown size", files(n_files)),
            Self {
                n_files,
                n_bytes,
                n_unsized,
            } => {
                write!(f, "{}, {}", files(n_files), bytes_text(n_bytes))?;
                match n_unsized {
                    0 => Ok(()),
                    n => write!(f, " and {} of unknown size", files(n)),
                }
            }
        }
    }
}

impl Hub {
    /// Refuses downloads that the disk of the cache has no room for. Where the system does not say how much is free, nothing is refused.
    ///
    /// # Errors
    /// [`HubError::NoSpace`].
    pub fn check_space(&self, needed: Needed) -> Result<(), HubError> {
        match free_bytes(&self.cache_dir) {
            Some(free) if free < needed.n_bytes => Err(HubError::NoSpace {
                needed,
                cache: self.cache_dir.clone(),
                free,
            }),
            _ => Ok(()),
        }
    }
}

/// What is free where a folder is, or will be.
fn free_bytes(folder: &Path) -> Option<u64> {
    let existing = folder.ancestors().find(|folder| folder.is_dir());
    // A relative path whose first folder is still to be made.
    fs4::available_space(existing.unwrap_or(Path::new("."))).ok()
}

/// `1.2 GB`, in units of a thousand, as disks and the hub's pages have them.
pub(crate) fn bytes_text(n_bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if n_bytes < 1_000 {
        return format!("{n_bytes} B");
    }
    let mut value = n_bytes as f64;
    let mut unit = "B";
    for larger in UNITS {
        // 999.95 would be written as `1000.0`.
        if value < 999.95 {
            break;
        }
        value /= 1_000.0;
        unit = larger;
    }
    format!("{value:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_one_decimal() {
        for (n_bytes, expected) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (20_300_000_000, "20.3 GB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(bytes_text(n_bytes), expected);
        }
    }

    #[test]
    fn sums_of_any_size_are_sums() {
        let most = Needed {
            n_files: 1,
            n_bytes: u64::MAX,
            n_unsized: 0,
        };
        assert_eq!((most + most).to_string(), "2 files, 18.4 EB");
        let unknown = Needed {
            n_files: 1,
            n_bytes: 0,
            n_unsized: 1,
        };
        assert_eq!(unknown.to_string(), "1 file of unknown size");
    }

    #[test]
    fn the_disk_is_asked_where_the_cache_will_be() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(free_bytes(&folder.path().join("a/b/c")).is_some_and(|free| free > 0));
        assert!(free_bytes(Path::new("not-there-yet/hub")).is_some());
    }
}
