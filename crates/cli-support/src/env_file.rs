use std::{
    env, fs,
    path::{Path, PathBuf},
};

use tracing::warn;

/// What to report about a `.env` once logs are set up. Never a value.
///
/// dotenvy's own error would not do: `LineParse` shows the whole line, and with it the value, and has a position within the line but not the
/// line's number.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Complaint {
    /// The file cannot be read, or is not text.
    Unreadable { path: PathBuf, problem: String },
    /// A line, counted from 1, that is not `NAME=value`.
    Malformed { path: PathBuf, line: usize },
}

impl Complaint {
    pub(crate) fn log(&self) {
        match self {
            Self::Unreadable { path, problem } => {
                warn!("cannot read `{}`: {problem}", path.display());
            }
            Self::Malformed { path, line } => warn!(
                "line {line} of `{}` is not `NAME=value`; skipping it",
                path.display()
            ),
        }
    }
}

/// Sets the variables of the nearest `.env`, in the working folder or one above it. What is set already stays as it is.
pub(crate) fn load() -> Vec<Complaint> {
    let folder = env::current_dir().unwrap_or_default();
    let Some(path) = nearest(&folder) else {
        return Vec::new();
    };
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            let problem = error.to_string();
            return vec![Complaint::Unreadable { path, problem }];
        }
    };
    let (text, lines) = without_malformed(&text);
    // Every line was parsed a moment ago, and reading from memory cannot fail.
    _ = dotenvy::from_read(text.as_bytes());
    let complaint = |line| Complaint::Malformed {
        path: path.clone(),
        line,
    };
    lines.into_iter().map(complaint).collect()
}

fn nearest(folder: &Path) -> Option<PathBuf> {
    let mut candidates = folder.ancestors().map(|folder| folder.join(".env"));
    candidates.find(|path| path.is_file())
}

/// The text with its malformed lines left empty, and their numbers from 1.
fn without_malformed(text: &str) -> (String, Vec<usize>) {
    let is_well_formed = |lines: &[&str]| {
        // With the line's end: without it dotenvy takes a space at the end for the beginning of something.
        let text = format!("{}\n", lines.join("\n"));
        // The environment panics on a value with a NUL.
        dotenvy::from_read_iter(text.as_bytes())
            .all(|var| var.is_ok_and(|(_, value)| !value.contains('\0')))
    };
    // Editors on Windows begin a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines: Vec<&str> = text.lines().collect();
    let mut malformed = Vec::new();
    let mut start = 0;
    while start < lines.len() {
        // A quoted value may run over lines.
        let ends = start + 1..=lines.len();
        match ends
            .into_iter()
            .find(|&end| is_well_formed(&lines[start..end]))
        {
            Some(end) => start = end,
            None => {
                lines[start] = "";
                start += 1;
                malformed.push(start);
            }
        }
    }
    (lines.join("\n") + "\n", malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_lines_are_found_and_left_out() {
        for (text, expected_lines, expected_vars) in [
            ("", vec![], vec![]),
            ("A=1\n# note\n\nB='2 3'\n", vec![], vec!["A=1", "B=2 3"]),
            ("A=1\nno assignment\nB=2", vec![2], vec!["A=1", "B=2"]),
            ("bad 1\nA=1\nbad 2\n", vec![1, 3], vec!["A=1"]),
            ("A=\"1\n2\"\nbad\nB=3", vec![3], vec!["A=1\n2", "B=3"]),
            ("A=\"open\nB=2\nC=3\n", vec![1], vec!["B=2", "C=3"]),
            ("export A=1\r\nB = 2\r\n", vec![], vec!["A=1", "B=2"]),
            ("A=un quoted\nB=2\n", vec![1], vec!["B=2"]),
            ("A=1 \nbad\nB=2 ", vec![2], vec!["A=1", "B=2"]),
            ("A=1\0\nB='\0'\n\0\nC=3\n", vec![1, 2, 3], vec!["C=3"]),
            ("\u{feff}A=1\nB=2\n", vec![], vec!["A=1", "B=2"]),
            ("\u{1}\u{7f}=é\n=\n'\nA=1", vec![1, 2, 3], vec!["A=1"]),
        ] {
            let (kept, lines) = without_malformed(text);
            let vars: Vec<String> = dotenvy::from_read_iter(kept.as_bytes())
                .map(|var| var.map(|(name, value)| format!("{name}={value}")))
                .collect::<Result<_, _>>()
                .expect("no malformed line is left");
            assert_eq!(lines, expected_lines, "{text:?}");
            assert_eq!(vars, expected_vars, "{text:?}");
        }
    }

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
}
