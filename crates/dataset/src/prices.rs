use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

use crate::{Error, Result, check_model_name, toml};

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
    /// [`Error::Io`], [`Error::Toml`] (with line and column), [`Error::ModelName`], or [`Error::BadPrice`] for a price that is not a finite number of at least 0.
    pub fn read(path: &Path) -> Result<Self> {
        let prices: Self = toml::read(path)?;
        prices.check(path)?;
        Ok(prices)
    }

    /// Refuses prices that nobody can charge; `path` is the file that they were read from.
    ///
    /// # Errors
    /// [`Error::ModelName`], or [`Error::BadPrice`] for a price that is not a finite number of at least 0.
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

impl FromIterator<(String, Price)> for Prices {
    fn from_iter<I: IntoIterator<Item = (String, Price)>>(prices: I) -> Self {
        Self {
            models: prices.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

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
