//! Hard worlds: tables on which routing is worth little, nothing, or another thing later than before, and by how much is known.
//!
//! ```text
//! f, d       family and difficulty of a prompt; both show in its text
//! t          time of a prompt in [0, 1): its number over the number of prompts
//! z_mf(t)    skill of LLM m in family f: cos(a) u_mf + sin(a) v_mf - mean,   a = t pi/2 x drift of the skills, u and v even with variance 1,
//!            the mean over all families and times by their weights
//! p          q_m + s z_mf(t) - slope (d - 1/2)                      expected score
//! score      Binomial(steps, p + e) / steps                        e: of one conversation and LLM, +-effect with equal chances
//! cost       price_m x tokens,  tokens as in `latent`              expected: c_m, the same for every prompt, unless a system prompt is paid for
//!
//! gain(v)    E max_m (p - c_m / v) - max_m E (p - c_m / v)          what the Bayes router gains at worth v
//! gain       mean of gain(v) over dataset::worth::grid(c)           s is such that this is what the settings say
//! ```
//!
//! Since the mean of z is 0, an LLM's mean score is q_m whatever s is, and the gain grows with s. Difficulty changes all LLMs' scores alike and so no
//! choice. Families and LLMs are drawn by the seed: each seed is another world of the same gain.

mod config;
mod rows;
mod skills;
#[cfg(test)]
mod tests;

use dataset::{CostRule, ModelInfo, Pair, Price, permutation};

use self::{config::CostOrder, skills::Skills};
pub(crate) use self::{
    config::{Choice, Signal, WorldConfig},
    rows::WorldRows,
};

/// What a token of input costs beside one of output where input is not free: what most providers ask.
const INPUT_PER_OUTPUT: f64 = 0.25;

/// A world in numbers.
#[derive(Debug)]
pub(crate) struct World {
    config: WorldConfig,
    seed: u32,
    n_prompts: usize,
    /// Tokens that are billed beside those of the prompt's text.
    n_system_tokens: u32,
    names: Vec<String>,
    prices: Vec<Price>,
    skills: Skills,
}

impl World {
    /// Draws the LLMs of a world of so many prompts, with a system prompt of so many tokens. Without one, input is free.
    ///
    /// # Errors
    /// When no scores in [0, 1] give the gain that the settings ask for.
    pub(crate) fn new(
        config: WorldConfig,
        seed: u32,
        n_prompts: usize,
        n_system_tokens: u32,
    ) -> anyhow::Result<Self> {
        let n = config.n_models;
        // Ranks are shuffled: which LLM is best, or cheap, should not show in the order of the columns.
        let by_quality = permutation(n as u32, seed);
        let by_cost = match config.costs.order {
            CostOrder::DearIsBad => by_quality.clone(),
            CostOrder::DearIsGood => by_quality.iter().map(|rank| n as u32 - 1 - rank).collect(),
            // Any other permutation; seeds wrap around.
            CostOrder::Any => permutation(n as u32, seed.wrapping_add(1)),
        };
        let qualities = by_quality.iter().map(|&rank| config.quality(rank as usize));
        let costs: Vec<f64> = by_cost
            .iter()
            .map(|&rank| config.costs.mean_usd(rank as usize, n))
            .collect();
        let input_per_output = match n_system_tokens {
            0 => 0.0,
            _ => INPUT_PER_OUTPUT,
        };
        let price = |cost: &f64| {
            let output_usd_per_mtok = 1e6 * cost / config.costs.answer_tokens;
            Price {
                input_usd_per_mtok: input_per_output * output_usd_per_mtok,
                output_usd_per_mtok,
                source: Some("made up".to_owned()),
            }
        };
        let prices: Vec<Price> = costs.iter().map(price).collect();
        let with_input =
            |price: &Price| price.cost_usd(n_system_tokens.into(), config.costs.answer_tokens);
        // Unless input is paid for, the very numbers of the settings: a last bit would change skills.
        let costs = match n_system_tokens {
            0 => costs,
            _ => prices.iter().map(with_input).collect(),
        };
        let skills = Skills::new(&config, seed, qualities.collect(), &costs)?;
        let width = n.to_string().len();
        Ok(Self {
            names: (1..=n).map(|m| format!("llm-{m:0width$}")).collect(),
            prices,
            skills,
            config,
            seed,
            n_prompts,
            n_system_tokens,
        })
    }

    /// The LLMs in column order.
    pub(crate) fn models(&self) -> Vec<ModelInfo> {
        let models = self.names.iter().zip(&self.prices);
        models
            .map(|(name, price)| ModelInfo {
                name: name.clone(),
                price: Some(price.clone()),
                cost_rule: CostRule::InputAndOutputTokens,
            })
            .collect()
    }

    /// The cheapest LLM, and the best single one of the others.
    pub(crate) fn pair(&self) -> Option<Pair> {
        let price = |m: &usize| self.prices[*m].output_usd_per_mtok;
        let all = || 0..self.names.len();
        let small = all().min_by(|a, b| price(a).total_cmp(&price(b)))?;
        let quality = |m: &usize| self.skills.qualities()[*m];
        let others = all().filter(|&m| m != small);
        let large = others.max_by(|a, b| quality(a).total_cmp(&quality(b)))?;
        let [small, large] = [small, large].map(|m| self.names[m].clone());
        Some(Pair { small, large })
    }

    /// What a reader of the numbers should know.
    pub(crate) fn note(&self) -> String {
        let but = match self.n_system_tokens {
            0 => "",
            _ => {
                ", if only the system prompt and the answer are paid for: the prompts' own texts change it a little"
            }
        };
        format!(
            "a hard world: over all prompts the Bayes router gains {:.4} of a score over the best single LLM, on average over the grid of worths{but}",
            self.skills.gain()
        )
    }
}
