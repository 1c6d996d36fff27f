use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

/// What a program said.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What a program printed.
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What a program printed that has to have succeeded.
///
/// # Panics
/// If it failed; the panic shows what it said.
pub fn expect_success(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    stdout(output)
}

/// Checks that a text contains another.
///
/// # Panics
/// If it does not; the panic shows both.
#[track_caller]
pub fn assert_contains(text: &str, part: &str) {
    assert!(text.contains(part), "no `{part}` in: {text}");
}

/// Runs a program to its end with a text on its standard input.
///
/// # Panics
/// If it does not start.
pub fn run_with_input(command: &mut Command, stdin: &str) -> Output {
    let command = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut input = child.stdin.take().expect("it is piped");
    // A program that refuses its command line reads nothing, and closes the pipe.
    input.write_all(stdin.as_bytes()).ok();
    drop(input);
    child.wait_with_output().expect("the program ends")
}

/// The names of what a folder holds, sorted.
///
/// # Panics
/// If the folder cannot be listed.
pub fn file_names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder that can be listed");
    let mut names: Vec<String> = entries
        .map(|entry| {
            let name = entry.expect("an entry").file_name();
            name.to_string_lossy().into_owned()
        })
        .collect();
    names.sort();
    names
}
