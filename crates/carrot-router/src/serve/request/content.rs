//! What a decision needs to know of a request's body: the text that decides, what else an LLM is billed for, and what it must be able to do.

use embeddings::count_tokens;
use serde::Deserialize;
use serde_json::Value;

use super::{Format, Incoming};
use crate::serve::error::ApiError;

/// So much of what surrounds the deciding text is counted; of longer surroundings the rest is taken to have as many tokens per byte.
const COUNTED_BYTES: usize = 32 * 1024;
/// Tokens around each message, as OpenAI documents for its chat models.
const TOKENS_PER_MESSAGE: usize = 4;
/// A picture at OpenAI's high detail: four tiles of 170 and 85 for the whole.
const TOKENS_PER_IMAGE: usize = 765;
/// Of a recording: bytes of base64 per token, at 16 kHz, 16 bits and ten tokens a second.
const AUDIO_BYTES_PER_TOKEN: usize = 4_267;

/// Which text of a conversation decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecidingText {
    /// The last thing that the user said.
    LastUserTurn,
    /// All that the user said.
    UserTurns,
}

/// How a request is read for a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) deciding: DecidingText,
    /// Names of tags. What stands between such a tag and its end was put there by a program and not by the user.
    pub(crate) ignored_blocks: Vec<String>,
}

/// What an LLM must be able to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// See pictures.
    Images,
    /// Hear recordings, or answer in them.
    Audio,
    /// Read documents.
    Files,
    /// Call tools.
    Tools,
    /// Answer in a given JSON schema.
    JsonSchema,
}

/// What was found in a request's body.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Content {
    /// The text that decides; empty where the user said nothing in words.
    pub(crate) prompt: String,
    /// Input tokens of everything else.
    pub(crate) n_context_tokens: usize,
    /// The longest answer that the client takes.
    pub(crate) max_output_tokens: usize,
    pub(crate) needs: Vec<Need>,
}

impl Need {
    /// In words.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Images => "images",
            Self::Audio => "audio",
            Self::Files => "files",
            Self::Tools => "tools",
            Self::JsonSchema => "json-schema",
        }
    }
}

impl Content {
    /// Reads a body that is JSON.
    pub(crate) fn read(incoming: &Incoming, reading: &Reading) -> Result<Self, ApiError> {
        // Half of a surrogate pair is JSON, and no text.
        let body: Value = serde_json::from_slice(&incoming.body).map_err(|error| {
            ApiError::invalid(None, format!("the body cannot be read: {error}"))
        })?;
        Found::read(incoming.format, &body, reading)
    }

    /// Input tokens of all of it.
    pub(crate) fn n_input_tokens(&self) -> usize {
        self.n_context_tokens + count(&self.prompt)
    }
}

/// What is gathered on the way through a body.
#[derive(Debug, Default)]
struct Found {
    /// What the user said, turn by turn.
    user_turns: Vec<String>,
    /// All other text, such as system prompts, answers, and results and definitions of tools.
    others: Vec<String>,
    n_messages: usize,
    n_tokens: usize,
    needs: Vec<Need>,
}

impl Found {
    fn read(format: Format, body: &Value, reading: &Reading) -> Result<Content, ApiError> {
        let mut found = Self::default();
        let messages = match format {
            Format::Chat | Format::Messages => "messages",
            Format::Responses => "input",
        };
        match &body[messages] {
            Value::Array(all) => all.iter().for_each(|it| found.message(it, reading)),
            Value::String(text) if format == Format::Responses => found.user(text, reading),
            _ => {
                return Err(ApiError::invalid(
                    Some(messages),
                    format!("`{messages}` is missing, or not a list"),
                ));
            }
        }
        for key in ["system", "instructions"] {
            found.others(&body[key]);
        }
        for key in ["tools", "functions"] {
            if body[key].as_array().is_some_and(|all| !all.is_empty()) {
                found.need(Need::Tools);
                found.others.push(body[key].to_string());
            }
        }
        for pointer in [
            "/response_format",
            "/text/format",
            "/output_format",
            "/output_config/format",
        ] {
            let form = body.pointer(pointer).unwrap_or(&Value::Null);
            if form["type"] == "json_schema" {
                found.need(Need::JsonSchema);
                found.others.push(form.to_string());
            }
        }
        let modalities = body["modalities"].as_array();
        if modalities.is_some_and(|all| all.iter().any(|it| it == "audio")) {
            found.need(Need::Audio);
        }
        Ok(found.content(body, reading))
    }

    fn content(mut self, body: &Value, reading: &Reading) -> Content {
        let prompt = match reading.deciding {
            DecidingText::LastUserTurn => self.user_turns.pop().unwrap_or_default(),
            DecidingText::UserTurns => std::mem::take(&mut self.user_turns).join("\n\n"),
        };
        // A single message is a bare prompt, whose tokens the router expects by itself.
        let n_around = match self.n_messages {
            0 | 1 => 0,
            n => n * TOKENS_PER_MESSAGE,
        };
        let texts = self.user_turns.iter().chain(&self.others);
        let n_context_tokens = self.n_tokens + n_around + count_all(texts);
        let limits = ["max_completion_tokens", "max_tokens", "max_output_tokens"];
        let limit = limits.iter().find_map(|key| body[*key].as_u64());
        Content {
            prompt,
            n_context_tokens,
            max_output_tokens: usize::try_from(limit.unwrap_or(0)).unwrap_or(usize::MAX),
            needs: self.needs,
        }
    }

    fn message(&mut self, message: &Value, reading: &Reading) {
        self.n_messages += 1;
        let is_user = message["role"] == "user"
            && (message["type"].is_null() || message["type"] == "message");
        let mut said = Vec::new();
        match &message["content"] {
            Value::String(text) => said.push(text.as_str()),
            Value::Array(parts) => {
                for part in parts {
                    said.extend(self.part(part));
                }
            }
            _ => {}
        }
        if is_user {
            self.user(&said.join("\n"), reading);
        } else {
            self.others.extend(said.into_iter().map(str::to_owned));
        }
        // What an LLM asked of tools, and what those answered where they are items of their own.
        for key in ["tool_calls", "arguments", "output"] {
            self.others(&message[key]);
        }
    }

    /// A part of a message; returns what it says in words.
    fn part<'v>(&mut self, part: &'v Value) -> Option<&'v str> {
        match part["type"].as_str() {
            Some("text" | "input_text" | "output_text") => return part["text"].as_str(),
            Some("image_url" | "input_image" | "image") => {
                self.n_tokens += TOKENS_PER_IMAGE;
                self.need(Need::Images);
            }
            Some("input_audio") => {
                let data = part["input_audio"]["data"].as_str().unwrap_or_default();
                self.n_tokens += data.len() / AUDIO_BYTES_PER_TOKEN;
                self.need(Need::Audio);
            }
            Some("file" | "input_file" | "document") => self.need(Need::Files),
            Some("tool_result") => match &part["content"] {
                Value::Array(parts) => {
                    for part in parts {
                        let text = self.part(part).map(str::to_owned);
                        self.others.extend(text);
                    }
                }
                content => self.others(content),
            },
            _ => self.others(part),
        }
        None
    }

    /// A turn of the user's; what programs put into it counts as context.
    fn user(&mut self, text: &str, reading: &Reading) {
        let (said, blocks) = without_blocks(text, &reading.ignored_blocks);
        self.others.extend(blocks);
        if !said.trim().is_empty() {
            self.user_turns.push(said.trim().to_owned());
        }
    }

    fn others(&mut self, value: &Value) {
        match value {
            Value::Null => {}
            Value::String(text) => self.others.push(text.clone()),
            value => self.others.push(value.to_string()),
        }
    }

    fn need(&mut self, need: Need) {
        if !self.needs.contains(&need) {
            self.needs.push(need);
        }
    }
}

/// A text without the blocks between certain tags, and those blocks. A tag without its end stays where it is.
fn without_blocks(text: &str, tags: &[String]) -> (String, Vec<String>) {
    let (mut rest, mut blocks) = (text.to_owned(), Vec::new());
    for tag in tags {
        let (begin, end) = (format!("<{tag}"), format!("</{tag}>"));
        let mut from = 0;
        while let Some(at) = rest[from..].find(&begin).map(|at| from + at) {
            let after = rest[at + begin.len()..].chars().next();
            let is_whole = after.is_some_and(|next| next == '>' || next.is_whitespace());
            let close = rest[at..].find(&end).map(|close| at + close + end.len());
            match close.filter(|_| is_whole) {
                Some(close) => {
                    blocks.push(rest[at..close].to_owned());
                    rest.replace_range(at..close, "");
                    from = at;
                }
                None => from = at + begin.len(),
            }
        }
    }
    (rest, blocks)
}

fn count_all<'t>(texts: impl Iterator<Item = &'t String>) -> usize {
    let mut left = COUNTED_BYTES;
    let (mut n_counted, mut n_tokens, mut n_bytes) = (0, 0, 0);
    for text in texts {
        n_bytes += text.len();
        if left > 0 {
            let part = &text[..text.floor_char_boundary(left)];
            n_tokens += count_tokens(part);
            n_counted += part.len();
            left -= part.len().min(left);
            if part.len() < text.len() {
                left = 0;
            }
        }
    }
    match n_counted {
        0 => n_bytes / 4,
        _ => (n_tokens as f64 * n_bytes as f64 / n_counted as f64).round() as usize,
    }
}

/// Tokens of one text.
fn count(text: &str) -> usize {
    count_all([text.to_owned()].iter())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;

    fn reading() -> Reading {
        Reading {
            deciding: DecidingText::LastUserTurn,
            ignored_blocks: vec!["system-reminder".to_owned()],
        }
    }

    fn content(format: Format, mut body: Value) -> Content {
        body["model"] = json!("carrot");
        let incoming = Incoming::read(format, Bytes::from(body.to_string())).expect("a request");
        Content::read(&incoming, &reading()).expect("content")
    }

    #[test]
    fn the_last_user_turn_decides_whatever_surrounds_it() {
        let bare = content(
            Format::Chat,
            json!({"messages": [{"role": "user", "content": "Why is the sky blue?"}]}),
        );
        assert_eq!(bare.prompt, "Why is the sky blue?");
        assert_eq!(bare.n_context_tokens, 0);
        let full = content(
            Format::Chat,
            json!({"messages": [
                {"role": "system", "content": "You are a pirate. ".repeat(50)},
                {"role": "user", "content": "Hello"},
                {"role": "assistant", "content": null, "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": "1", "content": "a long result ".repeat(50)},
                {"role": "user", "content": [
                    {"type": "text", "text": "<system-reminder>be quick</system-reminder>"},
                    {"type": "text", "text": "Why is the sky blue?"}
                ]},
                {"role": "tool", "tool_call_id": "2", "content": "another"}
            ], "max_tokens": 17}),
        );
        assert_eq!(full.prompt, bare.prompt);
        assert!(full.n_context_tokens > 350, "{full:?}");
        assert_eq!((full.max_output_tokens, &full.needs[..]), (17, &[][..]));
        let whole = full.n_input_tokens() - full.n_context_tokens;
        assert_eq!(whole, count_tokens("Why is the sky blue?"));
    }

    #[test]
    fn other_formats_have_their_own_places() {
        let messages = content(
            Format::Messages,
            json!({"system": [{"type": "text", "text": "be brief"}], "max_tokens": 5, "messages": [
                {"role": "user", "content": "What is 2 + 2?"},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "f", "input": {}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "four"}]}
            ]}),
        );
        assert_eq!(messages.prompt, "What is 2 + 2?");
        let plain = content(
            Format::Responses,
            json!({"input": "Hi", "instructions": "be brief"}),
        );
        assert_eq!(plain.prompt, "Hi");
        assert!(plain.n_context_tokens > 0);
        let items = content(
            Format::Responses,
            json!({"input": [
                {"role": "user", "content": [{"type": "input_text", "text": "Look"}, {"type": "input_image", "image_url": "data:"}]},
                {"type": "function_call", "name": "f", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "1", "output": "x"}
            ]}),
        );
        assert_eq!(items.prompt, "Look");
        assert_eq!(items.needs, [Need::Images]);
    }

    #[test]
    fn what_an_llm_must_be_able_to_do_is_found() {
        let found = content(
            Format::Chat,
            json!({"messages": [{"role": "user", "content": [
                    {"type": "image_url", "image_url": {"url": "x"}}, {"type": "image_url", "image_url": {"url": "x"}},
                    {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}, {"type": "file", "file": {}}
                ]}], "tools": [{"type": "function"}], "response_format": {"type": "json_schema", "json_schema": {}}}),
        );
        let expected = [
            Need::Images,
            Need::Audio,
            Need::Files,
            Need::Tools,
            Need::JsonSchema,
        ];
        assert_eq!(found.needs, expected);
        assert_eq!(found.prompt, "");
        assert!(found.n_context_tokens > 2 * TOKENS_PER_IMAGE);
        let plain =
            json!({"messages": [], "tools": [], "response_format": {"type": "json_object"}});
        assert!(content(Format::Chat, plain).needs.is_empty());
    }

    #[test]
    fn blocks_are_cut_out_only_whole() {
        let tags = ["a".to_owned()];
        for (text, said, n_blocks) in [
            ("x<a>1</a>y<a b=\"c\">2</a>z", "xyz", 2),
            ("x<ab>1</ab>", "x<ab>1</ab>", 0),
            ("x<a>1", "x<a>1", 0),
            ("<a><a>1</a></a>", "</a>", 1),
        ] {
            let (found, blocks) = without_blocks(text, &tags);
            assert_eq!((found.as_str(), blocks.len()), (said, n_blocks), "{text}");
        }
    }

    #[test]
    fn long_surroundings_are_extrapolated() {
        let text = "The quick brown fox jumps over the lazy dog. ".repeat(10_000);
        let exact = count_tokens(&text) as f64;
        let found = count(&text) as f64;
        assert!((found / exact - 1.0).abs() < 0.02, "{found} {exact}");
    }

    #[test]
    fn a_body_without_messages_is_refused() {
        for body in [
            r#"{"model":"m"}"#,
            r#"{"model":"m","messages":"x"}"#,
            r#"{"model":"m","messages":[{"role":"user","content":"\ud800"}]}"#,
        ] {
            let incoming = Incoming::read(Format::Chat, Bytes::from(body)).expect("JSON");
            assert!(Content::read(&incoming, &reading()).is_err(), "{body}");
        }
    }
}
