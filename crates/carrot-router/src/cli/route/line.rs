//! What a line of a file or of standard input holds.

use anyhow::{Context as _, anyhow, bail};
use serde::{Deserialize, de::Error as _};
use serde_json::Value;

/// A line of JSON; other keys are ignored.
#[derive(Debug, Deserialize)]
pub(super) struct Line {
    pub(super) prompt: String,
    /// What the request is billed for, where it says so.
    #[serde(default)]
    pub(super) input_tokens: Option<u32>,
}

/// How a line holds a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A JSON object.
    Json,
    /// The prompt itself, unless the line begins like a JSON object.
    JsonOrText,
}

/// What a line holds, `None` for a blank one.
///
/// # Errors
/// With `place`, and what to do.
pub(super) fn read(bytes: Vec<u8>, form: Form, place: &str) -> anyhow::Result<Option<Line>> {
    let line = text(bytes, place)?;
    // Some editors begin a file with a byte order mark.
    let line = line.trim_start_matches('\u{feff}');
    let line = line.strip_suffix('\n').unwrap_or(line);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.trim().is_empty() {
        return Ok(None);
    }
    let is_json = form == Form::Json || line.trim_start().starts_with('{');
    let found = match is_json {
        true => of_json(line, form, place)?,
        false => Line {
            prompt: line.to_owned(),
            input_tokens: None,
        },
    };
    if found.prompt.trim().is_empty() {
        bail!("the prompt in {place} is empty");
    }
    Ok(Some(found))
}

fn text(bytes: Vec<u8>, place: &str) -> anyhow::Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let bytes = error.as_bytes();
        let is_utf16 = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
        let cure = match is_utf16 {
            true => "it looks like UTF-16; `iconv -f UTF-16 -t UTF-8` converts it",
            false => "convert it, for example with `iconv -f LATIN1 -t UTF-8`",
        };
        anyhow!("cannot read {place}: it is not UTF-8; {cure}")
    })
}

fn of_json(line: &str, form: Form, place: &str) -> anyhow::Result<Line> {
    let is_object = line.trim_start().starts_with('{');
    let error = match serde_json::from_str::<Line>(line) {
        // A list of one text would be read too, as the fields of the object in their order.
        Ok(line) if is_object => return Ok(line),
        Ok(_) => serde_json::Error::custom("it is a list"),
        Err(error) => error,
    };
    let cure = cure(line, form, &error);
    let cure = cure.map_or_else(String::new, |cure| format!("; {cure}"));
    Err(error).with_context(|| format!("{place} is not a JSON object with a string `prompt`{cure}"))
}

/// What helps, where that is known.
fn cure(line: &str, form: Form, error: &serde_json::Error) -> Option<String> {
    if let Ok(Value::Object(object)) = serde_json::from_str(line) {
        let has_prompt = object.get("prompt").is_some_and(Value::is_string);
        if let (true, Some(tokens)) = (has_prompt, object.get("input_tokens")) {
            return Some(format!(
                "its `input_tokens` is {tokens}, expected a whole number below 2^32, or leave it out"
            ));
        }
        let keys: Vec<String> = object
            .keys()
            .take(5)
            .map(|key| format!("`{key}`"))
            .collect();
        return match (object.contains_key("prompt"), &keys[..]) {
            (true, _) => None,
            (false, []) => Some("it is empty".to_owned()),
            (false, keys) => Some(format!(
                "it has {}; put the text that an LLM is to answer under `prompt`",
                keys.join(", ")
            )),
        };
    }
    let start = line.trim_start();
    let error = error.to_string();
    if error.contains("surrogate") || error.contains("hex escape") {
        return Some("half of a UTF-16 pair such as `\\ud83d` stands alone in it, which is no character; whatever wrote the file cut an emoji in two".to_owned());
    }
    if start.starts_with('[') {
        return Some(
            "it looks like an array; write one object per line, for example with `jq -c '.[]'`"
                .to_owned(),
        );
    }
    match form {
        Form::JsonOrText => Some(
            "a line that begins with `{` is taken for JSON, so write a prompt like that as {\"prompt\": \"{...\"}"
                .to_owned(),
        ),
        Form::Json if start.starts_with('{') => None,
        Form::Json => Some(
            "plain text, one prompt per line, is read from standard input; of a CSV file, convert the column of prompts"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], form: Form, expected: Result<Option<&str>, &str>) {
        let found = read(bytes.to_vec(), form, "line 2 of `p`");
        let found = found.map(|line| line.map(|line| line.prompt));
        let found = found.map_err(|error| format!("{error:#}"));
        match expected {
            Ok(expected) => assert_eq!(found.as_ref().map(Option::as_deref), Ok(expected)),
            Err(part) => {
                let message = found.expect_err("refused");
                assert!(message.contains("line 2 of `p`"), "{message}");
                assert!(message.contains(part), "{message}");
            }
        }
    }

    #[test]
    fn a_line_is_a_prompt() {
        use Form::{Json, JsonOrText};
        check(b" b \r\n", JsonOrText, Ok(Some(" b ")));
        check(b"\r\n", JsonOrText, Ok(None));
        check(b"a\0b\x1b[2J\n", JsonOrText, Ok(Some("a\0b\x1b[2J")));
        let json = b"{\"prompt\": \"a\\nb\\u0000\", \"id\": 3}\n";
        check(json, JsonOrText, Ok(Some("a\nb\0")));
        check("\u{feff}{\"prompt\":\"a\"}".as_bytes(), Json, Ok(Some("a")));
        check(
            b"{\"prompt\":\"\\ud83d\\ude00\"}",
            Json,
            Ok(Some("\u{1f600}")),
        );
    }

    #[test]
    fn a_line_may_say_its_input_tokens() {
        for (line, expected) in [
            ("{\"prompt\": \"a\", \"input_tokens\": 1530}", Some(1530)),
            ("{\"prompt\": \"a\", \"input_tokens\": null}", None),
            ("{\"prompt\": \"a\"}", None),
            ("a", None),
        ] {
            let found = read(line.into(), Form::JsonOrText, "a line").expect("read");
            assert_eq!(found.expect("a prompt").input_tokens, expected, "{line}");
        }
        for tokens in ["-1", "1.5", "4294967296", "\"12\""] {
            let line = format!("{{\"prompt\": \"a\", \"input_tokens\": {tokens}}}");
            let part = format!("its `input_tokens` is {tokens}, expected a whole number");
            check(line.as_bytes(), Form::Json, Err(&part));
        }
    }

    #[test]
    fn bad_lines_are_named_with_a_cure() {
        use Form::{Json, JsonOrText};
        check(b"plain", Json, Err("is read from standard input"));
        check(
            b"{{name}}, explain",
            JsonOrText,
            Err("write a prompt like that as"),
        );
        check(
            b"{\"text\": \"a\"}",
            Json,
            Err("it has `text`; put the text"),
        );
        check(
            b"{\"messages\": []}",
            Json,
            Err("it has `messages`; put the text"),
        );
        check(b"{}", Json, Err("missing field `prompt`"));
        check(b"{\"prompt\": 3}", Json, Err("expected a string"));
        check(b"{\"prompt\": \" \"}", Json, Err("is empty"));
        check(b"[{\"prompt\": \"a\"}]", Json, Err("jq -c"));
        check(b"[\"a\"]", Json, Err("it is a list"));
        check(b"{\"prompt\": \"a \\ud83d\"}", Json, Err("stands alone"));
        check(b"a\xff", JsonOrText, Err("it is not UTF-8; convert"));
        check(b"\xff\xfe{\0", Json, Err("it looks like UTF-16"));
    }
}
