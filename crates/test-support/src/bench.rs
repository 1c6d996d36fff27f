use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use dataset::{DatasetDir, DatasetInfo, Part, PartTable};
use tempfile::TempDir;

use crate::{expect_success, file_names, stderr};

/// How the variables begin by which the programs and the libraries below them are configured.
const PREFIXES: [&str; 6] = [
    "AZURE_OPENAI_",
    "CARROT_",
    "HF_",
    "HUGGING_FACE_",
    "OPENAI_",
    "TRANSFORMERS_",
];

/// Where in the folder the hub's files are kept.
const CACHE: &str = "hf";

/// A temporary folder to run one built program in, out of reach of the user's settings and of the network.
///
/// The program inherits the environment except for the variables that configure it (`CARROT_*`, `HF_*`, `HUGGING_FACE_*`, `OPENAI_*`,
/// `TRANSFORMERS_*`) and proxies, which would stand between it and a server on this machine. The hub is off, its cache is in the
/// folder, and there is one OpenMP thread, because on tiny networks several only wait for one another.
///
/// ```no_run
/// use test_support::Bench;
///
/// // In a test of the program: `Bench::new(env!("CARGO_BIN_EXE_gen-custom"))`.
/// let bench = Bench::new("target/debug/gen-custom");
/// bench.write("table.csv", "id,prompt,m/score,m/cost_usd\n");
/// bench.refuse(&["--input", "table.csv", "--name", "mine"], 1, "has no rows");
/// ```
#[derive(Debug)]
pub struct Bench {
    folder: TempDir,
    program: PathBuf,
    variables: Vec<(String, OsString)>,
}

impl Bench {
    /// An empty folder for the program at this path.
    ///
    /// # Panics
    /// If the system refuses a temporary folder.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let cache = folder.path().join(CACHE);
        Self {
            folder,
            program: program.into(),
            variables: Vec::new(),
        }
        .var("HF_HUB_OFFLINE", "1")
        .var("HF_HOME", cache)
        .var("OMP_NUM_THREADS", "1")
    }

    /// With a variable in the environment of every run.
    #[must_use]
    pub fn var(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.set_var(name, value);
        self
    }

    /// With a hub at this address, such as that of a [`crate::Hub`].
    #[must_use]
    pub fn hub(self, url: &str) -> Self {
        self.var("HF_HUB_OFFLINE", "0").var("HF_ENDPOINT", url)
    }

    /// Sets a variable for all later runs.
    pub fn set_var(&mut self, name: &str, value: impl Into<OsString>) {
        self.variables.push((name.to_owned(), value.into()));
    }

    /// The folder, which is the program's working folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A path in the folder.
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path().join(name)
    }

    /// Writes a file into the folder, and the folders above it.
    ///
    /// # Panics
    /// If the system refuses.
    pub fn write(&self, name: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
        let path = self.join(name);
        let parent = path.parent().expect("it lies in the folder");
        fs::create_dir_all(parent).expect("its folder is created");
        fs::write(&path, bytes).unwrap_or_else(|error| panic!("`{}`: {error}", path.display()));
    }

    /// The program with these arguments, ready to start.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).current_dir(self.path());
        for (name, _) in env::vars_os().filter(|(name, _)| is_setting(&name.to_string_lossy())) {
            command.env_remove(name);
        }
        let variables = self.variables.iter().map(|(name, value)| (name, value));
        command.envs(variables);
        command
    }

    /// Runs the program.
    ///
    /// # Panics
    /// If it does not start.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the program starts")
    }

    /// Runs the program, which has to succeed.
    ///
    /// # Panics
    /// If it fails; the panic shows what it said.
    pub fn succeed(&self, args: &[&str]) -> Output {
        let output = self.run(args);
        expect_success(&output);
        output
    }

    /// Runs the program, which has to fail with this code, to print nothing and to leave no file behind; returns its message, which has
    /// to contain `part`.
    ///
    /// # Panics
    /// If it does otherwise.
    pub fn refuse(&self, args: &[&str], code: i32, part: &str) -> String {
        let before = self.files();
        let output = self.run(args);
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {message}");
        assert!(
            one_line(&message).contains(&one_line(part)),
            "{args:?}: no `{part}` in: {message}"
        );
        assert!(output.stdout.is_empty(), "{args:?} printed something");
        assert_eq!(self.files(), before, "{args:?} left files behind");
        message
    }

    /// All files in the folder but those of the hub's cache, sorted.
    fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for name in file_names(&folder) {
                let path = folder.join(name);
                if path == self.join(CACHE) {
                    continue;
                } else if path.is_dir() && !path.is_symlink() {
                    folders.push(path);
                } else {
                    files.push(path);
                }
            }
        }
        files.sort();
        files
    }

    /// A data set under `data/`, existing or not.
    pub fn dataset(&self, name: &str) -> DatasetDir {
        DatasetDir::new(&self.join("data"), name)
    }

    /// What is in a data set under `data/`: its description, train and test rows.
    ///
    /// # Panics
    /// If a file is missing or unreadable.
    pub fn read(&self, name: &str) -> (DatasetInfo, PartTable, PartTable) {
        let dir = self.dataset(name);
        let split = |part| PartTable::read(&dir.split(part)).expect("a readable split");
        let info = DatasetInfo::read(&dir.info()).expect("a readable description");
        (info, split(Part::Train), split(Part::Test))
    }
}

/// A text without its line breaks, which clap places by the width of the terminal.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a variable could change what a program under test does.
fn is_setting(name: &str) -> bool {
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || name.to_ascii_uppercase().ends_with("_PROXY")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stdout;

    #[test]
    fn settings_of_the_user_do_not_reach_a_program() {
        for (name, expected) in [
            ("CARROT_DATA_DIR", true),
            ("HF_TOKEN", true),
            ("OPENAI_API_KEY", true),
            ("https_proxy", true),
            ("HTTP_PROXY", true),
            ("PATH", false),
            ("LD_LIBRARY_PATH", false),
            ("OMP_NUM_THREADS", false),
        ] {
            assert_eq!(is_setting(name), expected, "{name}");
        }
    }

    #[test]
    fn a_program_runs_in_its_folder_with_the_given_variables() {
        let bench = Bench::new("sh").var("GREETING", "hello");
        bench.write("a/b.txt", "text");
        let print = |bench: &Bench, script| stdout(&bench.succeed(&["-c", script]));
        let text = print(&bench, "cat a/b.txt; printf %s $GREETING$HF_HUB_OFFLINE");
        assert_eq!(text, "texthello1");
        let bench = bench.hub("http://127.0.0.1:9");
        let text = print(&bench, "printf %s $HF_HUB_OFFLINE$HF_ENDPOINT");
        assert_eq!(text, "0http://127.0.0.1:9");
        let message = bench.refuse(&["-c", "echo no such thing >&2; exit 2"], 2, "such");
        assert_eq!(message, "no such thing\n");
    }

    #[test]
    #[should_panic(expected = "left files behind")]
    fn a_refused_run_that_writes_is_caught() {
        let bench = Bench::new("sh");
        bench.refuse(&["-c", "mkdir data; touch data/x; exit 1"], 1, "");
    }
}
