use std::{
    fs::File,
    io::{self, BufRead, BufReader, IsTerminal as _},
    path::Path,
};

use anyhow::{Context as _, bail};
use cli_support::usage_error;
use serde::Deserialize;
use tracing::info;

/// A line of JSON; other keys are ignored.
#[derive(Debug, Deserialize)]
struct Line {
    prompt: String,
}

/// How a line holds a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A JSON object.
    Json,
    /// The prompt itself, unless the line begins like a JSON object.
    JsonOrText,
}

/// Where prompts come from.
pub(super) enum Prompts {
    /// The command line.
    Given(String),
    /// A file that was opened, with its name.
    File(BufReader<File>, String),
    /// Standard input.
    Stdin,
}

impl Prompts {
    /// The prompt given, the file, or standard input.
    pub(super) fn find(prompt: Option<String>, file: Option<&Path>) -> anyhow::Result<Self> {
        match (prompt, file) {
            (Some(prompt), _) if prompt.trim().is_empty() => {
                Err(usage_error("the prompt is empty"))
            }
            (Some(prompt), _) => Ok(Self::Given(prompt)),
            (None, Some(path)) => {
                let name = format!("`{}`", path.display());
                let file = File::open(path).with_context(|| format!("cannot read {name}"))?;
                Ok(Self::File(BufReader::new(file), name))
            }
            (None, None) => Ok(Self::Stdin),
        }
    }

    /// Reads them all; at least one.
    pub(super) fn read(self) -> anyhow::Result<Vec<String>> {
        match self {
            Self::Given(prompt) => Ok(vec![prompt]),
            Self::File(file, name) => lines(file, Form::Json, &name),
            Self::Stdin => {
                if io::stdin().is_terminal() {
                    info!("reading prompts from standard input, one per line");
                }
                lines(io::stdin().lock(), Form::JsonOrText, "standard input")
            }
        }
    }
}

fn lines(reader: impl BufRead, form: Form, source: &str) -> anyhow::Result<Vec<String>> {
    let mut prompts = Vec::new();
    for (line_idx, line) in reader.lines().enumerate() {
        let at = || format!("line {} of {source}", line_idx + 1);
        let line = line.with_context(|| format!("cannot read {}", at()))?;
        // Some editors begin a file with a byte order mark.
        let line = line.trim_start_matches('\u{feff}');
        if line.trim().is_empty() {
            continue;
        }
        let is_json = form == Form::Json || line.trim_start().starts_with('{');
        let prompt = match is_json {
            true => {
                let line: Line = serde_json::from_str(line).with_context(|| {
                    format!("{} is not a JSON object with a string `prompt`", at())
                })?;
                line.prompt
            }
            false => line.to_owned(),
        };
        if prompt.trim().is_empty() {
            bail!("the prompt in {} is empty", at());
        }
        prompts.push(prompt);
    }
    if prompts.is_empty() {
        bail!("{source} contains no prompt");
    }
    Ok(prompts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &[u8], form: Form, expected: Result<&[&str], &str>) {
        let found = lines(text, form, "`p`").map_err(|error| format!("{error:#}"));
        match expected {
            Ok(expected) => assert_eq!(
                found.as_deref(),
                Ok(&expected
                    .iter()
                    .map(|it| (*it).to_owned())
                    .collect::<Vec<_>>()[..])
            ),
            Err(part) => {
                let message = found.expect_err("refused");
                assert!(message.contains(part), "{message}");
            }
        }
    }

    #[test]
    fn each_line_is_a_prompt() {
        use Form::{Json, JsonOrText};
        check(b"a\n\n b \r\n", JsonOrText, Ok(&["a", " b "]));
        check(
            b"{\"prompt\": \"a\\nb\", \"id\": 3}\nplain\n",
            JsonOrText,
            Ok(&["a\nb", "plain"]),
        );
        check(
            "\u{feff}{\"prompt\":\"a\"}\n\n{\"prompt\":\"b\"}".as_bytes(),
            Json,
            Ok(&["a", "b"]),
        );
    }

    #[test]
    fn bad_lines_are_named() {
        use Form::{Json, JsonOrText};
        check(b"", JsonOrText, Err("`p` contains no prompt"));
        check(b"\n \n", Json, Err("`p` contains no prompt"));
        check(b"plain", Json, Err("line 1 of `p` is not a JSON object"));
        check(
            b"a\n{b",
            JsonOrText,
            Err("line 2 of `p` is not a JSON object"),
        );
        check(b"{\"text\": \"a\"}", Json, Err("missing field `prompt`"));
        check(b"{\"prompt\": 3}", Json, Err("expected a string"));
        check(
            b"{\"prompt\": \" \"}",
            Json,
            Err("the prompt in line 1 of `p` is empty"),
        );
        check(b"a\n\xff", JsonOrText, Err("cannot read line 2 of `p`"));
    }
}
