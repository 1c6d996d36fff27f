use std::{
    collections::{BTreeMap, HashMap},
    io::Read,
};

use anyhow::Context as _;
use datagen::licence_said_in;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::{
    config::Pool,
    files::{Entry, Place, folders, is_result, time_of},
};

/// Answers of one LLM.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Answer {
    /// The record's number in its data set.
    pub(crate) index: i64,
    /// The number of the prompt's text.
    pub(crate) prompt: u32,
    pub(crate) score: f64,
    pub(crate) input_tokens: f64,
    pub(crate) output_tokens: f64,
    pub(crate) cost_usd: f64,
}

/// All answers that are used, in LLMRouterBench's order.
#[derive(Debug, Default)]
pub(crate) struct Records {
    /// Texts of prompts, by number.
    pub(crate) prompts: Vec<String>,
    /// By the path of the result.
    pub(crate) results: Vec<Answers>,
    /// Results that a later one of the same LLM on the same data set and split replaced.
    pub(crate) n_replaced: usize,
    /// Scores that are null, which count 0.
    pub(crate) n_null_scores: usize,
    /// What files beside the results say of licences.
    pub(crate) licences: Vec<String>,
}

/// A result file.
#[derive(Debug)]
pub(crate) struct Answers {
    pub(crate) data_set: String,
    pub(crate) split: String,
    pub(crate) model: String,
    pub(crate) answers: Vec<Answer>,
}

#[derive(Debug, Deserialize)]
struct ResultFile {
    dataset_name: String,
    split: String,
    model_name: String,
    #[serde(default)]
    demo: bool,
    #[serde(default)]
    records: Vec<Record>,
}

/// Fields that are not named here are passed over without being held.
#[derive(Debug, Deserialize)]
struct Record {
    index: i64,
    #[serde(default, deserialize_with = "text")]
    prompt: String,
    score: Option<f64>,
    prompt_tokens: Option<f64>,
    completion_tokens: Option<f64>,
    cost: Option<f64>,
}

/// A prompt as text, as LLMRouterBench makes it: null is empty, and messages are their JSON.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    })
}

impl Records {
    /// Reads the results of a pool's data sets and LLMs. Of several results of one LLM on one data set and split the latest counts.
    pub(crate) fn read(place: &Place, pool: &Pool) -> anyhow::Result<Self> {
        let mut this = Self::default();
        let mut numbers: HashMap<String, u32> = HashMap::new();
        // By data set, split and LLM: the time, the path that decides the order, and the answers.
        let mut latest: BTreeMap<[String; 3], (u64, [String; 4], Answers)> = BTreeMap::new();
        let mut n_null_scores: HashMap<[String; 3], usize> = HashMap::new();
        place.each(
            |Entry {
                 name,
                 modified,
                 content,
             }| {
                if !is_result(&name) {
                    this.licences.extend(licence_said_in(&name, content));
                    return Ok(());
                }
                let path = folders(&name)?;
                let Some(file) = parse(content, pool)
                    .with_context(|| format!("cannot read the result `{name}`"))?
                else {
                    return Ok(());
                };
                let time = time_of(&name).unwrap_or(modified);
                let key = [
                    file.dataset_name.clone(),
                    file.split.clone(),
                    file.model_name.clone(),
                ];
                if let Some((other, ..)) = latest.get(&key) {
                    this.n_replaced += 1;
                    if *other >= time {
                        return Ok(());
                    }
                }
                n_null_scores.insert(
                    key.clone(),
                    file.records.iter().filter(|it| it.score.is_none()).count(),
                );
                let answers = file.records.into_iter().map(|record| {
                    let next = numbers.len() as u32;
                    let prompt = *numbers.entry(record.prompt).or_insert(next);
                    Answer {
                        index: record.index,
                        prompt,
                        score: record.score.unwrap_or(0.0),
                        input_tokens: record.prompt_tokens.unwrap_or(f64::NAN),
                        output_tokens: record.completion_tokens.unwrap_or(f64::NAN),
                        cost_usd: record.cost.unwrap_or(0.0),
                    }
                });
                let answers = Answers {
                    data_set: file.dataset_name,
                    split: file.split,
                    model: file.model_name,
                    answers: answers.collect(),
                };
                latest.insert(key, (time, path, answers));
                Ok(())
            },
        )?;
        this.n_null_scores = n_null_scores.values().sum();
        this.prompts = vec![String::new(); numbers.len()];
        for (text, number) in numbers {
            this.prompts[number as usize] = text;
        }
        let mut results: Vec<_> = latest.into_values().collect();
        results.sort_by(|a, b| a.1.cmp(&b.1));
        this.results = results.into_iter().map(|(_, _, answers)| answers).collect();
        Ok(this)
    }

    pub(crate) fn n_records(&self) -> usize {
        self.results.iter().map(|of| of.answers.len()).sum()
    }
}

/// A result, unless the pool leaves it out.
fn parse(content: impl Read, pool: &Pool) -> anyhow::Result<Option<ResultFile>> {
    let file: ResultFile = serde_json::from_reader(content)?;
    let is_used = !file.demo
        && pool.data_sets.contains(&file.dataset_name)
        && pool.models.contains(&file.model_name)
        && (pool.splits.is_empty() || pool.splits.contains(&file.split));
    Ok(is_used.then_some(file))
}
