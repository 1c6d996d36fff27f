use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
    sync::Mutex,
};

use atomic_files::Lock;
use tracing::warn;

use crate::{Error, Line, LogPlace, Result, error::with_causes};

/// Half a line is looked for from the end of the file in blocks of so many bytes.
const BLOCK_BYTES: u64 = 1 << 16;

/// Writes a log: a whole line by one call to the system, at the end of the file, so that a line is never mixed with another nor seen by halves
/// but while the disk is full or the process is killed.
#[derive(Debug)]
pub struct LogWriter {
    place: LogPlace,
    rotation: Rotation,
    open: Mutex<OpenFile>,
    /// Of two servers each would rename the file under the other.
    _lock: Lock,
}

/// When a log goes on in a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// A file is not longer than this, unless a single line is.
    pub max_bytes: u64,
    /// So many older files are kept, and the oldest of more is removed; `None` keeps all.
    pub keep: Option<usize>,
}

/// What was found at the end of a file that a killed writer left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Repaired {
    /// The length of the half line that was removed; 0 of none.
    pub n_removed: u64,
}

#[derive(Debug)]
struct OpenFile {
    file: File,
    n_bytes: u64,
    next_number: u64,
    /// Of a file that could not be renamed: how long it may grow until that is tried again.
    next_try: u64,
}

impl Rotation {
    /// One file, however long.
    pub const NEVER: Self = Self {
        max_bytes: u64::MAX,
        keep: None,
    };
}

impl LogWriter {
    /// Opens a log to go on with it, or begins one. What is written is readable by the file's owner alone. A half line at the end, of a writer that
    /// was killed, is removed; a whole one that lacks only its end is ended.
    ///
    /// # Errors
    /// [`Error::Lock`] where another server writes it; [`Error::Io`].
    pub fn open(place: &LogPlace, rotation: Rotation) -> Result<(Self, Repaired)> {
        let (path, folder) = (place.path(), place.folder());
        fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        let lock = Lock::of(path)?;
        let repaired = repair(path)?;
        let file = append_to(path)?;
        let n_bytes = file.metadata().map_err(Error::io("read", path))?.len();
        let next_number = place.numbers()?.last().map_or(1, |last| last + 1);
        let this = Self {
            place: place.clone(),
            rotation,
            open: Mutex::new(OpenFile {
                file,
                n_bytes,
                next_number,
                next_try: rotation.max_bytes,
            }),
            _lock: lock,
        };
        Ok((this, repaired))
    }

    /// Where it is written.
    pub fn place(&self) -> &LogPlace {
        &self.place
    }

    /// Writes a line. When this returns the system has it, so that the end of the process, however it comes, does not lose it; the end of the machine
    /// may.
    ///
    /// # Errors
    /// [`Error::Io`] when the disk is full; then nothing of the line is left.
    pub fn write(&self, line: &Line) -> Result<()> {
        let mut bytes = serde_json::to_vec(line).expect("numbers and texts are JSON");
        bytes.push(b'\n');
        let mut open = self.open.lock().expect("nobody panics while writing");
        let length = open.n_bytes.saturating_add(bytes.len() as u64);
        if open.n_bytes > 0 && length > open.next_try {
            self.rotate(&mut open);
        }
        let path = self.place.path();
        match write_once(&mut open.file, &bytes) {
            Ok(n) if n == bytes.len() => {
                open.n_bytes += n as u64;
                Ok(())
            }
            result => {
                // The disk is full. What got there would run into the next line.
                let length = open.n_bytes;
                open.file
                    .set_len(length)
                    .map_err(Error::io("shorten", path))?;
                let short = io::Error::new(io::ErrorKind::StorageFull, "a part was written");
                Err(Error::io("write", path)(result.err().unwrap_or(short)))
            }
        }
    }

    /// Goes on in a new file. Where that cannot be, the old one goes on, which is better than to lose lines.
    fn rotate(&self, open: &mut OpenFile) {
        let path = self.place.path();
        let older = self.place.older(open.next_number);
        let renamed = fs::rename(path, &older).map_err(Error::io("rename", path));
        let opened = renamed.and_then(|()| append_to(path));
        match opened {
            Ok(file) => {
                open.file = file;
                open.n_bytes = 0;
                open.next_number += 1;
                open.next_try = self.rotation.max_bytes;
                if let Err(error) = self.remove_oldest() {
                    let error = with_causes(&error);
                    warn!("an old file of the decision log stays: {error}");
                }
            }
            Err(error) => {
                open.next_try = open.n_bytes.saturating_add(self.rotation.max_bytes);
                let error = with_causes(&error);
                warn!("the decision log goes on in the same file: {error}");
            }
        }
    }

    fn remove_oldest(&self) -> Result<()> {
        let Some(keep) = self.rotation.keep else {
            return Ok(());
        };
        let numbers = self.place.numbers()?;
        let n_too_many = numbers.len().saturating_sub(keep);
        for &number in &numbers[..n_too_many] {
            let path = self.place.older(number);
            fs::remove_file(&path).map_err(Error::io("remove", path))?;
        }
        Ok(())
    }
}

fn write_once(file: &mut File, bytes: &[u8]) -> io::Result<usize> {
    loop {
        match file.write(bytes) {
            // A signal came before the first byte.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

fn append_to(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // It may hold prompts.
        options.mode(0o600);
    }
    options.open(path).map_err(Error::io("open", path))
}

/// Ends the last line, or removes it.
fn repair(path: &Path) -> Result<Repaired> {
    let mut options = OpenOptions::new();
    let mut file = match options.read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Repaired::default()),
        file => file.map_err(Error::io("open", path))?,
    };
    let last = last_line(&mut file).map_err(Error::io("read", path))?;
    if last.is_empty() {
        return Ok(Repaired::default());
    }
    let length = file.metadata().map_err(Error::io("read", path))?.len();
    if serde_json::from_slice::<Line>(&last).is_ok() {
        file.seek(SeekFrom::End(0))
            .and_then(|_| file.write_all(b"\n"))
            .map_err(Error::io("write", path))?;
        return Ok(Repaired::default());
    }
    let n_removed = last.len() as u64;
    file.set_len(length - n_removed)
        .map_err(Error::io("shorten", path))?;
    Ok(Repaired { n_removed })
}

/// What comes after the last end of a line.
fn last_line(file: &mut File) -> io::Result<Vec<u8>> {
    let mut start = file.metadata()?.len();
    let mut tail = Vec::new();
    while start > 0 {
        let n = start.min(BLOCK_BYTES);
        start -= n;
        file.seek(SeekFrom::Start(start))?;
        let mut block = vec![0; n as usize];
        file.read_exact(&mut block)?;
        block.extend_from_slice(&tail);
        tail = block;
        if let Some(end) = tail.iter().rposition(|&byte| byte == b'\n') {
            return Ok(tail.split_off(end + 1));
        }
    }
    Ok(tail)
}

#[cfg(test)]
mod tests {
    use std::{thread, time::UNIX_EPOCH};

    use super::*;
    use crate::{DecisionLine, LogFiles};

    fn line(id: &str, prompt: &str) -> Line {
        let mut line = DecisionLine::begin(id.to_owned(), UNIX_EPOCH, "/x", "carrot");
        line.prompt = Some(prompt.to_owned());
        Line::Decision(line.into())
    }

    fn place(folder: &Path) -> LogPlace {
        LogPlace::new(&folder.join("logs/log.jsonl")).expect("a place")
    }

    fn open(place: &LogPlace, rotation: Rotation) -> (LogWriter, Repaired) {
        LogWriter::open(place, rotation).expect("opened")
    }

    fn n_lines(place: &LogPlace) -> usize {
        let files = LogFiles::find(place.path()).expect("found");
        let mut n = 0;
        files.for_each(|_| n += 1).expect("read");
        n
    }

    #[test]
    fn a_half_line_is_repaired_wherever_it_was_cut() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = place(folder.path());
        let (log, repaired) = open(&place, Rotation::NEVER);
        assert_eq!(repaired.n_removed, 0);
        log.write(&line("a", "first")).expect("written");
        // Longer than a block, and with the ends of lines in it.
        let prompt = "x\n".repeat(50_000);
        log.write(&line("b", &prompt)).expect("written");
        drop(log);
        let whole = fs::read(place.path()).expect("read");
        let first = whole.iter().position(|&it| it == b'\n').expect("a line") + 1;
        for (cut, n_kept, n_removed) in [
            (1, 0, 1),
            // Without its end a line is whole nevertheless.
            (first - 1, 1, 0),
            (first, 1, 0),
            (first + 1, 1, 1),
            (first + 70_000, 1, 70_000),
            (whole.len() - 1, 2, 0),
            (whole.len(), 2, 0),
        ] {
            fs::write(place.path(), &whole[..cut]).expect("written");
            let (log, repaired) = open(&place, Rotation::NEVER);
            log.write(&line("c", "after")).expect("written");
            drop(log);
            assert_eq!(n_lines(&place), n_kept + 1, "cut at {cut}");
            assert_eq!(repaired.n_removed, n_removed, "cut at {cut}");
        }
    }

    #[test]
    fn a_log_goes_on_in_new_files_and_keeps_the_latest() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = place(folder.path());
        let rotation = Rotation {
            max_bytes: 1000,
            keep: Some(3),
        };
        let n_written = 50;
        for i in 0..n_written {
            // As with a restart in between.
            let (log, _) = open(&place, rotation);
            log.write(&line(&format!("dec_{i:03}"), "p"))
                .expect("written");
        }
        let numbers = place.numbers().expect("listed");
        assert_eq!(numbers.len(), 3, "{numbers:?}");
        let paths = numbers.iter().map(|&number| place.older(number));
        for path in paths.chain([place.path().to_owned()]) {
            let n_bytes = fs::metadata(&path).expect("a file").len();
            assert!(n_bytes > 0 && n_bytes <= 1000, "{path:?}: {n_bytes}");
        }
        let files = LogFiles::find(place.path()).expect("found");
        let mut ids = Vec::new();
        files
            .for_each(|line| match line {
                Line::Decision(line) => ids.push(line.id),
                Line::Feedback(_) => panic!("none was written"),
            })
            .expect("read");
        let first = n_written - ids.len();
        let expected: Vec<String> = (first..n_written).map(|i| format!("dec_{i:03}")).collect();
        assert_eq!(ids, expected);
    }

    #[test]
    fn lines_of_many_threads_stay_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = place(folder.path());
        let rotation = Rotation {
            max_bytes: 20_000,
            keep: None,
        };
        let (log, _) = open(&place, rotation);
        thread::scope(|scope| {
            for thread_idx in 0..4 {
                let log = &log;
                scope.spawn(move || {
                    for i in 0..100 {
                        let prompt = "p".repeat(i * 5);
                        let line = line(&format!("{thread_idx}-{i}"), &prompt);
                        log.write(&line).expect("written");
                    }
                });
            }
        });
        assert_eq!(n_lines(&place), 400);
        assert!(place.numbers().expect("listed").len() > 1);
    }

    #[test]
    fn one_server_writes_a_log() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = place(folder.path());
        let (_first, _) = open(&place, Rotation::NEVER);
        let error = LogWriter::open(&place, Rotation::NEVER).expect_err("held");
        assert!(error.to_string().contains("is being written by"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let place = place(folder.path());
        let _log = open(&place, Rotation::NEVER);
        let mode = fs::metadata(place.path())
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
