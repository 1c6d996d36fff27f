//! Settings from `.env`: which file counts, and what is said about it.

mod text;
mod trust;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use tracing::{debug, info, warn};

/// What to report about a `.env` once logs are set up. Never a value, nor a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// The file is not read, and why.
    Unread { path: PathBuf, problem: String },
    /// It is read, though something about it is odd.
    Odd {
        path: PathBuf,
        problem: &'static str,
    },
    /// A line, counted from 1, that is not `NAME=value`.
    Malformed { path: PathBuf, line: usize },
    /// The variables that it set.
    Set {
        path: PathBuf,
        names: Vec<String>,
        /// Not of the working folder, so perhaps not the file that the user thinks of.
        is_above: bool,
    },
}

impl Report {
    pub(crate) fn log(&self) {
        match self {
            Self::Unread { path, problem } => {
                warn!("`{}` is not read: {problem}", path.display());
            }
            Self::Odd { path, problem } => warn!("`{}` {problem}", path.display()),
            Self::Malformed { path, line } => warn!(
                "line {line} of `{}` is not `NAME=value`; skipping it",
                path.display()
            ),
            Self::Set {
                path,
                names,
                is_above,
            } => {
                let names = names.join("`, `");
                if *is_above {
                    info!("`{}` in a folder above sets `{names}`", path.display());
                } else {
                    debug!("`{}` sets `{names}`", path.display());
                }
            }
        }
    }
}

/// Sets the variables of the nearest `.env`, in the working folder or one above it. What is set already stays as it is.
pub(crate) fn load() -> Vec<Report> {
    let folder = env::current_dir().unwrap_or_default();
    let Some(path) = nearest(&folder) else {
        return Vec::new();
    };
    let (text, mut reports) = read(&path);
    let is_new = |name: &String| env::var_os(name).is_none();
    let mut names: Vec<String> = text::names(&text).filter(is_new).collect();
    names.dedup();
    // Every line was parsed a moment ago, and reading from memory cannot fail. What is set already stays.
    _ = dotenvy::from_read(text.as_bytes());
    if !names.is_empty() {
        let is_above = path.parent() != Some(&folder);
        reports.push(Report::Set {
            path,
            names,
            is_above,
        });
    }
    reports
}

fn nearest(folder: &Path) -> Option<PathBuf> {
    let mut candidates = folder.ancestors().map(|folder| folder.join(".env"));
    candidates.find(|path| path.is_file())
}

/// The well-formed lines of a file, if it may be trusted, and what is to be said about it.
fn read(path: &Path) -> (String, Vec<Report>) {
    let unread = |problem| {
        let path = path.to_owned();
        (String::new(), vec![Report::Unread { path, problem }])
    };
    // Whoever writes this file decides where keys and prompts are sent.
    if let Some(problem) = trust::problem(path) {
        return unread(problem);
    }
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return unread(error.to_string()),
    };
    let text::Decoded {
        text,
        malformed,
        oddity,
    } = text::decode(&bytes);
    let odd = oddity.map(|problem| Report::Odd {
        path: path.to_owned(),
        problem,
    });
    let malformed = malformed.into_iter().map(|line| Report::Malformed {
        path: path.to_owned(),
        line,
    });
    (text, odd.into_iter().chain(malformed).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_file_counts() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let inner = root.path().join("a/b");
        fs::create_dir_all(&inner).expect("made");
        fs::write(root.path().join(".env"), "").expect("written");
        assert_eq!(nearest(&inner), Some(root.path().join(".env")));
        fs::write(root.path().join("a/.env"), "").expect("written");
        assert_eq!(nearest(&inner), Some(root.path().join("a/.env")));
        // A folder of that name, as Python's virtual environments have it, does not count.
        fs::create_dir(inner.join(".env")).expect("made");
        assert_eq!(nearest(&inner), Some(root.path().join("a/.env")));
    }

    #[test]
    fn reports_hold_no_line_and_no_value() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(".env");
        fs::write(&path, "A=1\nKEY=sk-secret word\nsk-secret\n").expect("written");
        let (text, reports) = read(&path);
        assert_eq!(text, "A=1\n\n\n");
        let malformed = |line| Report::Malformed {
            path: path.clone(),
            line,
        };
        assert_eq!(reports, [malformed(2), malformed(3)]);
    }
}
