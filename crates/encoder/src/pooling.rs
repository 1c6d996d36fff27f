use std::path::Path;

use serde_json::{Map, Value};

use crate::{Error, Result, json};

/// How the vectors of a text's tokens become the text's vector: by one or several modes, whose vectors are put one behind the other.
///
/// Source: `Pooling` of sentence-transformers 6.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pooling {
    modes: Vec<Mode>,
    /// Whether the tokens of a prompt that stands before every text count too.
    pub(crate) includes_prompt: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// The first token's vector.
    Cls,
    /// The largest value of each dimension.
    Max,
    /// The mean.
    Mean,
    /// The sum, divided by the square root of the number of tokens.
    MeanSqrtLen,
    /// The mean weighted by position, the first token by 1, the second by 2.
    WeightedMean,
    /// The last token's vector.
    LastToken,
}

/// The modes by their names, and by the flags of versions before 5.4, in the order in which several are put together.
const MODES: [(Mode, &str, &str); 6] = [
    (Mode::Cls, "cls", "pooling_mode_cls_token"),
    (Mode::Max, "max", "pooling_mode_max_tokens"),
    (Mode::Mean, "mean", "pooling_mode_mean_tokens"),
    (
        Mode::MeanSqrtLen,
        "mean_sqrt_len_tokens",
        "pooling_mode_mean_sqrt_len_tokens",
    ),
    (
        Mode::WeightedMean,
        "weightedmean",
        "pooling_mode_weightedmean_tokens",
    ),
    (Mode::LastToken, "lasttoken", "pooling_mode_lasttoken"),
];
const SUPPORTED: &str =
    "`cls`, `max`, `mean`, `mean_sqrt_len_tokens`, `weightedmean`, `lasttoken`, or a list of them";
/// Keeps divisions by a number of tokens finite, as sentence-transformers does.
const MIN_TOKENS: f32 = 1e-9;

impl Pooling {
    /// The mean of all tokens.
    pub(crate) fn mean() -> Self {
        Self {
            modes: vec![Mode::Mean],
            includes_prompt: true,
        }
    }

    /// Reads `1_Pooling/config.json`.
    ///
    /// # Errors
    /// [`Error::Mistaken`] or [`Error::Dataset`], or [`Error::Unsupported`] for modes that are none.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let keys: Map<String, Value> = json::read(path)?;
        let unsupported = |key: &'static str, found: String, supported: &str| Error::Unsupported {
            path: path.to_owned(),
            key,
            found,
            supported: supported.to_owned(),
        };
        let includes_prompt = match keys.get("include_prompt") {
            None => true,
            Some(Value::Bool(includes_prompt)) => *includes_prompt,
            Some(other) => {
                return Err(unsupported(
                    "include_prompt",
                    other.to_string(),
                    "`true`, `false`",
                ));
            }
        };
        let modes = match keys.get("pooling_mode") {
            Some(value) => named(value)
                .ok_or_else(|| unsupported("pooling_mode", value.to_string(), SUPPORTED))?,
            None => {
                flagged(&keys).map_err(|flag| unsupported("pooling_mode_*", flag, SUPPORTED))?
            }
        };
        Ok(Self {
            modes,
            includes_prompt,
        })
    }

    /// Values of a text's vector for each value of a token's.
    pub(crate) fn n_modes(&self) -> usize {
        self.modes.len()
    }

    /// A text's vector, of `n_modes * dim` values, from its tokens' `(tokens, dim)`. The first `n_skipped` tokens are left out.
    pub(crate) fn forward(&self, tokens: &[f32], dim: usize, n_skipped: usize) -> Vec<f32> {
        let tokens: Vec<&[f32]> = tokens.chunks_exact(dim).collect();
        let n_skipped = n_skipped.min(tokens.len());
        let mut vector = vec![0.; self.modes.len() * dim];
        for (mode, part) in self.modes.iter().zip(vector.chunks_exact_mut(dim)) {
            mode.forward(&tokens, n_skipped, part);
        }
        vector
    }
}

impl Mode {
    /// Fills a vector of zeros. Where no token counts it stays one, but for the first token's and the largest values.
    fn forward(self, tokens: &[&[f32]], n_skipped: usize, vector: &mut [f32]) {
        let counted = &tokens[n_skipped..];
        let n = (counted.len() as f32).max(MIN_TOKENS);
        let weight = |token_idx: usize| match self {
            // Positions count all tokens.
            Self::WeightedMean => (n_skipped + token_idx + 1) as f32,
            _ => 1.,
        };
        match self {
            Self::Cls => copy(counted.first().or(tokens.first()), vector),
            Self::LastToken => copy(counted.last(), vector),
            Self::Max => {
                vector.fill(f32::NEG_INFINITY);
                for token in counted {
                    for (max, value) in vector.iter_mut().zip(*token) {
                        // As PyTorch, what is no number is the largest.
                        if *value > *max || value.is_nan() {
                            *max = *value;
                        }
                    }
                }
            }
            Self::Mean | Self::MeanSqrtLen | Self::WeightedMean => {
                for (token_idx, token) in counted.iter().enumerate() {
                    let weight = weight(token_idx);
                    for (sum, value) in vector.iter_mut().zip(*token) {
                        *sum += weight * value;
                    }
                }
                let divisor = match self {
                    Self::MeanSqrtLen => n.sqrt(),
                    Self::WeightedMean => {
                        let sum: f32 = (0..counted.len()).map(weight).sum();
                        sum.max(MIN_TOKENS)
                    }
                    _ => n,
                };
                for sum in vector {
                    *sum /= divisor;
                }
            }
        }
    }
}

fn copy(token: Option<&&[f32]>, vector: &mut [f32]) {
    if let Some(token) = token {
        vector.copy_from_slice(token);
    }
}

/// The modes that `pooling_mode` names, one or a list.
fn named(value: &Value) -> Option<Vec<Mode>> {
    let mode = |value: &Value| {
        let name = value.as_str()?;
        MODES
            .iter()
            .find_map(|(mode, known, _)| (*known == name).then_some(*mode))
    };
    match value {
        Value::Array(names) if !names.is_empty() => names.iter().map(mode).collect(),
        one => Some(vec![mode(one)?]),
    }
}

/// The modes whose flags are set, or the flag that is not known.
fn flagged(keys: &Map<String, Value>) -> Result<Vec<Mode>, String> {
    let is_set = |value: &Value| match value {
        Value::Bool(is_set) => *is_set,
        Value::Number(number) => number.as_f64() != Some(0.),
        _ => false,
    };
    let set: Vec<&str> = keys
        .iter()
        .filter(|(key, value)| key.starts_with("pooling_mode_") && is_set(value))
        .map(|(key, _)| key.as_str())
        .collect();
    if let Some(unknown) = set
        .iter()
        .find(|key| MODES.iter().all(|(_, _, known)| known != *key))
    {
        return Err((*unknown).to_owned());
    }
    let modes = MODES.iter().filter(|(_, _, flag)| set.contains(flag));
    let modes: Vec<Mode> = modes.map(|(mode, ..)| *mode).collect();
    Ok(match modes.is_empty() {
        true => vec![Mode::Mean],
        false => modes,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn modes_are_read_in_every_form() {
        use Mode::{Cls, LastToken, Max, Mean, WeightedMean};
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("config.json");
        let read = |value: Value| {
            std::fs::write(&path, value.to_string()).expect("written");
            Pooling::read(&path).map(|pooling| (pooling.modes, pooling.includes_prompt))
        };
        for (value, modes, includes_prompt) in [
            (
                json!({"pooling_mode": "weightedmean"}),
                vec![WeightedMean],
                true,
            ),
            (
                json!({"pooling_mode": ["max", "cls"]}),
                vec![Max, Cls],
                true,
            ),
            (json!({}), vec![Mean], true),
            (json!({"pooling_mode_mean_tokens": false}), vec![Mean], true),
            (
                json!({"pooling_mode_cls_token": 1, "include_prompt": false}),
                vec![Cls],
                false,
            ),
            (
                json!({"pooling_mode_lasttoken": true, "pooling_mode_cls_token": true}),
                vec![Cls, LastToken],
                true,
            ),
            // The new key wins over flags beside it.
            (
                json!({"pooling_mode": "cls", "pooling_mode_max_tokens": true}),
                vec![Cls],
                true,
            ),
        ] {
            let found = read(value.clone()).expect("read");
            assert_eq!(found, (modes, includes_prompt), "{value}");
        }
        for (value, part) in [
            (json!({"pooling_mode": "median"}), "`\"median\"`"),
            (json!({"pooling_mode": []}), "`[]`"),
            (json!({"pooling_mode": null}), "`null`"),
            (json!({"pooling_mode": ["cls", 3]}), "3]`"),
            (
                json!({"pooling_mode_median": true}),
                "`pooling_mode_median`",
            ),
            (json!({"include_prompt": "no"}), "include_prompt"),
        ] {
            let error = read(value).expect_err("no pooling").to_string();
            assert!(error.contains(part), "{error}, {part}");
        }
    }
}
