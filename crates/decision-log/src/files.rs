use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, BufRead as _, BufReader, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use atomic_files::parent;

use crate::{DecisionLine, Error, FeedbackLine, LOG_FORMAT_VERSION, Line, Result};

const EXTENSION: &str = ".jsonl";
/// Digits of the number in the name of an older file.
const DIGITS: usize = 6;

/// Where a log is: `decisions.jsonl`, with `decisions.000001.jsonl` and so on beside it, the older the lower.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPlace {
    path: PathBuf,
    folder: PathBuf,
    stem: String,
}

/// The files of a log, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFiles(Vec<PathBuf>);

/// Whether a line is one of a decision log, by how it begins.
pub fn is_log_line(line: &[u8]) -> bool {
    line.starts_with(br#"{"log":"#)
}

impl LogPlace {
    /// The log that is written to `path`, which need not exist.
    ///
    /// # Errors
    /// [`Error::Name`] unless it ends in `.jsonl`.
    pub fn new(path: &Path) -> Result<Self> {
        let name = path.file_name().and_then(|name| name.to_str());
        let stem = name.and_then(|name| name.strip_suffix(EXTENSION));
        match stem {
            Some(stem) if !stem.is_empty() => Ok(Self {
                path: path.to_owned(),
                folder: parent(path).to_owned(),
                stem: stem.to_owned(),
            }),
            _ => Err(Error::Name {
                path: path.to_owned(),
            }),
        }
    }

    /// The file that is written to.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that it lies in.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The older file of a number.
    pub(crate) fn older(&self, number: u64) -> PathBuf {
        let (stem, width) = (&self.stem, DIGITS);
        self.folder
            .join(format!("{stem}.{number:0width$}{EXTENSION}"))
    }

    /// The numbers of the older files, in their order.
    pub(crate) fn numbers(&self) -> Result<Vec<u64>> {
        let mut numbers = Vec::new();
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(numbers),
            entries => entries.map_err(Error::io("list", &self.folder))?,
        };
        for entry in entries {
            let entry = entry.map_err(Error::io("list", &self.folder))?;
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| {
                let digits = name.strip_prefix(&self.stem)?.strip_prefix('.')?;
                let digits = digits.strip_suffix(EXTENSION)?;
                let is_number =
                    digits.len() >= DIGITS && digits.bytes().all(|it| it.is_ascii_digit());
                is_number.then(|| digits.parse::<u64>().ok())?
            });
            numbers.extend(number);
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The lines at the end of the file that is written to, as far as they lie in its last `n_bytes`. Without a file there are none.
    ///
    /// # Errors
    /// As for [`LogFiles::for_each`].
    pub fn for_each_of_tail(&self, n_bytes: u64, on_line: impl FnMut(Line)) -> Result<()> {
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            file => file.map_err(Error::io("open", &self.path))?,
        };
        let length = file
            .metadata()
            .map_err(Error::io("read", &self.path))?
            .len();
        let from = length.saturating_sub(n_bytes);
        read(&self.path, file, from, on_line)
    }
}

impl LogFiles {
    /// A log with its older files, by the path that it is written to or a folder with logs in it, or one of its older files alone.
    ///
    /// # Errors
    /// [`Error::Missing`] when there is no file; [`Error::Name`]; [`Error::Io`].
    pub fn find(path: &Path) -> Result<Self> {
        let mut files = Vec::new();
        if path.is_dir() {
            for entry in fs::read_dir(path).map_err(Error::io("list", path))? {
                let entry = entry.map_err(Error::io("list", path))?.path();
                let name = entry.file_name().and_then(|name| name.to_str());
                if name.is_some_and(|name| name.ends_with(EXTENSION)) {
                    files.push(entry);
                }
            }
            // `x.000001.jsonl` comes before `x.jsonl`, as a digit does before a letter.
            files.sort();
        } else {
            let place = LogPlace::new(path)?;
            files.extend(place.numbers()?.into_iter().map(|it| place.older(it)));
            if place.path.is_file() {
                files.push(place.path);
            }
        }
        match files.is_empty() {
            false => Ok(Self(files)),
            true => Err(Error::Missing {
                path: path.to_owned(),
            }),
        }
    }

    /// Their paths.
    pub fn paths(&self) -> &[PathBuf] {
        &self.0
    }

    /// All lines, in the order in which they were written. Half a line at the end of a file is passed over: it is being written, or its writer was
    /// killed.
    ///
    /// # Errors
    /// [`Error::Line`] or [`Error::Version`] for a line that is none; [`Error::Io`].
    pub fn for_each(&self, mut on_line: impl FnMut(Line)) -> Result<()> {
        for path in &self.0 {
            let file = File::open(path).map_err(Error::io("open", path))?;
            read(path, file, 0, &mut on_line)?;
        }
        Ok(())
    }

    /// The score of each decision that has feedback, by its id. Of several for one decision the last counts.
    ///
    /// # Errors
    /// As for [`LogFiles::for_each`].
    pub fn feedback(&self) -> Result<HashMap<String, f64>> {
        let mut scores = HashMap::new();
        self.for_each(|line| {
            if let Line::Feedback(FeedbackLine {
                decision_id, score, ..
            }) = line
            {
                scores.insert(decision_id, score);
            }
        })?;
        Ok(scores)
    }

    /// The decisions with their feedback. Reads the files twice, and keeps the feedback alone.
    ///
    /// # Errors
    /// As for [`LogFiles::for_each`].
    pub fn for_each_decision(
        &self,
        mut on_decision: impl FnMut(DecisionLine, Option<f64>),
    ) -> Result<()> {
        let scores = self.feedback()?;
        self.for_each(|line| {
            if let Line::Decision(line) = line {
                let score = scores.get(&line.id).copied();
                on_decision(*line, score);
            }
        })
    }
}

/// Reads the lines of a file from a place on; half a line at the beginning, where that is not the file's, and at the end is passed over.
fn read(path: &Path, mut file: File, from: u64, mut on_line: impl FnMut(Line)) -> Result<()> {
    // From the byte before: if that ends a line, the first line is a whole one.
    let start = from.saturating_sub(1);
    file.seek(SeekFrom::Start(start))
        .map_err(Error::io("read", path))?;
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let mut bytes = Vec::new();
    if from > 0 {
        reader
            .read_until(b'\n', &mut bytes)
            .map_err(Error::io("read", path))?;
    }
    for number in 1.. {
        bytes.clear();
        let n = reader
            .read_until(b'\n', &mut bytes)
            .map_err(Error::io("read", path))?;
        if n == 0 {
            break;
        }
        let is_whole = bytes.ends_with(b"\n");
        let text = bytes.trim_ascii();
        if text.is_empty() {
            continue;
        }
        let line: Line = match serde_json::from_slice(text) {
            Ok(line) => line,
            Err(_) if !is_whole => break,
            Err(source) => {
                return Err(Error::Line {
                    path: path.to_owned(),
                    line: number,
                    source,
                });
            }
        };
        let version = match &line {
            Line::Decision(line) => line.version,
            Line::Feedback(line) => line.version,
        };
        if version != LOG_FORMAT_VERSION {
            return Err(Error::Version {
                path: path.to_owned(),
                line: number,
                found: version,
            });
        }
        on_line(line);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn decision(id: &str) -> String {
        let line = DecisionLine::begin(id.to_owned(), UNIX_EPOCH, "/x", "carrot");
        serde_json::to_string(&Line::Decision(line.into())).expect("JSON")
    }

    fn feedback(id: &str, score: f64) -> String {
        let line = FeedbackLine::new(UNIX_EPOCH, id.to_owned(), score);
        serde_json::to_string(&Line::Feedback(line)).expect("JSON")
    }

    fn found(files: &LogFiles) -> Vec<(String, Option<f64>)> {
        let mut found = Vec::new();
        files
            .for_each_decision(|line, score| found.push((line.id, score)))
            .expect("read");
        found
    }

    #[test]
    fn feedback_is_joined_over_all_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log.jsonl");
        let write = |name: &str, lines: &[String]| {
            fs::write(folder.path().join(name), lines.join("\n") + "\n").expect("written");
        };
        write("log.000002.jsonl", &[decision("b"), feedback("a", 0.5)]);
        write("log.000001.jsonl", &[decision("a"), feedback("gone", 1.0)]);
        write("log.jsonl", &[feedback("a", 0.25), decision("c")]);
        // Of other logs, and of none.
        write("other.jsonl", &[decision("z")]);
        fs::write(folder.path().join("log.12.jsonl"), "x").expect("written");
        let files = LogFiles::find(&path).expect("found");
        let expected = [("a", Some(0.25)), ("b", None), ("c", None)];
        let expected = expected.map(|(id, score)| (id.to_owned(), score));
        assert_eq!(found(&files), expected);
        let alone = LogFiles::find(&folder.path().join("log.000002.jsonl")).expect("found");
        assert_eq!(found(&alone), [("b".to_owned(), None)]);
        let error = LogFiles::find(&folder.path().join("no.jsonl")).expect_err("none");
        assert!(
            error.to_string().contains("there is no decision log"),
            "{error}"
        );
        fs::remove_file(folder.path().join("log.12.jsonl")).expect("removed");
        let all = LogFiles::find(folder.path()).expect("found");
        assert_eq!(found(&all).len(), 4);
    }

    #[test]
    fn half_a_line_is_passed_over_at_the_end_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log.jsonl");
        let whole = decision("a");
        let read = |text: String| {
            fs::write(&path, text).expect("written");
            let files = LogFiles::find(&path).expect("found");
            let mut n = 0;
            files.for_each(|_| n += 1).map(|()| n)
        };
        let half = &whole[..whole.len() / 2];
        assert_eq!(read(format!("{whole}\n{half}")).expect("read"), 1);
        assert_eq!(read(format!("{whole}\n\n{whole}")).expect("read"), 2);
        let error = read(format!("{whole}\n{half}\n{whole}\n")).expect_err("refused");
        assert!(error.to_string().contains("line 2 of"), "{error}");
        let other = whole.replacen(r#""version":1"#, r#""version":7"#, 1);
        let error = read(format!("{other}\n")).expect_err("refused");
        assert!(
            error.to_string().contains("format version 7, expected 1"),
            "{error}"
        );
    }

    #[test]
    fn the_tail_is_whole_lines() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = LogPlace::new(&folder.path().join("log.jsonl")).expect("a place");
        let tail = |n_bytes: usize| {
            let mut ids = String::new();
            place
                .for_each_of_tail(n_bytes as u64, |line| {
                    if let Line::Decision(line) = line {
                        ids += &line.id;
                    }
                })
                .expect("read");
            ids
        };
        assert_eq!(tail(100), "");
        let lines = ["a", "b", "c"].map(decision);
        fs::write(place.path(), lines.join("\n") + "\n").expect("written");
        let n = lines[0].len() + 1;
        assert_eq!([tail(3 * n), tail(9 * n)], ["abc", "abc"]);
        assert_eq!(
            [tail(2 * n), tail(2 * n + 1), tail(2 * n - 1)],
            ["bc", "bc", "c"]
        );
        assert_eq!(tail(0), "");
    }

    #[test]
    fn a_log_ends_in_jsonl() {
        for name in ["log.json", ".jsonl", "log", "/"] {
            let error = LogPlace::new(Path::new(name)).expect_err("refused");
            assert!(error.to_string().contains("ends in `.jsonl`"), "{error}");
        }
    }
}
