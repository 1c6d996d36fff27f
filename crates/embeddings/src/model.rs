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

/// Around the number of tokens in a label.
const OF: &str = "-of-";
const TOKENS: &str = "-tokens";
/// Ends a name in a label that itself looks as if something had been added to it.
const END_OF_NAME: char = '_';

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

    /// A text that names its embeddings: the model's name, and where they are shortened or prompts are cut elsewhere than usual, that too.
    /// Models that differ have different labels. A label may hold whatever a model's name holds, `/` for instance.
    pub fn label(&self) -> String {
        let mut label = self.name.clone();
        if looks_extended(&label) {
            label.push(END_OF_NAME);
        }
        if let Some(dimensions) = self.dimensions {
            label.push_str(&format!("-{dimensions}"));
        }
        if self.max_tokens != Self::OPENAI_MAX_TOKENS {
            label.push_str(&format!("{OF}{}{TOKENS}", self.max_tokens));
        }
        label
    }

    /// The model behind a [`Model::label`], whose embeddings have `dim` values: a number at the end is the length that embeddings were
    /// shortened to, if it is theirs.
    pub fn of_label(label: &str, dim: usize) -> Self {
        let (rest, max_tokens) = split_tokens(label).unwrap_or((label, Self::OPENAI_MAX_TOKENS));
        let shortened = split_dimensions(rest).filter(|(_, dimensions)| *dimensions == dim);
        let name = shortened.map_or(rest, |(name, _)| name);
        let marked = name.strip_suffix(END_OF_NAME);
        Self {
            dimensions: shortened.map(|_| dim),
            max_tokens,
            ..Self::named(marked.filter(|name| looks_extended(name)).unwrap_or(name))
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

/// Whether a name could be read as another name with something added.
fn looks_extended(name: &str) -> bool {
    let name = name.trim_end_matches(END_OF_NAME);
    split_tokens(name).is_some() || split_dimensions(name).is_some()
}

/// What comes before `-of-N-tokens`, and the number.
fn split_tokens(label: &str) -> Option<(&str, usize)> {
    let (rest, n) = label.strip_suffix(TOKENS)?.rsplit_once(OF)?;
    Some((rest, number(n)?))
}

/// What comes before `-N`, and the number.
fn split_dimensions(label: &str) -> Option<(&str, usize)> {
    let (rest, n) = label.rsplit_once('-')?;
    Some((rest, number(n)?))
}

/// A number as a label has it: without a sign or a zero before it.
fn number(text: &str) -> Option<usize> {
    text.parse().ok().filter(|n: &usize| n.to_string() == text)
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
    fn a_label_tells_its_model() {
        let small = "text-embedding-3-small";
        for (model, dimensions, max_tokens, dim, label) in [
            (small, None, 8_191, 1_536, small),
            (small, Some(512), 8_191, 512, "text-embedding-3-small-512"),
            (
                "text-embedding-ada-002",
                None,
                8_191,
                2,
                "text-embedding-ada-002",
            ),
            ("BAAI/bge-m3", None, 256, 1_024, "BAAI/bge-m3-of-256-tokens"),
            ("a", Some(8), 9, 8, "a-8-of-9-tokens"),
            ("a-of-x-tokens", None, 8_191, 8, "a-of-x-tokens"),
            ("a-8", None, 8_191, 8, "a-8_"),
            ("a-8_", None, 8_191, 8, "a-8__"),
            ("a-8", Some(8), 8_191, 8, "a-8_-8"),
            ("a-of-9-tokens", None, 8_191, 8, "a-of-9-tokens_"),
            ("a_", None, 8_191, 8, "a_"),
        ] {
            let model = Model {
                dimensions,
                max_tokens,
                ..Model::named(model)
            };
            assert_eq!(model.label(), label);
            assert_eq!(Model::of_label(label, dim), model);
        }
        // As versions before the mark wrote it.
        assert_eq!(Model::of_label("voyage-3", 1_024), Model::named("voyage-3"));
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
