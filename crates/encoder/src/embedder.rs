use std::fmt;

use ndarray::Array2;
use tokenizers::Tokenizer;

use crate::Result;

/// What turns prompts into vectors on this machine.
pub trait PromptEmbedder: fmt::Debug + Send + Sync {
    /// Width of a vector.
    fn dim(&self) -> usize;

    /// The longest prompt in tokens, special ones included, of which no part is cut off; `None` where there is no longest one.
    fn max_tokens(&self) -> Option<usize>;

    /// What splits prompts, without truncation and padding.
    fn tokenizer(&self) -> &Tokenizer;

    /// One vector per prompt, in their order. `on_progress` is told of prompts as they are done.
    ///
    /// # Errors
    /// What the embedder says of a prompt, or of itself.
    fn embed(&self, prompts: &[String], on_progress: &(dyn Fn(u64) + Sync)) -> Result<Embedded>;
}

/// Vectors of prompts.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// Shape `(n_prompts, dim)`, in the prompts' order.
    pub values: Array2<f32>,
    /// For each prompt whether it was longer than the model can take and lost a part.
    pub is_truncated: Vec<bool>,
}

impl Embedded {
    /// How many prompts lost a part.
    pub fn n_truncated(&self) -> usize {
        self.is_truncated.iter().filter(|it| **it).count()
    }
}
