use encoder::{EncoderConfig, Positions};
use tch::{Kind, TchError, Tensor, nn};

use super::{
    linear::{LayerNorm, dropout, table},
    pass::Pass,
};

/// The sum of a token's, a position's and a type's vector, normalized.
#[derive(Debug)]
pub(super) struct Embeddings {
    words: Tensor,       // (vocab_size, dim)
    positions: Tensor,   // (n_positions, dim)
    token_types: Tensor, // (n_token_types, dim)
    norm: LayerNorm,
    counted: Positions,
    pad_id: i64,
}

impl Embeddings {
    pub(super) fn new(path: &nn::Path<'_>, config: &EncoderConfig) -> Self {
        let table = |name: &str, n_rows| table(&(path / name), n_rows, config.dim);
        Self {
            words: table("word_embeddings", config.vocab_size),
            positions: table("position_embeddings", config.n_positions),
            token_types: table("token_type_embeddings", config.n_token_types),
            norm: LayerNorm::new(&(path / "LayerNorm"), config),
            counted: config.positions,
            pad_id: i64::from(config.pad_id),
        }
    }

    pub(super) fn share(&self) -> Self {
        Self {
            words: self.words.shallow_clone(),
            positions: self.positions.shallow_clone(),
            token_types: self.token_types.shallow_clone(),
            norm: self.norm.share(),
            counted: self.counted,
            pad_id: self.pad_id,
        }
    }

    /// Takes ids `(batch, tokens)`. Every text starts in its row's first column, and all its tokens are of type 0.
    pub(super) fn forward(&self, ids: &Tensor, pass: &Pass) -> Result<Tensor, TchError> {
        let words = self.look_up(&self.words, ids)?;
        let positions = match self.counted {
            Positions::FromZero => self.positions.f_narrow(0, 0, ids.size()[1])?, // (tokens, dim)
            Positions::AfterPadId => {
                let is_word = ids.f_ne(self.pad_id)?.f_to_kind(Kind::Int64)?;
                let rows = is_word.f_cumsum(1, Kind::Int64)?.f_mul(&is_word)?;
                self.look_up(&self.positions, &rows.f_add_scalar(self.pad_id)?)? // (batch, tokens, dim)
            }
        };
        let sum = words.f_add(&positions.f_add(&self.token_types.f_select(0, 0)?)?)?;
        dropout(&self.norm.forward(&sum)?, pass.hidden_dropout) // (batch, tokens, dim)
    }

    /// The rows of a table. That of padding is never learned, as in PyTorch's `Embedding(padding_idx=...)`.
    fn look_up(&self, table: &Tensor, rows: &Tensor) -> Result<Tensor, TchError> {
        let (by_frequency, sparse) = (false, false);
        Tensor::f_embedding(table, rows, self.pad_id, by_frequency, sparse)
    }
}
