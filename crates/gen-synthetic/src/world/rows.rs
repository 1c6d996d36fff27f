use std::sync::Arc;

use rand::{Rng as _, SeedableRng as _, distr::Distribution as _, distr::weighted::WeightedIndex};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::{World, skills::family_weights};
use crate::{
    config::Family,
    latent::{Answer, draw_length, draw_score, n_pieces},
    prompts,
    rows::{Chunk, Row},
};

/// The kept column with the hour of a prompt: its number.
pub(crate) const TIME: &str = "time";
/// The kept column with the conversation of a prompt.
pub(crate) const CONVERSATION: &str = "conversation";
/// Conversations' generators are none of a row's, whose numbers have 32 bits.
const FIRST_STREAM: u64 = 1 << 40;

/// Makes rows of a world, each from the seed, its own number, and how many there are.
#[derive(Debug)]
pub(crate) struct WorldRows<'a> {
    world: &'a World,
    models: Arc<[String]>,
    kept: Vec<&'static str>,
}

/// What the prompts of a conversation have in common.
struct Conversation {
    family_idx: usize,
    /// Per LLM what is added to its expected scores.
    effects: Vec<f64>,
}

impl<'a> WorldRows<'a> {
    pub(crate) fn new(world: &'a World) -> Self {
        let config = &world.config;
        let has_time = config.drift != Default::default();
        let columns = [
            (TIME, has_time),
            (CONVERSATION, config.conversations.is_some()),
        ];
        Self {
            models: world.names.iter().cloned().collect(),
            kept: columns
                .iter()
                .filter(|(_, is_there)| *is_there)
                .map(|&(name, _)| name)
                .collect(),
            world,
        }
    }

    /// The rows of these numbers, in this order.
    pub(crate) fn chunk(&self, rows: &[u32]) -> Chunk {
        let rows = rows.par_iter().map(|&i| self.row(i)).collect();
        Chunk::of(rows, &self.models, &self.kept)
    }

    fn row(&self, i: u32) -> Row {
        let World {
            config,
            skills,
            prices,
            ..
        } = self.world;
        let n_together = config.conversations.map_or(1, |it| it.n_prompts);
        let conversation = i / n_together;
        let Conversation {
            family_idx,
            effects,
        } = self.conversation(conversation, n_together);
        let family = Family::ALL[family_idx];
        let mut rng = self.rng(i.into());
        let prompt = prompts::prompt(family, &mut rng);
        let answers_seed: u64 = rng.random();
        let n_input_tokens = n_pieces(&prompt.text) as u32 + self.world.n_system_tokens;
        let time = self.time(i);
        let answers = (0..self.models.len()).map(|m| {
            let mut rng = ChaCha8Rng::seed_from_u64(answers_seed);
            rng.set_stream(m as u64);
            let answer = |score, n_output_tokens| Answer {
                score,
                n_input_tokens,
                n_output_tokens,
                cost_usd: prices[m].cost_usd(f64::from(n_input_tokens), n_output_tokens),
            };
            let score = skills.mean_score(family_idx, m, time)
                - config.difficulty_slope * (prompt.difficulty - 0.5);
            let n_tokens = config.costs.answer_tokens;
            // Rounding may leave [0, 1] by some 1e-16 at the largest scale.
            let chance = (score + effects[m]).clamp(0.0, 1.0);
            let drawn = answer(
                draw_score(config.score_steps, chance, &mut rng),
                draw_length(n_tokens, config.costs.length_sigma, &mut rng),
            );
            (answer(score.clamp(0.0, 1.0), n_tokens), drawn)
        });
        let kept = self.kept.iter().map(|&name| match name {
            TIME => i.to_string(),
            _ => format!("conversation-{conversation}"),
        });
        Row {
            id: format!("{}/{i}", family.name()),
            task: family.name(),
            answers: answers.collect(),
            prompt: prompt.text,
            kept: kept.collect(),
        }
    }

    fn conversation(&self, conversation: u32, n_together: u32) -> Conversation {
        let config = &self.world.config;
        let mut rng = self.rng(FIRST_STREAM + u64::from(conversation));
        let weights = family_weights(config.drift, self.time(conversation * n_together));
        let families = WeightedIndex::new(weights).expect("shares sum to 1");
        let family_idx = families.sample(&mut rng);
        let effect = config.conversations.map_or(0.0, |it| it.effect);
        let mut sign = || {
            if rng.random_bool(0.5) {
                effect
            } else {
                -effect
            }
        };
        Conversation {
            family_idx,
            effects: self.models.iter().map(|_| sign()).collect(),
        }
    }

    fn time(&self, i: u32) -> f64 {
        f64::from(i) / self.world.n_prompts as f64
    }

    fn rng(&self, stream: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.world.seed.into());
        rng.set_stream(stream);
        rng
    }
}
