use std::{collections::BTreeMap, fs, path::Path};

use serde::{Deserialize, Serialize};

use crate::{Error, Result, check_model_name, toml};

/// Dollars per million tokens below which a price is one per token: a thirtieth of what the cheapest LLMs cost, and above what the dearest cost
/// per token.
const PER_TOKEN: f64 = 1e-3;

/// What an LLM charges.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// US dollars per million input tokens.
    pub input_usd_per_mtok: f64,
    /// US dollars per million output tokens.
    pub output_usd_per_mtok: f64,
    /// Where and when the price was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl Price {
    /// Dollars for one call. Counts that are NaN (unknown) give NaN, never 0.
    pub fn cost_usd(&self, n_input_tokens: f64, n_output_tokens: f64) -> f64 {
        (n_input_tokens * self.input_usd_per_mtok + n_output_tokens * self.output_usd_per_mtok)
            / 1e6
    }

    /// Dollars for the input alone, where the answer is not paid for or not counted. NaN gives NaN.
    pub fn input_cost_usd(&self, n_input_tokens: f64) -> f64 {
        self.cost_usd(n_input_tokens, 0.0)
    }
}

/// A price list, `prices.toml`:
///
/// ```toml
/// [models."gpt-4o"]
/// input_usd_per_mtok = 2.5
/// output_usd_per_mtok = 10
/// source = "price page of 2025-01-15"
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    models: BTreeMap<String, Price>,
}

impl Prices {
    /// Reads and checks a price list.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Toml`] (with line and column), [`Error::UnquotedModel`], or what [`Prices::check`] refuses.
    pub fn read(path: &Path) -> Result<Self> {
        let prices: Self =
            toml::read(path).map_err(|error| unquoted_model(path).unwrap_or(error))?;
        prices.check(path)?;
        Ok(prices)
    }

    /// Refuses prices that nobody can charge; `path` is the file that they were read from.
    ///
    /// # Errors
    /// [`Error::ModelName`], [`Error::BadPrice`] for a price that is not a finite number of at least 0, [`Error::PricePerToken`] for one that is not
    /// per million tokens.
    pub fn check(&self, path: &Path) -> Result<()> {
        for (model, price) in &self.models {
            check_model_name(path, model)?;
            for (key, value) in [
                ("input_usd_per_mtok", price.input_usd_per_mtok),
                ("output_usd_per_mtok", price.output_usd_per_mtok),
            ] {
                // Written so that NaN fails too. TOML can spell `nan` and `inf`, and either would make every cost unknown or every LLM
                // too dear.
                if !(value.is_finite() && value >= 0.0) {
                    return Err(Error::BadPrice {
                        path: path.to_owned(),
                        model: model.clone(),
                        key,
                        value,
                    });
                }
                if value > 0.0 && value < PER_TOKEN {
                    return Err(Error::PricePerToken {
                        path: path.to_owned(),
                        model: model.clone(),
                        key,
                        value,
                    });
                }
            }
        }
        Ok(())
    }

    /// The price of a model, if the list has it.
    pub fn get(&self, model: &str) -> Option<&Price> {
        self.models.get(model)
    }

    /// The models that the list has, in the order of their names.
    pub fn models(&self) -> impl Iterator<Item = &str> {
        self.models.keys().map(String::as_str)
    }
}

/// A heading like `[models.gpt-4.1]` in a file that was refused. To TOML the dot begins a table inside the table `gpt-4`.
fn unquoted_model(path: &Path) -> Option<Error> {
    let text = fs::read_to_string(path).ok()?;
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    text.lines().enumerate().find_map(|(i, line)| {
        let heading = line.trim().strip_prefix("[models.")?;
        let model = heading.split(']').next()?.trim();
        let is_quoted = model.starts_with(['"', '\'']);
        (!is_quoted && !model.chars().all(is_bare)).then(|| Error::UnquotedModel {
            path: path.to_owned(),
            line: i + 1,
            model: model.to_owned(),
        })
    })
}

impl FromIterator<(String, Price)> for Prices {
    fn from_iter<I: IntoIterator<Item = (String, Price)>>(prices: I) -> Self {
        Self {
            models: prices.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Prices> {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        fs::write(file.path(), text).expect("written");
        Prices::read(file.path())
    }

    #[test]
    fn a_price_list_is_read_and_charged() {
        let prices = read("[models.\"a/b\"]\ninput_usd_per_mtok = 2.5\noutput_usd_per_mtok = 10\n")
            .expect("a good list");
        let price = prices.get("a/b").expect("listed");
        assert_eq!(price.cost_usd(1_000_000.0, 100_000.0), 3.5);
        assert!(price.cost_usd(f64::NAN, 1.0).is_nan());
        assert!(prices.get("c").is_none());
    }

    #[test]
    fn a_name_with_a_dot_and_a_price_per_token_are_told_apart_from_other_mistakes() {
        let prices = "input_usd_per_mtok = 2\noutput_usd_per_mtok = 8\n";
        for model in ["gpt-4.1", "claude-3.5-sonnet", "meta/llama-3", "qwen 2"] {
            let error = read(&format!("[models.{model}] # dear\n{prices}")).expect_err(model);
            let message = error.to_string();
            let expected = format!("line 1 names the model `{model}` without quotes");
            assert!(message.contains(&expected), "{message}");
            assert!(
                message.contains(&format!("`[models.\"{model}\"]`")),
                "{message}"
            );
            assert!(read(&format!("[models.\"{model}\"]\n{prices}")).is_ok());
        }
        let error = read("[models.a]\ninput_usd_per_mtok = 2.5e-6\noutput_usd_per_mtok = 1\n");
        let message = error.expect_err("per token").to_string();
        assert!(
            message.contains("is 0.0000025") && message.contains("it is 2.5"),
            "{message}"
        );
        // What is free is free, and the cheapest LLMs are cheap.
        let cheap = "[models.a]\ninput_usd_per_mtok = 0\noutput_usd_per_mtok = 0.01\n";
        assert!(read(cheap).is_ok());
    }

    #[test]
    fn bad_lists_are_refused() {
        for text in [
            "[models.a]\ninput_usd_per_mtok = -1\noutput_usd_per_mtok = 1\n",
            "[models.a]\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = nan\n",
            "[models.a]\ninput_usd_per_mtok = inf\noutput_usd_per_mtok = 1\n",
            "[models.a]\ninput_usd_per_mtok = 1\n",
            "[models.a]\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 1\nextra = 1\n",
            "prices = 1\n",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
