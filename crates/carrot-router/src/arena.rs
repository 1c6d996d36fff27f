//! RouterArena's prompts, and what it takes of a router: files of its own form (RouteWorks/RouterArena at 1bc8176, `router_inference/`).

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use dataset::{Error as DatasetError, json};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A prompt of `router_data.json` or `router_robustness.json`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ArenaPrompt {
    /// Text as a rule; whatever it is, it goes back as it came.
    #[serde(default, rename = "global index", alias = "global_index")]
    index: Value,
    #[serde(default)]
    prompt_formatted: Option<String>,
    #[serde(default)]
    prompt: Option<String>,
}

/// What RouterArena reads for one prompt. The empty fields are those that its own pipeline fills in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArenaPrediction {
    #[serde(rename = "global index")]
    index: Value,
    prompt: String,
    prediction: String,
    generated_result: Option<Value>,
    cost: Option<f64>,
    accuracy: Option<f64>,
}

/// What its config says of a router.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArenaConfig {
    pipeline_params: PipelineParams,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct PipelineParams {
    router_name: String,
    models: Vec<String>,
}

impl ArenaConfig {
    /// Of a router's name and its LLMs, by the names that RouterArena knows them by.
    pub fn new(router_name: &str, models: Vec<String>) -> Self {
        Self {
            pipeline_params: PipelineParams {
                router_name: router_name.to_owned(),
                models,
            },
        }
    }
}

impl ArenaPrompt {
    /// Reads a file of prompts.
    ///
    /// # Errors
    /// Those of a JSON file, and [`DatasetError::Empty`] where there is no prompt.
    pub fn read(path: &Path) -> Result<Vec<Self>, DatasetError> {
        let prompts: Vec<Self> = json::read(path)?;
        match prompts.is_empty() {
            true => Err(DatasetError::Empty {
                path: path.to_owned(),
            }),
            false => Ok(prompts),
        }
    }

    /// What a router is asked, as RouterArena's own script takes it: the formatted prompt, or else the plain one. `None` where there is neither, or no
    /// index, which that script passes over.
    pub fn text(&self) -> Option<&str> {
        let is_set = |text: &&String| !text.is_empty();
        let text = self.prompt_formatted.as_ref().filter(is_set);
        let text = text.or_else(|| self.prompt.as_ref().filter(is_set))?;
        let has_index = match &self.index {
            Value::Null => false,
            Value::String(index) => !index.is_empty(),
            Value::Number(index) => index.as_f64() != Some(0.0),
            _ => true,
        };
        has_index.then_some(text)
    }

    /// The answer to it.
    pub fn prediction(&self, model: &str) -> ArenaPrediction {
        ArenaPrediction {
            index: self.index.clone(),
            prompt: self.text().unwrap_or_default().to_owned(),
            prediction: model.to_owned(),
            generated_result: None,
            cost: None,
            accuracy: None,
        }
    }
}

/// Train prompts of fewer words are only taken for the same where they are the whole prompt: "What is 2 + 2?" is within many.
const FEW_WORDS: usize = 8;

/// Which of some prompts a router was trained on: those that are a train prompt, or hold one of at least eight words within a template, but for case and
/// white space.
///
/// ```
/// let train = ["How many apples are left if Ann eats two of five?"];
/// let judged = ["Answer briefly.\n\nHow many  apples are left if Ann eats two of five?", "How many pears?"];
/// assert_eq!(carrot_router::trained_on(train, judged), [0]);
/// ```
pub fn trained_on<'a>(
    train: impl IntoIterator<Item = &'a str>,
    prompts: impl IntoIterator<Item = &'a str>,
) -> Vec<usize> {
    let words =
        |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_lowercase).collect() };
    let mut whole: HashSet<Vec<String>> = HashSet::new();
    // By their first words, which any place in a prompt is looked up by.
    let mut by_start: HashMap<Vec<String>, Vec<Vec<String>>> = HashMap::new();
    for prompt in train {
        let words = words(prompt);
        if words.is_empty() {
            continue;
        }
        if let Some(start) = words.get(..FEW_WORDS) {
            by_start
                .entry(start.to_vec())
                .or_default()
                .push(words.clone());
        }
        whole.insert(words);
    }
    let is_known = |prompt: &str| {
        let words = words(prompt);
        let holds_one = || {
            words.windows(FEW_WORDS).enumerate().any(|(at, start)| {
                let mut known = by_start.get(start).into_iter().flatten();
                known.any(|known| words[at..].starts_with(known))
            })
        };
        whole.contains(&words) || holds_one()
    };
    let prompts = prompts.into_iter().enumerate();
    prompts
        .filter(|(_, prompt)| is_known(prompt))
        .map(|(i, _)| i)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn prompts_are_taken_as_its_script_takes_them() {
        for (entry, expected) in [
            (
                json!({ "global index": "a_1", "prompt_formatted": "f", "prompt": "p" }),
                Some("f"),
            ),
            (json!({ "global_index": "a_1", "prompt": "p" }), Some("p")),
            (
                json!({ "global index": "a_1", "prompt_formatted": "", "prompt": "p" }),
                Some("p"),
            ),
            (json!({ "global index": "a_1" }), None),
            (json!({ "global index": "", "prompt": "p" }), None),
            (json!({ "global index": null, "prompt": "p" }), None),
        ] {
            let prompt: ArenaPrompt = serde_json::from_value(entry.clone()).expect("a prompt");
            assert_eq!(prompt.text(), expected, "{entry}");
        }
    }

    #[test]
    fn trained_prompts_are_found_whole_and_in_templates() {
        let train = [
            "one two three four five six seven eight nine",
            "Why?",
            "",
            "  ",
        ];
        for (prompt, is_known) in [
            ("One two three four five six seven EIGHT nine", true),
            (
                "Please: one two three four\nfive six seven eight nine - thanks",
                true,
            ),
            ("one two three four five six seven eight ten", false),
            ("why?", true),
            ("Tell me why?", false),
            ("", false),
        ] {
            assert_eq!(
                !trained_on(train, [prompt]).is_empty(),
                is_known,
                "{prompt}"
            );
        }
    }
}
