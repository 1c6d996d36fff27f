use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use dataset::{DatasetDir, DatasetInfo, Part, Split};
use tempfile::TempDir;

/// A folder to run the program in, with no setting of the user's in reach.
pub(crate) struct Bench(TempDir);

impl Bench {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it is in the folder")).expect("made");
        fs::write(path, bytes).expect("written");
    }

    /// Runs the program; `vars` are set in its environment.
    pub(crate) fn run_with(&self, args: &[&str], vars: &[(&str, &str)]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_gen-sprout"))
            .args(args)
            .current_dir(self.0.path())
            .env_clear()
            // No test asks a hub but the one that it names.
            .env("HF_ENDPOINT", "http://127.0.0.1:9")
            .env("HF_HOME", self.path("hf"))
            .envs(vars.iter().copied())
            .output()
            .expect("the program starts")
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.run_with(args, &[])
    }

    /// Runs the program, which has to succeed.
    pub(crate) fn make(&self, args: &[&str]) -> Output {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
        output
    }

    /// Runs the program, which has to fail and to write nothing; its message is on one line.
    pub(crate) fn refuse(&self, args: &[&str], code: i32, expected: &str) {
        let output = self.run(args);
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {message}");
        assert!(message.contains(expected), "{args:?}: {message}");
        assert!(!self.path("data").exists(), "{args:?} wrote something");
    }

    pub(crate) fn dir(&self, name: &str) -> DatasetDir {
        DatasetDir::new(&self.path("data"), name)
    }

    pub(crate) fn read(&self, name: &str) -> (DatasetInfo, Split, Split) {
        let dir = self.dir(name);
        let split = |part| Split::read(&dir.split(part)).expect("a readable split");
        let info = DatasetInfo::read(&dir.info()).expect("readable");
        (info, split(Part::Train), split(Part::Test))
    }
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A file or folder beside the repository, where it is there.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared")
        .join(path);
    path.exists().then_some(path)
}
