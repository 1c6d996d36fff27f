use serde_json::{Map, Value};

/// Where BBH has its question, and other tasks in files that were prepared for tests.
const FALLBACK: &str = "input";

/// The bare question of a document, which is what gets embedded: no instructions, no examples, no chat template.
///
/// The leaderboard's documents have the columns of the data sets that its tasks come from:
///
/// ```text
/// bbh        input                    with its options, where the task has some
/// gpqa       Question                 without its choices, whose order each evaluation shuffles
/// ifeval     prompt
/// math       problem
/// mmlu_pro   question, options        options as lines `A. ...`
/// musr       narrative, question      without its choices, which are Python source there
/// ```
///
/// Keys are found whatever their case (`Question`, `question`). Texts are joined by an empty line, options follow on the next line.
/// A document without those keys has its question in `input`; one without that has none.
pub(super) fn question(doc: &Map<String, Value>, keys: &[String]) -> Option<String> {
    let parts: Option<Vec<Part<'_>>> = keys.iter().map(|key| Part::of(find(doc, key)?)).collect();
    // Falling back only if a key is missing, so that a document of the usual form never loses a part of its question.
    let Some(parts) = parts else {
        return find(doc, FALLBACK)?.as_str().map(str::to_owned);
    };
    let mut question = String::new();
    for part in parts {
        match part {
            Part::Text(text) => {
                if !question.is_empty() {
                    question.push_str("\n\n");
                }
                question.push_str(text);
            }
            Part::Options(options) => {
                for (letter, option) in ('A'..='Z').zip(options) {
                    question.push_str(&format!("\n{letter}. {option}"));
                }
            }
        }
    }
    Some(question)
}

enum Part<'a> {
    Text(&'a str),
    Options(Vec<&'a str>),
}

impl<'a> Part<'a> {
    fn of(value: &'a Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(text)),
            Value::Array(options) => options
                .iter()
                .map(Value::as_str)
                .collect::<Option<_>>()
                .map(Self::Options),
            _ => None,
        }
    }
}

fn find<'a>(doc: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    doc.get(key).or_else(|| {
        let mut entries = doc.iter();
        entries.find_map(|(name, value)| name.eq_ignore_ascii_case(key).then_some(value))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_benchmarks_documents_have_a_question() {
        for (doc, keys, expected) in [
            (
                json!({"input": "True and", "target": "x"}),
                &["input"][..],
                Some("True and"),
            ),
            (
                json!({"Question": "Why?", "choice1": "a"}),
                &["Question"],
                Some("Why?"),
            ),
            (json!({"question": "Why?"}), &["Question"], Some("Why?")),
            (
                json!({"question": "Q?", "options": ["x", "y"]}),
                &["question", "options"],
                Some("Q?\nA. x\nB. y"),
            ),
            (
                json!({"narrative": "N.", "question": "Who?", "choices": "['a']"}),
                &["narrative", "question"],
                Some("N.\n\nWho?"),
            ),
            // The fallback, whatever the task.
            (json!({"input": "Q?"}), &["question", "options"], Some("Q?")),
            (json!({"question": "Q?"}), &["question", "options"], None),
            (
                json!({"question": "Q?", "options": [1]}),
                &["question", "options"],
                None,
            ),
            (json!({"problem": 5}), &["problem"], None),
            (json!({}), &["prompt"], None),
        ] {
            let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
            let doc = doc.as_object().expect("an object");
            assert_eq!(question(doc, &keys).as_deref(), expected, "{doc:?}");
        }
    }
}
