use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use crate::Bench;

/// All levels of the programs' logs.
pub const LOG_LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// Texts that a test plants as keys, tokens and passwords, none of which may be shown or written.
#[derive(Debug, Clone, Copy)]
pub struct Planted(pub &'static [&'static str]);

impl Planted {
    /// Looks through what a run said and through every file in its folder but `.env`.
    ///
    /// # Panics
    /// When one of them has a planted text, with the place and what is around it.
    pub fn assert_hidden(&self, bench: &Bench, output: &Output, case: &str) {
        self.check(&output.stdout, case);
        self.check(&output.stderr, case);
        for path in files(bench.path()) {
            let bytes = fs::read(&path).expect("a file");
            self.check(&bytes, &path.display().to_string());
        }
    }

    fn check(&self, bytes: &[u8], place: &str) {
        let text = String::from_utf8_lossy(bytes);
        for planted in self.0 {
            let around = text.find(planted).map(|at| {
                let before: Vec<char> = text[..at].chars().rev().take(80).collect();
                let after = text[at..].chars().take(120);
                before.into_iter().rev().chain(after).collect::<String>()
            });
            assert_eq!(around, None, "{place}");
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() && path.file_name() != Some(".env".as_ref()) {
            found.push(path);
        }
    }
    found
}
