use std::sync::Arc;

use anyhow::Context as _;
use dataset::{KeptColumns, PartTable, PerModel};
use ndarray::Array2;
use rand::{Rng as _, SeedableRng as _, distr::Distribution as _, distr::weighted::WeightedIndex};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::{
    config::Config,
    latent::{Answer, Latent, n_pieces},
    prompts,
};

/// Makes rows of the data set, each from the seed and its own number alone.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    config: &'a Config,
    latent: Latent<'a>,
    families: WeightedIndex<f64>,
    models: Arc<[String]>,
    seed: u32,
}

/// Some rows, and their expectations.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) split: PartTable,
    pub(crate) expectations: PerModel,
}

/// A row, and its expectations.
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) task: &'static str,
    pub(crate) prompt: String,
    /// Per LLM what is expected, and what was drawn.
    pub(crate) answers: Vec<(Answer, Answer)>,
    /// Values of the kept columns.
    pub(crate) kept: Vec<String>,
}

impl Chunk {
    /// Tables of these rows, whose kept columns have these names.
    pub(crate) fn of(rows: Vec<Row>, models: &[String], kept_names: &[&str]) -> Self {
        let shape = (rows.len(), models.len());
        let answer = |(i, m): (usize, usize)| -> (Answer, Answer) { rows[i].answers[m] };
        let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
        let models = models.to_vec();
        let expectations = PerModel {
            ids: ids.clone(),
            models: models.clone(),
            scores: Array2::from_shape_fn(shape, |at| answer(at).0.score as f32),
            output_tokens: Some(Array2::from_shape_fn(shape, |at| {
                answer(at).0.n_output_tokens as f32
            })),
            cost_usd: Array2::from_shape_fn(shape, |at| answer(at).0.cost_usd),
        };
        let mut kept = KeptColumns::default();
        for (column, name) in kept_names.iter().enumerate() {
            let values = rows.iter().map(|row| row.kept[column].clone()).collect();
            kept.insert(name, values).expect("names of this program");
        }
        let split = PartTable {
            ids,
            models,
            scores: Array2::from_shape_fn(shape, |at| answer(at).1.score as f32),
            input_tokens: Some(Array2::from_shape_fn(shape, |at| {
                f64::from(answer(at).0.n_input_tokens)
            })),
            output_tokens: Some(Array2::from_shape_fn(shape, |at| {
                answer(at).1.n_output_tokens
            })),
            cost_usd: Array2::from_shape_fn(shape, |at| answer(at).1.cost_usd),
            tasks: rows.iter().map(|row| row.task.to_owned()).collect(),
            prompts: rows.into_iter().map(|row| row.prompt).collect(),
            propensities: None,
            kept,
        };
        Chunk {
            split,
            expectations,
        }
    }
}

impl<'a> Rows<'a> {
    pub(crate) fn new(config: &'a Config, seed: u32) -> anyhow::Result<Self> {
        let weights = config.families.iter().map(|family| family.weight);
        Ok(Self {
            families: WeightedIndex::new(weights).context("cannot use the families' weights")?,
            latent: Latent::new(config),
            models: config
                .models
                .iter()
                .map(|model| model.name.clone())
                .collect(),
            config,
            seed,
        })
    }

    /// The rows of these numbers, in this order.
    pub(crate) fn chunk(&self, rows: &[u32]) -> Chunk {
        // Each row has a generator of its own, so threads and chunks do not change any row.
        Chunk::of(
            rows.par_iter().map(|&i| self.row(i)).collect(),
            &self.models,
            &[],
        )
    }

    fn row(&self, i: u32) -> Row {
        let mut rng = ChaCha8Rng::seed_from_u64(u64::from(self.seed));
        // A stream per row, so that row i costs no draws of the rows before it, and a longer data set begins with the same rows.
        rng.set_stream(u64::from(i));
        let family = &self.config.families[self.families.sample(&mut rng)];
        let prompt = prompts::prompt(family.family, &mut rng);
        let n_pieces = n_pieces(&prompt.text);
        // The answers' own generator: what LLMs there are does not change the prompts, nor one LLM's draws another's.
        let answers_seed: u64 = rng.random();
        let answers = (0..self.models.len()).map(|m| {
            let mut rng = ChaCha8Rng::seed_from_u64(answers_seed);
            rng.set_stream(m as u64);
            let expected = self.latent.expected(m, family, prompt.difficulty, n_pieces);
            (expected, self.latent.draw(m, family, expected, &mut rng))
        });
        let task = family.family.name();
        Row {
            id: format!("{task}/{i}"),
            task,
            answers: answers.collect(),
            prompt: prompt.text,
            kept: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::config::tests::built_in;

    #[test]
    fn a_row_depends_on_the_seed_and_its_number_alone() {
        let config = built_in();
        let rows = Rows::new(&config, 7).expect("good weights");
        let together = rows.chunk(&[3, 1, 4]);
        for (i, row) in [3, 1, 4].into_iter().enumerate() {
            let alone = rows.chunk(&[row]);
            assert_eq!(alone.split.prompts[0], together.split.prompts[i]);
            assert_eq!(alone.split.cost_usd.row(0), together.split.cost_usd.row(i));
            assert_eq!(
                alone.expectations.scores.row(0),
                together.expectations.scores.row(i)
            );
        }
        let other = Rows::new(&config, 8).expect("good weights").chunk(&[3]);
        assert_ne!(other.split.prompts[0], together.split.prompts[0]);
    }

    #[test]
    fn another_model_changes_no_draw_of_the_others() {
        let config = built_in();
        let mut fewer = config.clone();
        fewer.models.truncate(3);
        let numbers: Vec<u32> = (0..50).collect();
        let all = Rows::new(&config, 7).expect("good weights").chunk(&numbers);
        let three = Rows::new(&fewer, 7).expect("good weights").chunk(&numbers);
        assert_eq!(
            all.split.scores.slice(ndarray::s![.., ..3]),
            three.split.scores
        );
    }

    #[test]
    fn prompts_vary_and_ids_are_unique() {
        let config = built_in();
        let numbers: Vec<u32> = (0..4000).collect();
        let chunk = Rows::new(&config, 42)
            .expect("good weights")
            .chunk(&numbers);
        let ids: HashSet<&String> = chunk.split.ids.iter().collect();
        assert_eq!(ids.len(), numbers.len());
        let prompts: HashSet<&String> = chunk.split.prompts.iter().collect();
        let n_doubles = numbers.len() - prompts.len();
        assert!(n_doubles < 20, "{n_doubles} duplicate prompts");
        let tasks: HashSet<&String> = chunk.split.tasks.iter().collect();
        assert_eq!(tasks.len(), config.families.len());
    }
}
