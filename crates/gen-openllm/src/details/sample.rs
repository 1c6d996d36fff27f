use std::{fmt, marker::PhantomData};

use anyhow::{Context as _, bail, ensure};
use dataset::Field;
use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

use super::question::question;
use crate::config::{Metric, Task};

/// A line of a sample file, as far as it matters.
#[derive(Debug, PartialEq)]
pub(super) struct ParsedLine {
    pub(super) doc_id: u32,
    /// The evaluation's hash of the document.
    pub(super) doc_hash: Option<String>,
    /// The bare question.
    pub(super) question: String,
    /// What the LLM read.
    pub(super) context: String,
    /// From 0 to 1; NaN where the file has null.
    pub(super) score: f64,
}

/// The keys that are read; all others, answers among them, are skipped without a copy.
#[derive(Deserialize)]
struct Line {
    doc_id: u32,
    doc: Map<String, Value>,
    doc_hash: Option<String>,
    arguments: Context,
    // One field per metric instead of a map of all keys: a line also has the answers, which are most of its bytes and are skipped.
    #[serde(default)]
    acc: Option<Score>,
    #[serde(default)]
    acc_norm: Option<Score>,
    #[serde(default)]
    exact_match: Option<Score>,
    #[serde(default)]
    prompt_level_strict_acc: Option<Score>,
}

/// Reads one line of a task's file.
pub(super) fn parse(line: &[u8], task: &Task) -> anyhow::Result<ParsedLine> {
    let line: Line =
        serde_json::from_slice(line).map_err(|error| anyhow::anyhow!(one_line(&error)))?;
    let score = match task.metric {
        Metric::Acc => line.acc,
        Metric::AccNorm => line.acc_norm,
        Metric::ExactMatch => line.exact_match,
        Metric::PromptLevelStrictAcc => line.prompt_level_strict_acc,
    };
    let key = task.metric.key();
    let Score(score) =
        score.with_context(|| format!("missing `{key}`, the metric of `{}`", task.name))?;
    ensure!(
        Field::Score.admits(score),
        "`{key}` is {score}, expected {}",
        Field::Score.range()
    );
    // The question identifies the document when LLMs are joined, so a line without one cannot be used.
    let Some(question) = question(&line.doc, &task.question) else {
        let found: Vec<String> = line.doc.keys().map(|key| format!("`{key}`")).collect();
        bail!(
            "`doc` has no question: expected `{}`, found {}",
            task.question.join("`, `"),
            found.join(", ")
        );
    };
    Ok(ParsedLine {
        doc_id: line.doc_id,
        doc_hash: line.doc_hash,
        question,
        context: line.arguments.0,
        score,
    })
}

/// The message without serde's line number, which is always 1.
fn one_line(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    format!("{text} (column {})", error.column())
}

/// A score as the leaderboard writes it: a number or a truth value. Null is NaN: an explicit "unknown", unlike a missing key.
struct Score(f64);

impl<'de> Deserialize<'de> for Score {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Bool(value) => Ok(Self(f64::from(u8::from(value)))),
            Value::Number(number) => Ok(Self(number.as_f64().unwrap_or(f64::NAN))),
            other => Err(D::Error::custom(format_args!(
                "a score is `{other}`, expected a number or a truth value"
            ))),
        }
    }
}

/// The first argument of the first request: the text that the LLM read. A task of multiple choice has one request per choice, all with the same text.
///
/// ```text
/// {"gen_args_0": {"arg_0": text, ...}, ...}      of late 2024
/// [[text, ...], ...]                             before
/// ```
struct Context(String);

impl<'de> Deserialize<'de> for Context {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = First {
            key: "arg_0",
            value: PhantomData::<String>,
        };
        let request = First {
            key: "gen_args_0",
            value: text,
        };
        request.deserialize(deserializer).map(Self)
    }
}

/// The value of a key of an object, or the first item of a list; the rest is skipped.
#[derive(Clone, Copy)]
struct First<S> {
    key: &'static str,
    value: S,
}

impl<'de, S: DeserializeSeed<'de> + Copy> DeserializeSeed<'de> for First<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: DeserializeSeed<'de> + Copy> Visitor<'de> for First<S> {
    type Value = S::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with `{}`, or a list", self.key)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<S::Value, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == self.key {
                found = Some(map.next_value_seed(self.value)?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        found.ok_or_else(|| A::Error::custom(format_args!("`arguments` has no `{}`", self.key)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<S::Value, A::Error> {
        let first = items.next_element_seed(self.value)?;
        // The rest has to be consumed: the parser would otherwise stop in the middle of the list.
        while items.next_element::<IgnoredAny>()?.is_some() {}
        first.ok_or_else(|| A::Error::custom("`arguments` has an empty list"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(metric: Metric) -> Task {
        Task {
            source_name: "leaderboard_bbh_x".to_owned(),
            name: "bbh/x".to_owned(),
            metric,
            question: vec!["input".to_owned()],
        }
    }

    fn line(arguments: &str, rest: &str) -> String {
        format!(
            r#"{{"doc_id": 7, "doc": {{"input": "Q"}}, "target": "x", "arguments": {arguments}, "resps": [[["0.5", "False"]]], "doc_hash": "ab", {rest}}}"#
        )
    }

    const NEW: &str = r#"{"gen_args_0": {"arg_0": "ctx", "arg_1": " A"}, "gen_args_1": {"arg_0": "ctx", "arg_1": " B"}}"#;

    #[test]
    fn lines_of_all_layouts_are_read() {
        for (arguments, rest, metric, score) in [
            (NEW, r#""acc_norm": 1.0"#, Metric::AccNorm, 1.0),
            (NEW, r#""acc": 0.0, "acc_norm": 1.0"#, Metric::Acc, 0.0),
            (NEW, r#""exact_match": 1"#, Metric::ExactMatch, 1.0),
            (
                NEW,
                r#""prompt_level_strict_acc": true, "inst_level_strict_acc": [true]"#,
                Metric::PromptLevelStrictAcc,
                1.0,
            ),
            (
                r#"[["ctx", " A"], ["ctx", " B"]]"#,
                r#""acc_norm": 0.5"#,
                Metric::AccNorm,
                0.5,
            ),
            (
                r#"[["ctx", {"until": ["\n"]}]]"#,
                r#""acc": 0"#,
                Metric::Acc,
                0.0,
            ),
            (
                r#"{"gen_args_1": {"arg_0": "other"}, "gen_args_0": {"arg_1": "B", "arg_0": "ctx"}}"#,
                r#""acc": 0"#,
                Metric::Acc,
                0.0,
            ),
        ] {
            let text = line(arguments, rest);
            let expected = ParsedLine {
                doc_id: 7,
                doc_hash: Some("ab".to_owned()),
                question: "Q".to_owned(),
                context: "ctx".to_owned(),
                score,
            };
            assert_eq!(
                parse(text.as_bytes(), &task(metric)).expect("a good line"),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn bad_lines_are_refused() {
        let good = line(NEW, r#""acc": 1"#);
        let altered = |from: &str, to: &str| {
            assert!(good.contains(from), "{from}");
            good.replace(from, to)
        };
        for (text, message) in [
            (altered("\"doc_id\": 7, ", ""), "missing field `doc_id`"),
            (altered("_id\": 7", "_id\": -7"), "expected u32"),
            (
                altered("\"acc\"", "\"acc_norm\""),
                "missing `acc`, the metric of `bbh/x`",
            ),
            (altered("\"acc\": 1", "\"acc\": 1.5"), "`acc` is 1.5"),
            (
                altered("\"acc\": 1", "\"acc\": \"yes\""),
                "expected a number or a truth value",
            ),
            (
                altered("\"input\"", "\"text\""),
                "`doc` has no question: expected `input`, found `text`",
            ),
            (
                altered("gen_args_0", "gen_args_9"),
                "`arguments` has no `gen_args_0`",
            ),
            (line("[]", r#""acc": 1"#), "`arguments` has an empty list"),
            (line("[[5]]", r#""acc": 1"#), "expected a string"),
            (good[..30].to_owned(), "(column 30)"),
            ("oops".to_owned(), "expected value (column 1)"),
        ] {
            let error = parse(text.as_bytes(), &task(Metric::Acc)).expect_err(&text);
            assert!(format!("{error:#}").contains(message), "{error:#}: {text}");
        }
    }
}
