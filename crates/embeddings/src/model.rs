use crate::{Error, Result};

/// OpenAI's models: name, length of an embedding, dollars per million tokens.
///
/// Prices of OpenAI's list for the synchronous API, as announced on 2024-01-25 ("New embedding models and API updates") for the third
/// generation and on 2023-06-13 ("Function calling and other API updates") for ada-002; the embeddings guide gives the lengths.
const KNOWN: [(&str, usize, f64); 3] = [
    ("text-embedding-3-small", 1_536, 0.02),
    ("text-embedding-3-large", 3_072, 0.13),
    ("text-embedding-ada-002", 1_536, 0.10),
];

/// Around the number of tokens in a file's name.
const OF: &str = "-of-";
const TOKENS: &str = "-tokens";

/// What turns texts into embeddings.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The name that the server knows it by.
    pub name: String,
    /// The length of the embeddings, for models that can shorten them; `None` takes the model's own.
    pub dimensions: Option<usize>,
    /// Longer texts are cut.
    pub max_tokens: usize,
    /// The price, or `None` where it is not known. A model that costs nothing has `Some(0.0)`.
    pub usd_per_mtok: Option<f64>,
}

impl Model {
    /// Tokens that OpenAI's models take at most: "Max input 8,191" of the embeddings guide.
    pub const OPENAI_MAX_TOKENS: usize = 8_191;

    /// A model at its own length, with OpenAI's limit of tokens, and its price if it is one of OpenAI's: 0.02 dollars per million tokens for
    /// `text-embedding-3-small` and 0.13 for `text-embedding-3-large` (announced 2024-01-25), 0.10 for `text-embedding-ada-002` (2023-06-13).
    pub fn named(name: &str) -> Self {
        let known = KNOWN.iter().find(|(known, ..)| *known == name);
        Self {
            name: name.to_owned(),
            dimensions: None,
            max_tokens: Self::OPENAI_MAX_TOKENS,
            usd_per_mtok: known.map(|(.., usd_per_mtok)| *usd_per_mtok),
        }
    }

    /// A name for files of its embeddings: the model's, and where they are shortened or prompts are cut elsewhere than usual, that too.
    ///
    /// A model's name may hold `/`, a file's may not.
    pub fn file_name(&self) -> String {
        let mut name = self.name.replace(['/', '\\'], "--");
        if let Some(dimensions) = self.dimensions {
            name.push_str(&format!("-{dimensions}"));
        }
        if self.max_tokens != Self::OPENAI_MAX_TOKENS {
            name.push_str(&format!("{OF}{}{TOKENS}", self.max_tokens));
        }
        name
    }

    /// The model behind a [`Model::file_name`], whose embeddings have `dim` values.
    ///
    /// A number at the end is the length that embeddings were shortened to, if it is theirs; `--` is `/`. The name of a model
    /// that itself looks like that has to be given.
    pub fn of_file_name(file_name: &str, dim: usize) -> Self {
        let (rest, max_tokens) = file_name
            .strip_suffix(TOKENS)
            .and_then(|rest| rest.rsplit_once(OF))
            .and_then(|(rest, n)| Some((rest, n.parse().ok()?)))
            .unwrap_or((file_name, Self::OPENAI_MAX_TOKENS));
        let shortened = rest.strip_suffix(&format!("-{dim}"));
        Self {
            dimensions: shortened.map(|_| dim),
            max_tokens,
            ..Self::named(&shortened.unwrap_or(rest).replace("--", "/"))
        }
    }

    /// Dollars for this number of tokens, `None` if the price is not known.
    pub fn usd(&self, n_tokens: u64) -> Option<f64> {
        Some(n_tokens as f64 / 1e6 * self.usd_per_mtok?)
    }

    /// The length of an embedding as far as it is known before any has arrived.
    pub(crate) fn expected_dimensions(&self) -> Option<usize> {
        let known = KNOWN.iter().find(|(known, ..)| *known == self.name);
        self.dimensions.or(known.map(|(_, dim, _)| *dim))
    }

    pub(crate) fn check(&self) -> Result<()> {
        let bad = |name, found: String, expected| {
            Err(Error::BadSetting {
                name,
                found,
                expected,
            })
        };
        if self.name.is_empty() {
            return bad("model", self.name.clone(), "a model's name");
        }
        if self.dimensions == Some(0) {
            return bad("dimensions", "0".to_owned(), "at least 1");
        }
        if self.max_tokens == 0 {
            return bad("max-tokens", "0".to_owned(), "at least 1");
        }
        match self.usd_per_mtok {
            Some(usd) if !(usd.is_finite() && usd >= 0.0) => {
                bad("usd-per-mtok", usd.to_string(), "a number from 0")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_prices_are_told() {
        let small = Model::named("text-embedding-3-small");
        assert_eq!(small.usd(50_000_000), Some(1.0));
        assert_eq!(small.expected_dimensions(), Some(1_536));
        let own = Model::named("my-model");
        assert_eq!(own.usd(50_000_000), None);
        assert_eq!(own.expected_dimensions(), None);
    }

    #[test]
    fn a_file_name_tells_its_model() {
        for (model, dimensions, max_tokens, dim, file_name) in [
            (
                "text-embedding-3-small",
                None,
                8_191,
                1_536,
                "text-embedding-3-small",
            ),
            (
                "text-embedding-3-small",
                Some(512),
                8_191,
                512,
                "text-embedding-3-small-512",
            ),
            (
                "BAAI/bge-m3",
                None,
                256,
                1_024,
                "BAAI--bge-m3-of-256-tokens",
            ),
            ("a", Some(8), 9, 8, "a-8-of-9-tokens"),
            ("a-of-x-tokens", None, 8_191, 8, "a-of-x-tokens"),
            ("a-9", None, 8_191, 8, "a-9"),
        ] {
            let model = Model {
                dimensions,
                max_tokens,
                ..Model::named(model)
            };
            assert_eq!(model.file_name(), file_name);
            assert_eq!(Model::of_file_name(file_name, dim), model);
        }
    }

    #[test]
    fn useless_settings_are_refused() {
        let check = |change: fn(&mut Model), name: &str| {
            let mut model = Model::named("m");
            model.check().unwrap();
            change(&mut model);
            let error = model.check().unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        };
        check(|model| model.name.clear(), "model");
        check(|model| model.dimensions = Some(0), "dimensions");
        check(|model| model.max_tokens = 0, "max-tokens");
        check(|model| model.usd_per_mtok = Some(-1.0), "usd-per-mtok");
        check(|model| model.usd_per_mtok = Some(f64::NAN), "usd-per-mtok");
    }
}
