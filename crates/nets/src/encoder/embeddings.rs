use tch::{TchError, Tensor, nn};

use super::{
    EncoderConfig,
    linear::{LayerNorm, table},
};

/// The sum of a token's, a position's and a type's vector, normalized.
#[derive(Debug)]
pub(super) struct Embeddings {
    words: Tensor,       // (vocab_size, dim)
    positions: Tensor,   // (n_positions, dim)
    token_types: Tensor, // (n_token_types, dim)
    norm: LayerNorm,
    first_position: i64,
}

impl Embeddings {
    pub(super) fn new(path: &nn::Path<'_>, config: &EncoderConfig) -> Self {
        let table = |name: &str, n_rows| table(&(path / name), n_rows, config.dim);
        Self {
            words: table("word_embeddings", config.vocab_size),
            positions: table("position_embeddings", config.n_positions),
            token_types: table("token_type_embeddings", config.n_token_types),
            norm: LayerNorm::new(&(path / "LayerNorm"), config),
            first_position: config.first_position as i64,
        }
    }

    pub(super) fn share(&self) -> Self {
        Self {
            words: self.words.shallow_clone(),
            positions: self.positions.shallow_clone(),
            token_types: self.token_types.shallow_clone(),
            norm: self.norm.share(),
            first_position: self.first_position,
        }
    }

    /// Takes ids `(batch, tokens)`. Every text starts in its row's first column, and all its tokens are of type 0.
    pub(super) fn forward(&self, ids: &Tensor) -> Result<Tensor, TchError> {
        let n_tokens = ids.size()[1];
        let positions = self.positions.f_narrow(0, self.first_position, n_tokens)?; // (tokens, dim)
        let of_all_texts = positions.f_add(&self.token_types.f_select(0, 0)?)?;
        let (no_padding_idx, by_frequency, sparse) = (-1, false, false);
        let words = Tensor::f_embedding(&self.words, ids, no_padding_idx, by_frequency, sparse)?;
        self.norm.forward(&words.f_add(&of_all_texts)?) // (batch, tokens, dim)
    }
}
