use std::path::Path;

use serde_json::{Map, Value};
use tch::{Kind, TchError, Tensor};

use crate::{Error, Result, encoder::Batch, json};

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
const MIN_TOKENS: f64 = 1e-9;

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

    /// The texts' vectors, `(batch, n_modes * dim)`, from the tokens' `(batch, tokens, dim)`. The first `n_skipped` tokens of each text are left
    /// out.
    pub(crate) fn forward(
        &self,
        hidden: &Tensor,
        batch: &Batch,
        n_skipped: usize,
    ) -> Result<Tensor, TchError> {
        let mask = mask(hidden, batch, n_skipped)?;
        let pooled = self
            .modes
            .iter()
            .map(|mode| mode.forward(hidden, mask.as_ref()))
            .collect::<Result<Vec<Tensor>, _>>()?;
        match &pooled[..] {
            [one] => Ok(one.shallow_clone()),
            several => Tensor::f_cat(several, 1),
        }
    }
}

impl Mode {
    fn forward(self, hidden: &Tensor, mask: Option<&Tensor>) -> Result<Tensor, TchError> {
        let (_, n_tokens, _) = hidden.size3()?;
        let Some(mask) = mask else {
            let sum = || hidden.f_sum_dim_intlist(1, false, None);
            return match self {
                Self::Cls => hidden.f_select(1, 0),
                Self::LastToken => hidden.f_select(1, n_tokens - 1),
                Self::Max => hidden.f_amax(1, false),
                Self::Mean => hidden.f_mean_dim(1, false, None),
                Self::MeanSqrtLen => sum()?.f_div_scalar((n_tokens as f64).sqrt()),
                Self::WeightedMean => weighted(hidden, &positions(hidden, n_tokens)?),
            };
        };
        let count = || {
            mask.f_sum_dim_intlist(1, true, None)?
                .f_clamp_min(MIN_TOKENS)
        };
        match self {
            Self::Cls => at(hidden, &mask.f_argmax(1, false)?),
            Self::LastToken => {
                // The first of the last is found from behind.
                let from_behind = mask.f_flip([1])?.f_argmax(1, false)?;
                let last = from_behind.f_neg()?.f_add_scalar(n_tokens - 1)?;
                // Where no token counts, the vector is zero.
                let counts = mask.f_amax([1], true)?;
                at(hidden, &last)?.f_mul(&counts)
            }
            Self::Max => {
                let is_left_out = mask.f_eq(0.)?.f_unsqueeze(2)?;
                hidden
                    .f_masked_fill(&is_left_out, f64::NEG_INFINITY)?
                    .f_amax(1, false)
            }
            Self::Mean => weighted_sum(hidden, mask)?.f_div(&count()?),
            Self::MeanSqrtLen => weighted_sum(hidden, mask)?.f_div(&count()?.f_sqrt()?),
            Self::WeightedMean => weighted(hidden, &positions(hidden, n_tokens)?.f_mul(mask)?),
        }
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

/// 1 for the tokens that count, 0 for others, `(batch, tokens)`; `None` when all do.
fn mask(hidden: &Tensor, batch: &Batch, n_skipped: usize) -> Result<Option<Tensor>, TchError> {
    let (n_texts, n_tokens, _) = hidden.size3()?;
    let own = match &batch.mask {
        Some(mask) => mask.f_to_kind(hidden.kind())?,
        None if n_skipped == 0 => return Ok(None),
        None => Tensor::f_ones([n_texts, n_tokens], (hidden.kind(), hidden.device()))?,
    };
    if n_skipped > 0 {
        let n_skipped = i64::try_from(n_skipped).unwrap_or(i64::MAX).min(n_tokens);
        let _ = own.f_narrow(1, 0, n_skipped)?.f_zero_()?;
    }
    Ok(Some(own))
}

/// 1, 2, 3, ... for each text's tokens, `(1, tokens)`.
fn positions(hidden: &Tensor, n_tokens: i64) -> Result<Tensor, TchError> {
    Tensor::f_arange_start(1, n_tokens + 1, (Kind::Float, hidden.device()))?.f_unsqueeze(0)
}

fn weighted_sum(hidden: &Tensor, weights: &Tensor) -> Result<Tensor, TchError> {
    let (n_texts, n_tokens, _) = hidden.size3()?;
    let weights = weights.f_expand([n_texts, n_tokens], false)?;
    weights.f_unsqueeze(1)?.f_bmm(hidden)?.f_squeeze_dim(1)
}

fn weighted(hidden: &Tensor, weights: &Tensor) -> Result<Tensor, TchError> {
    let sum = weights.f_sum_dim_intlist(1, true, None)?;
    weighted_sum(hidden, weights)?.f_div(&sum.f_clamp_min(MIN_TOKENS)?)
}

/// The vector at each text's position, `(batch, dim)`.
fn at(hidden: &Tensor, positions: &Tensor) -> Result<Tensor, TchError> {
    let (n_texts, _, dim) = hidden.size3()?;
    let index = positions
        .f_view([n_texts, 1, 1])?
        .f_expand([n_texts, 1, dim], false)?;
    hidden.f_gather(1, &index, false)?.f_squeeze_dim(1)
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
