//! The result files, out of an archive or a folder, one after the other.

use std::{
    fs::{self, File},
    io::{BufReader, Read},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use anyhow::{Context as _, bail};
use dataset::Source;
use flate2::read::MultiGzDecoder;
use tar::Archive;

/// What an archive in gzip's format begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Where the files are.
#[derive(Debug)]
pub(crate) enum Place {
    Archive(PathBuf),
    /// With all files below it that may be results or say a licence, sorted.
    Folder(PathBuf, Vec<PathBuf>),
}

/// One file, as long as it is looked at.
pub(crate) struct Entry<'a> {
    /// Its path in the archive or the folder, with slashes.
    pub(crate) name: String,
    /// When it was written, in seconds; for names without a time.
    pub(crate) modified: u64,
    pub(crate) content: Box<dyn Read + 'a>,
}

impl Place {
    pub(crate) fn find(path: &Path) -> anyhow::Result<Self> {
        if !path.is_dir() {
            return Ok(Self::Archive(path.to_owned()));
        }
        let mut files = Vec::new();
        list(path, &mut files)?;
        files.retain(|file| is_wanted(&file.to_string_lossy()));
        files.sort();
        Ok(Self::Folder(path.to_owned(), files))
    }

    /// Path and hash of what is read; of a folder, of each result file in it.
    pub(crate) fn sources(&self) -> anyhow::Result<Vec<Source>> {
        match self {
            Self::Archive(path) => Ok(vec![Source::of(path)?]),
            Self::Folder(_, files) => {
                let results = files
                    .iter()
                    .filter(|file| is_result(&file.to_string_lossy()));
                Ok(results
                    .map(|file| Source::of(file))
                    .collect::<Result<_, _>>()?)
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Archive(path) | Self::Folder(path, _) => path,
        }
    }

    /// Looks at each file that may be a result or say a licence, in the order of the archive. Only one is open at a time, and nothing of an archive is
    /// held.
    pub(crate) fn each(
        &self,
        mut look: impl FnMut(Entry<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        match self {
            Self::Folder(folder, files) => {
                for path in files {
                    let file = File::open(path)
                        .with_context(|| format!("cannot open `{}`", path.display()))?;
                    let modified = file.metadata().and_then(|it| it.modified()).ok();
                    let modified = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
                    let parts = path.strip_prefix(folder).unwrap_or(path).components();
                    let parts: Vec<_> = parts
                        .map(|part| part.as_os_str().to_string_lossy())
                        .collect();
                    look(Entry {
                        name: parts.join("/"),
                        modified: modified.map_or(0, |time| time.as_secs()),
                        content: Box::new(BufReader::new(file)),
                    })?;
                }
                Ok(())
            }
            Self::Archive(path) => {
                let cannot = || format!("cannot read the archive `{}`", path.display());
                let mut archive = Archive::new(open(path).with_context(cannot)?);
                for entry in archive.entries().with_context(cannot)? {
                    let entry = entry.with_context(cannot)?;
                    let name = entry
                        .path()
                        .with_context(cannot)?
                        .to_string_lossy()
                        .into_owned();
                    // A folder, a link; and what a Mac adds to each file, which is no JSON.
                    if !entry.header().entry_type().is_file() || !is_wanted(&name) {
                        continue;
                    }
                    let modified = entry.header().mtime().unwrap_or(0);
                    // The decoder of the archive has a buffer, and the parser asks for a byte at a time.
                    look(Entry {
                        name,
                        modified,
                        content: Box::new(BufReader::new(entry)),
                    })?;
                }
                Ok(())
            }
        }
    }
}

/// Decompressed as its first bytes say.
fn open(path: &Path) -> anyhow::Result<Box<dyn Read>> {
    let mut file = File::open(path)?;
    let mut first = [0; 2];
    let n_read = file.read(&mut first)?;
    let whole = BufReader::with_capacity(1 << 20, File::open(path)?);
    Ok(match n_read == 2 && first == GZIP {
        true => Box::new(BufReader::with_capacity(
            1 << 20,
            MultiGzDecoder::new(whole),
        )),
        false => Box::new(whole),
    })
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let cannot = || format!("cannot list the folder `{}`", folder.display());
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        match path.is_dir() {
            true => list(&path, files)?,
            false => files.push(path),
        }
    }
    Ok(())
}

pub(crate) fn is_result(name: &str) -> bool {
    name.ends_with(".json") && !base(name).starts_with("._")
}

/// Whether a file may say under which licence the results are.
pub(crate) fn may_say_licence(name: &str) -> bool {
    let base = base(name).to_ascii_lowercase();
    base == "readme.md" || base.starts_with("license") || base.starts_with("licence")
}

fn is_wanted(name: &str) -> bool {
    is_result(name) || may_say_licence(name)
}

fn base(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

/// The path of a result in its data set's folders, by which LLMRouterBench sorts: the data set, the split, the LLM, the file.
pub(crate) fn folders(name: &str) -> anyhow::Result<[String; 4]> {
    let parts: Vec<&str> = name.split('/').collect();
    let [.., data_set, split, model, file] = parts[..] else {
        bail!("`{name}` is not in folders of a data set, a split and an LLM");
    };
    Ok([data_set, split, model, file].map(str::to_owned))
}

/// The time that a result's name ends in, `YYYYMMDD_HHMMSS.json`, as a number of 14 digits.
pub(crate) fn time_of(name: &str) -> Option<u64> {
    let stem = name.strip_suffix(".json")?;
    let (date, time) = stem.get(stem.len().checked_sub(15)?..)?.split_once('_')?;
    let is_number =
        |text: &str, n| text.len() == n && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(date, 8) && is_number(time, 6)).then(|| format!("{date}{time}").parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_off_names() {
        for (name, expected) in [
            (
                "aime-hybrid-gpt-5-20250917_214500.json",
                Some(20_250_917_214_500),
            ),
            ("20250917_214500.json", Some(20_250_917_214_500)),
            ("result.json", None),
            ("a-20250917_21450.json", None),
            ("a-2025091x_214500.json", None),
            ("a-20250917_214500.jsonl", None),
        ] {
            assert_eq!(time_of(name), expected, "{name}");
        }
    }

    #[test]
    fn results_are_in_four_folders() {
        let found = folders("results/bench/aime/hybrid/gpt-5/a.json").expect("four");
        assert_eq!(found, ["aime", "hybrid", "gpt-5", "a.json"]);
        assert!(folders("aime/a.json").is_err());
    }
}
