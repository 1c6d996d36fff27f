use std::{
    env, fmt,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    process, thread,
    time::{Duration, SystemTime},
};

use crate::{
    folder::restore_replaced,
    interruption::{Listed, list},
    is_at, parent, sweep, sweep_tree,
};

/// The first word of a lock file, by which it is told from other programs' files of such a name.
pub(crate) const FIRST_WORD: &str = "carrot-lock ";
const SUFFIX: &str = ".lock";
/// A lock is looked at so often before it counts as held: a process that sweeps holds a dead one for a moment, and its holder needs one to
/// write who it is.
const N_LOOKS: usize = 4;
const BETWEEN_LOOKS: Duration = Duration::from_millis(25);
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// The right to write one file or folder, until it is dropped or the process ends, however it ends.
///
/// It is a lock of the operating system on `.<name>.lock` beside the place, a file that says who holds it and is removed with the lock. That
/// file alone means nothing: what a killed process left is taken over. Readers need no lock.
///
/// In a folder that cannot be written there is nothing to lock and no lock is taken, so that a program that only reads what is there works.
#[derive(Debug)]
pub struct Lock {
    _held: Option<Held>,
}

#[derive(Debug)]
struct Held {
    file: File,
    path: PathBuf,
    /// Folders that were made for it, the deepest first.
    made: Vec<PathBuf>,
    _listed: Listed,
}

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("`{}` is being written by {holder}; wait until that is done, or stop it", place.display())]
    Held {
        /// What both want to write.
        place: PathBuf,
        /// Who has it.
        holder: Holder,
    },
    /// The file system has no locks, as some network drives.
    #[error(
        "cannot lock `{}`: the file system has no locks, without which two programs could mix their files; use a folder on another disk",
        path.display()
    )]
    Unsupported {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Who holds a lock, as its file says: `gen-synthetic (process 4711 since Mon, 30 Nov 2026 09:00:00 GMT)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder(Option<String>);

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or("another process"))
    }
}

impl Lock {
    /// Locks a file or folder that is to be written, which need not exist. What killed processes left of it and beside it is removed.
    ///
    /// # Errors
    /// [`LockError::Held`] at once if another process has the lock; [`LockError::Unsupported`] or [`LockError::Io`].
    pub fn of(place: &Path) -> Result<Self, LockError> {
        for _ in 1..N_LOOKS {
            match Self::try_of(place) {
                Err(LockError::Held { .. }) => thread::sleep(BETWEEN_LOOKS),
                done => return done,
            }
        }
        Self::try_of(place)
    }

    /// The same, but waits while another process has the lock. `on_wait` is told once, before the wait.
    ///
    /// # Errors
    /// [`LockError::Unsupported`] or [`LockError::Io`].
    pub fn wait_for(place: &Path, on_wait: impl FnOnce(&Holder)) -> Result<Self, LockError> {
        let holder = match Self::of(place) {
            Err(LockError::Held { holder, .. }) => holder,
            done => return done,
        };
        on_wait(&holder);
        loop {
            match Self::try_of(place) {
                Err(LockError::Held { .. }) => thread::sleep(BETWEEN_TRIES),
                done => return done,
            }
        }
    }

    fn try_of(place: &Path) -> Result<Self, LockError> {
        // Under whichever of its names a place is written, its lock is the same.
        let real = fs::canonicalize(place);
        let real = real.as_deref().unwrap_or(place);
        let path = lock_path(real);
        let Some(held) = hold(&path, place)? else {
            return Ok(Self { _held: None });
        };
        let lock = Self { _held: Some(held) };
        sweep(parent(real));
        sweep_tree(real);
        restore_replaced(real).map_err(io_error("restore the older version of", real))?;
        Ok(lock)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Removed while it is locked, so that it is this process's own; whoever opened it meanwhile finds that it is gone and tries anew.
        #[cfg(unix)]
        if is_at(&self.file, &self.path).unwrap_or(false) {
            _ = fs::remove_file(&self.path);
        }
        _ = self.file.unlock();
        for folder in &self.made {
            // Refused unless it is empty.
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
    }
}

/// `None` where nothing can be written.
fn hold(path: &Path, place: &Path) -> Result<Option<Held>, LockError> {
    let folder = parent(path);
    loop {
        let made = missing_folders(folder);
        if let Err(error) = fs::create_dir_all(folder) {
            return unless_read_only(error, "create the folder", folder);
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = match options.open(path) {
            Ok(file) => file,
            // The folder had been made for the lock of another process, and was removed with it.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !folder.exists() => continue,
            Err(error) => return unless_read_only(error, "create", path),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held {
                    place: place.to_owned(),
                    holder: holder(&mut file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(cannot_lock(path, error)),
        }
        // The one who held it may have removed the file between our opening and our locking it.
        if !is_at(&file, path).map_err(io_error("read", path))? {
            continue;
        }
        // On a full disk the lock holds as well; only its holder is not known.
        _ = write_holder(&mut file);
        return Ok(Some(Held {
            file,
            path: path.to_owned(),
            made,
            _listed: list(path),
        }));
    }
}

fn lock_path(place: &Path) -> PathBuf {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    place.with_file_name(format!(".{name}{SUFFIX}"))
}

pub(crate) fn is_lock_name(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(SUFFIX)
}

/// The folder and those above it that do not exist, the deepest first.
fn missing_folders(folder: &Path) -> Vec<PathBuf> {
    let above = folder.ancestors();
    let missing = above.take_while(|it| !it.as_os_str().is_empty() && !it.exists());
    missing.map(Path::to_owned).collect()
}

fn unless_read_only(
    error: io::Error,
    action: &'static str,
    path: &Path,
) -> Result<Option<Held>, LockError> {
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Ok(None),
        _ => Err(io_error(action, path)(error)),
    }
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LockError {
    let path = path.to_owned();
    move |source| LockError::Io {
        action,
        path,
        source,
    }
}

/// Whether the file system has no locks, or something else is wrong.
fn cannot_lock(path: &Path, error: io::Error) -> LockError {
    #[cfg(unix)]
    let is_unsupported = {
        use rustix::io::Errno;
        // NFS without its lock service says the first; the last is what a folder of a container's host may say.
        let errors = [
            Errno::NOLCK,
            Errno::NOSYS,
            Errno::OPNOTSUPP,
            Errno::NOTSUP,
            Errno::INVAL,
        ];
        errors
            .map(|it| Some(it.raw_os_error()))
            .contains(&error.raw_os_error())
    };
    #[cfg(not(unix))]
    let is_unsupported = false;
    match is_unsupported || error.kind() == io::ErrorKind::Unsupported {
        true => LockError::Unsupported {
            path: path.to_owned(),
            source: error,
        },
        false => io_error("lock", path)(error),
    }
}

fn write_holder(file: &mut File) -> io::Result<()> {
    let program = env::current_exe().ok();
    let program = program.as_deref().and_then(Path::file_stem);
    let program = program.map_or("a program".into(), |name| name.to_string_lossy());
    let since = httpdate::fmt_http_date(SystemTime::now());
    let text = format!(
        "{FIRST_WORD}{program} (process {}, since {since})\n",
        process::id()
    );
    // The new text first: at no moment is the file without one.
    file.rewind()?;
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)
}

/// Who holds a lock, as far as the file says so; some systems let no one read a locked file.
fn holder(file: &mut File) -> Holder {
    let mut text = String::new();
    let is_read = file.take(1024).read_to_string(&mut text).is_ok();
    let line = text.lines().next().filter(|_| is_read);
    let named = line.and_then(|line| line.strip_prefix(FIRST_WORD));
    Holder(named.map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("listed").flatten();
        entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn the_second_is_told_who_holds_the_lock_and_gets_it_afterwards() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let place = root.path().join("data/mine");
        let lock = Lock::of(&place).expect("free");
        let error = Lock::of(&place).expect_err("held").to_string();
        for part in [
            "`".to_owned() + &place.display().to_string() + "` is being written by ",
            format!("(process {}, since ", process::id()),
            " GMT)".to_owned(),
        ] {
            assert!(error.contains(&part), "{error}");
        }
        Lock::of(&place.with_file_name("other")).expect("another place is free");
        let waiting = thread::spawn({
            let place = place.clone();
            move || {
                let mut told = None;
                let lock = Lock::wait_for(&place, |holder| told = Some(holder.to_string()));
                drop(lock.expect("free in the end"));
                told
            }
        });
        thread::sleep(BETWEEN_LOOKS * 10);
        drop(lock);
        let told = waiting.join().expect("no panic").expect("it had to wait");
        assert!(told.contains(&process::id().to_string()), "{told}");
        assert_eq!(names(root.path()), [""; 0], "the folder was made for it");
    }

    #[test]
    fn a_lock_file_without_a_holder_is_taken_over() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let place = root.path().join("mine");
        let file = root.path().join(".mine.lock");
        for left in [
            "",
            "carrot-lock gen-synthetic (process 1, since long ago)\n and a much longer text behind it",
        ] {
            fs::write(&file, left).expect("written");
            let lock = Lock::of(&place).expect("no process holds it");
            let text = fs::read_to_string(&file).expect("read");
            assert!(text.ends_with(" GMT)\n"), "{text}");
            assert!(text.contains(&process::id().to_string()), "{text}");
            drop(lock);
            assert_eq!(names(root.path()), [""; 0]);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_place_has_one_lock_under_all_its_names() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let (real, link) = (root.path().join("real"), root.path().join("link"));
        fs::create_dir(&real).expect("made");
        std::os::unix::fs::symlink(&real, &link).expect("linked");
        let _lock = Lock::of(&link).expect("free");
        assert!(matches!(Lock::of(&real), Err(LockError::Held { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_system_without_locks_is_an_error_that_says_so() {
        use rustix::io::Errno;
        for (errno, part) in [
            (Errno::NOLCK, "the file system has no locks"),
            (Errno::NOSYS, "the file system has no locks"),
            (Errno::OPNOTSUPP, "the file system has no locks"),
            (Errno::IO, "cannot lock `x`"),
        ] {
            let error = cannot_lock(Path::new("x"), errno.into()).to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_lock_removes_what_killed_processes_left() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let place = root.path().join("mine");
        fs::create_dir_all(place.join("deep")).expect("made");
        let live = crate::TemporaryFile::create_in(root.path()).expect("created");
        let live_folder = crate::TemporaryFolder::create_in(&place).expect("created");
        for (name, is_left) in [
            (".partial-abc123", false),
            ("mine/.partial-Zyx987", false),
            ("mine/deep/.partial-000000", false),
            (".partial-of-mine", true),
            (".partial-", true),
            ("partial-abc123", true),
            ("mine/deep/file", true),
        ] {
            let path = root.path().join(name);
            fs::write(&path, "").expect("written");
            drop(Lock::of(&place).expect("free"));
            assert_eq!(path.exists(), is_left, "{name}");
        }
        let dead = root.path().join(".partial-folder");
        fs::create_dir_all(dead.join("inner")).expect("made");
        for (name, text, is_left) in [
            (".other.lock", "carrot-lock x (process 1, since y)\n", false),
            (".empty.lock", "", false),
            (".cargo.lock", "of another program", true),
        ] {
            let path = root.path().join(name);
            fs::write(&path, text).expect("written");
            drop(Lock::of(&place).expect("free"));
            assert_eq!(path.exists(), is_left, "{name}");
        }
        assert!(!dead.exists(), "a folder, with what is in it");
        assert!(live.path().exists() && live_folder.path().exists());
    }
}
