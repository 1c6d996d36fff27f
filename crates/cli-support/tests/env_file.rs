//! `.env` as a program finds it. The program is this test binary once more, in a folder of its own.

use std::{
    env, fs,
    process::{Command, Output},
};

use clap::Parser;
use cli_support::DataDir;

const IS_CHILD: &str = "CLI_SUPPORT_TEST_IS_CHILD";

#[derive(Parser)]
struct Args {
    #[command(flatten)]
    data: DataDir,
    /// What the test harness was given
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _harness: Vec<String>,
}

/// What [`program`] runs; nothing in the tests' own process.
#[test]
fn another_process() {
    if env::var_os(IS_CHILD).is_none() {
        return;
    }
    let code = cli_support::run(
        |_| false,
        |args: Args| {
            let key = env::var("OPENAI_API_KEY").unwrap_or_default();
            cli_support::print_text(&format!("<{}|{key}>", args.data.data_dir.display()))
        },
    );
    assert_eq!(code, std::process::ExitCode::SUCCESS);
}

/// Runs in `inner/` below a folder with this `.env`; gives what was printed, and the logs.
fn program(env_file: &str, vars: &[(&str, &str)]) -> (String, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).expect("made");
    fs::write(folder.path().join(".env"), env_file).expect("written");
    let Output { stdout, stderr, .. } = Command::new(env::current_exe().expect("this program"))
        .args(["another_process", "--exact", "--nocapture"])
        .current_dir(inner)
        .env_remove("CARROT_DATA_DIR")
        .env_remove("CARROT_LOG")
        .env_remove("OPENAI_API_KEY")
        .env(IS_CHILD, "1")
        .envs(vars.iter().copied())
        .output()
        .expect("run");
    let stdout = String::from_utf8(stdout).expect("text");
    let start = stdout.find('<').unwrap_or_else(|| panic!("{stdout}"));
    let end = stdout.find('>').expect("it was printed whole");
    let logs = String::from_utf8(stderr).expect("text");
    (stdout[start + 1..end].to_owned(), logs)
}

#[test]
fn the_file_above_is_read_before_the_flags_and_the_environment_wins() {
    let file = "CARROT_DATA_DIR=from-file\nOPENAI_API_KEY='sk-file'\n";
    for (vars, expected) in [
        (&[][..], "from-file|sk-file"),
        (&[("CARROT_DATA_DIR", "set")], "set|sk-file"),
        (&[("OPENAI_API_KEY", "")], "from-file|"),
    ] {
        let (printed, logs) = program(file, vars);
        assert_eq!(printed, expected);
        // Which file decides is told, and what it decides, but no value.
        assert!(
            logs.contains("a folder above sets `") && !logs.contains("sk-"),
            "{logs}"
        );
    }
}

#[test]
fn a_malformed_line_is_named_but_not_shown() {
    let file = "# keys\nOPENAI_API_KEY=sk secret\nCARROT_DATA_DIR=from-file\n";
    let (printed, logs) = program(file, &[]);
    assert_eq!(printed, "from-file|");
    assert!(
        logs.contains("WARN line 2 of `") && logs.contains(".env` is not `NAME=value`"),
        "{logs}"
    );
    assert!(!logs.contains("secret"), "{logs}");
    // The level, too, may come from the file.
    let (_, logs) = program(&format!("CARROT_LOG=error\n{file}"), &[]);
    assert_eq!(logs, "");
}

#[test]
fn a_nul_is_reported_rather_than_set() {
    // The standard library panics when a variable is set to such a value.
    let file = "OPENAI_API_KEY=sk-\0secret\nCARROT_DATA_DIR=from-file\n";
    let (printed, logs) = program(file, &[]);
    assert_eq!(printed, "from-file|");
    assert!(logs.contains("WARN line 1 of `"), "{logs}");
    assert!(!logs.contains("secret"), "{logs}");
}
