use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};
use tch::{TchError, Tensor};

use crate::{Error, ModelFiles, Result, encoder::Batch};

/// How the vectors of a text's tokens become the text's vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pooling {
    /// Their mean, padding left out.
    Mean,
    /// The first token's vector.
    Cls,
}

/// Keeps the division finite for a vector of zeros, as PyTorch's `normalize` does.
const MIN_NORM: f64 = 1e-12;

impl Pooling {
    /// Reads the steps that follow the encoder.
    ///
    /// # Errors
    /// [`Error::Dataset`], or [`Error::Unsupported`] when there are other steps than pooling and normalization.
    pub(crate) fn read(files: &ModelFiles) -> Result<Self> {
        if let Some(path) = &files.modules {
            check_modules(path)?;
        }
        let Some(path) = &files.pooling else {
            return Ok(Self::Mean);
        };
        let keys: Map<String, Value> = dataset::json::read(path)?;
        let modes: Vec<&str> = keys
            .iter()
            .filter(|(_, value)| **value == Value::Bool(true))
            .filter_map(|(key, _)| key.strip_prefix("pooling_mode_"))
            .collect();
        match modes[..] {
            ["mean_tokens"] => Ok(Self::Mean),
            ["cls_token"] => Ok(Self::Cls),
            _ => Err(Error::Unsupported {
                path: path.clone(),
                key: "pooling_mode_*",
                found: modes.join(", "),
                supported: "one of `mean_tokens` and `cls_token`",
            }),
        }
    }

    /// Vectors of length 1, `(batch, dim)`, from the tokens' `(batch, tokens, dim)`.
    pub(crate) fn forward(self, hidden: &Tensor, batch: &Batch) -> Result<Tensor, TchError> {
        let pooled = match (self, &batch.mask) {
            (Self::Cls, _) => hidden.f_select(1, 0)?,
            (Self::Mean, None) => hidden.f_mean_dim(1, false, None)?,
            (Self::Mean, Some(mask)) => {
                let weights = mask.f_to_kind(hidden.kind())?.f_unsqueeze(1)?; // (batch, 1, tokens)
                let n_tokens = weights.f_sum_dim_intlist(2, false, None)?; // (batch, 1)
                weights.f_bmm(hidden)?.f_squeeze_dim(1)?.f_div(&n_tokens)?
            }
        };
        let norms = pooled
            .f_norm_scalaropt_dim(2., 1, true)?
            .f_clamp_min(MIN_NORM)?; // (batch, 1)
        pooled.f_div(&norms)
    }
}

fn check_modules(path: &Path) -> Result<()> {
    #[derive(Deserialize)]
    struct Module {
        #[serde(rename = "type")]
        class: String,
    }
    let modules: Vec<Module> = dataset::json::read(path)?;
    for Module { class } in modules {
        let name = class.rsplit('.').next().unwrap_or(&class);
        if !["Transformer", "Pooling", "Normalize"].contains(&name) {
            return Err(Error::Unsupported {
                path: path.to_owned(),
                key: "type",
                found: class,
                supported: "`Transformer`, `Pooling`, `Normalize`",
            });
        }
    }
    Ok(())
}
