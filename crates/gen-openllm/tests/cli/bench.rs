use std::{
    ops::{Deref, DerefMut},
    process::Output,
};

use dataset::{DatasetInfo, PartTable};
use serde_json::{Value, json};
use test_support::{Bench, expect_success};

pub(crate) use test_support::stderr;

pub(crate) const YI: &str = "01-ai/Yi-34B-Chat";
pub(crate) const SMALL: &str = "Qwen/Qwen2.5-7B-Instruct";
pub(crate) const LARGE: &str = "Qwen/Qwen2.5-72B-Instruct";
pub(crate) const GEMMA: &str = "google/gemma-2b-it";

pub(crate) const TIME: &str = "2024-12-05T09-38-15.158243";

/// Arguments for the sample files in `details/`, whose tokens a stand-in counts for all LLMs.
pub(crate) const DETAILS: [&str; 6] = [
    "--source",
    "details",
    "--token-counter",
    "words.json",
    "--token-counter-for",
    "all",
];

/// A tokenizer whose tokens are words; `comment` makes files differ that count alike.
pub(crate) fn words(comment: &str) -> String {
    json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "vocab": {"?": 0, comment: 1}, "unk_token": "?"}
    })
    .to_string()
}

/// A tokenizer whose tokens are characters.
pub(crate) fn characters() -> String {
    json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "."}, "behavior": "Isolated", "invert": false},
        "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "vocab": {"?": 0}, "unk_token": "?"}
    })
    .to_string()
}

/// A line of a sample file: the question is `QUESTION`, what the LLM read is `examples` more words and then the question.
pub(crate) fn line(
    doc_id: usize,
    question: &str,
    examples: usize,
    metric: &str,
    score: impl Into<Value>,
) -> String {
    json!({
        "doc_id": doc_id,
        "doc": {"input": question},
        "target": "",
        "arguments": {"gen_args_0": {"arg_0": format!("{}{question}", "word ".repeat(examples)), "arg_1": " A"}, "gen_args_1": {"arg_0": "", "arg_1": " B"}},
        "resps": [[["-1.5", "False"]]],
        "doc_hash": format!("hash of {question}"),
        metric: score.into(),
    })
    .to_string()
}

pub(crate) fn details_path(model: &str, task: &str, time: &str) -> String {
    let folder = model.replace('/', "__");
    format!("{folder}-details/{folder}/samples_leaderboard_{task}_{time}.json")
}

/// A folder with the tokenizer `words.json`, and whatever else a case needs.
pub(crate) struct Leaderboard(Bench);

impl Deref for Leaderboard {
    type Target = Bench;

    fn deref(&self) -> &Bench {
        &self.0
    }
}

impl DerefMut for Leaderboard {
    fn deref_mut(&mut self) -> &mut Bench {
        &mut self.0
    }
}

impl Leaderboard {
    /// Nothing but the tokenizer, and no hub.
    pub(crate) fn new() -> Self {
        let bench = Self(Bench::new(env!("CARGO_BIN_EXE_gen-openllm")));
        bench.write("words.json", words(""));
        bench
    }

    /// The same with a hub at an address.
    pub(crate) fn with_hub(url: &str) -> Self {
        Self(Self::new().0.hub(url))
    }

    /// Two LLMs, the pair, with twelve documents of two tasks: BBH's navigate and MMLU-Pro.
    pub(crate) fn with_pair() -> Self {
        let bench = Self::new();
        for (model, examples) in [(SMALL, 3), (LARGE, 5)] {
            for (path, text) in pair_files(model, examples) {
                bench.write(format!("details/{path}"), text);
            }
        }
        bench
    }

    /// Runs what has to go well; returns the report.
    pub(crate) fn report(&self, args: &[&str]) -> Value {
        let output = self.run(&[args, &["--json"]].concat());
        serde_json::from_str(&expect_success(&output)).expect("JSON")
    }

    /// Runs on `details/` with the stand-in for all.
    pub(crate) fn run_on_details(&self, more: &[&str]) -> Output {
        self.run(&[&DETAILS[..], more].concat())
    }

    /// What a run that has to fail says, and its exit code.
    pub(crate) fn refusal(&self, more: &[&str]) -> (String, Option<i32>) {
        let output = self.run_on_details(more);
        assert!(
            !output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
        assert!(!self.dataset("open-llm-lb-v2").info().exists());
        (stderr(&output), output.status.code())
    }

    pub(crate) fn info(&self, name: &str) -> DatasetInfo {
        self.read(name).0
    }

    pub(crate) fn rows(&self, name: &str) -> Rows {
        let (_, train, test) = self.read(name);
        Rows([train, test])
    }
}

/// The sample files of one LLM of the pair. In document `d` of twelve the small one is right if `d` is even, the large one if 3 does not divide `d`.
pub(crate) fn pair_files(model: &str, examples: usize) -> Vec<(String, String)> {
    let is_right = |d: usize| {
        if model == SMALL {
            d.is_multiple_of(2)
        } else {
            !d.is_multiple_of(3)
        }
    };
    // In the order of three ranks, as evaluations write them.
    let order = (0..3).flat_map(|rank| (rank..12).step_by(3));
    let lines = |task: &str, metric: &str| {
        let line = |d: usize| {
            line(
                d,
                &format!("{task} question {d}"),
                examples,
                metric,
                f64::from(u8::from(is_right(d))),
            )
        };
        order.clone().map(line).collect::<Vec<_>>().join("\n") + "\n"
    };
    vec![
        (
            details_path(model, "bbh_navigate", TIME),
            lines("navigate", "acc_norm"),
        ),
        (details_path(model, "mmlu_pro", TIME), lines("mmlu", "acc")),
    ]
}

/// A data set's rows, by id.
pub(crate) struct Rows([PartTable; 2]);

impl Rows {
    pub(crate) fn ids(&self) -> Vec<&str> {
        self.0
            .iter()
            .flat_map(|split| &split.ids)
            .map(String::as_str)
            .collect()
    }

    fn find(&self, id: &str) -> (&PartTable, usize) {
        let found = self
            .0
            .iter()
            .find_map(|split| Some((split, split.ids.iter().position(|other| other == id)?)));
        found.unwrap_or_else(|| panic!("no row `{id}`"))
    }

    fn model(&self, model: &str) -> usize {
        self.0[0]
            .models
            .iter()
            .position(|name| name == model)
            .unwrap_or_else(|| panic!("no LLM `{model}`"))
    }

    pub(crate) fn score(&self, id: &str, model: &str) -> f32 {
        let (split, i) = self.find(id);
        split.scores[(i, self.model(model))]
    }

    pub(crate) fn n_tokens(&self, id: &str, model: &str) -> f64 {
        let (split, i) = self.find(id);
        split.input_tokens.as_ref().expect("tokens are counted")[(i, self.model(model))]
    }

    pub(crate) fn cost_usd(&self, id: &str, model: &str) -> f64 {
        let (split, i) = self.find(id);
        split.cost_usd[(i, self.model(model))]
    }

    pub(crate) fn prompt(&self, id: &str) -> &str {
        let (split, i) = self.find(id);
        &split.prompts[i]
    }

    pub(crate) fn task(&self, id: &str) -> &str {
        let (split, i) = self.find(id);
        &split.tasks[i]
    }

    pub(crate) fn models(&self) -> &[String] {
        &self.0[0].models
    }

    pub(crate) fn test_ids(&self) -> &[String] {
        &self.0[1].ids
    }
}
