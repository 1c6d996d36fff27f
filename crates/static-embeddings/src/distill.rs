//! Static embeddings out of a sentence embedder.

mod error;
mod folder;
mod vocabulary;

use intrinsic_dimension::PrincipalAxes;
use ndarray::{Array2, ArrayView2, Axis};

use self::error::Result;
pub use self::{error::DistillError, folder::SourceModel, vocabulary::Vocabulary};

/// How a static embedder is made, as it is read.
#[derive(Debug, Clone, PartialEq)]
pub struct DistillParams {
    /// Length of a vector; that of the network's vectors where it is shorter.
    pub dim: usize,
    /// a in the weight a / (a + p) of a token with probability p: the smaller, the less a frequent token counts.
    pub sif_coefficient: f64,
}

/// The same, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedDistillParams(DistillParams);

/// A static embedder, ready to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Distilled {
    vectors: Array2<f32>,
    /// tokenizer.json.
    tokenizer: String,
    params: DistillParams,
}

impl Distilled {
    /// Shape `(n_tokens, dim)`, zero for tokens that no text has.
    pub fn vectors(&self) -> ArrayView2<'_, f32> {
        self.vectors.view()
    }
}

impl DistillParams {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`encoder::Error::BadParameter`].
    pub fn check(self) -> encoder::Result<CheckedDistillParams> {
        let bad = |name, found: String, expected| {
            Err(encoder::Error::BadParameter {
                name,
                found,
                expected,
            })
        };
        if self.dim == 0 {
            return bad("dim", self.dim.to_string(), "a number of at least 1");
        }
        let a = self.sif_coefficient;
        if !(a > 0.0 && a < 1.0) {
            return bad("sif-coefficient", a.to_string(), "a number between 0 and 1");
        }
        Ok(CheckedDistillParams(self))
    }
}

impl CheckedDistillParams {
    /// Makes a static embedder of what a network says of each token alone.
    ///
    /// ```text
    /// u[t] = w[r(t)] axes^T (x[t] - m)
    ///   x     vectors of the tokens that texts have             (n_used, dim of the network)
    ///   m     their mean
    ///   axes  the first `dim` principal axes of x, each turned so that the largest of its |axes^T (x[t] - m)| is positive
    ///   r     the token's rank in the vocabulary, 0, 1, ...
    ///   w[r]  a / (a + p[r]), p[r] = (1 / (r + 2)) / sum over s of 1 / (s + 2)
    /// ```
    ///
    /// The weight is that of smooth inverse frequency (Arora, Liang and Ma 2017), with frequencies by Zipf's law, as a vocabulary's order is about that
    /// of frequency. `vectors` are those of [`Vocabulary::sequences`], in that order.
    ///
    /// Source: model2vec 0.10, `distill`.
    ///
    /// # Deviations
    /// - Model2Vec takes tokens that no text has out of the vocabulary; here they keep their numbers, and their vectors are zero.
    /// - It counts the padding token and the one for unknown words among the others; here neither has a vector or a rank.
    /// - Its default for a is 1e-4, and it rounds vectors to float16; here they stay float32.
    ///
    /// # Errors
    /// [`DistillError::NoAxes`] when a vector is not finite, or all are equal.
    pub fn distill(
        &self,
        vocabulary: &Vocabulary,
        vectors: ArrayView2<'_, f32>,
    ) -> Result<Distilled> {
        let params = &self.0;
        let n_used = vocabulary.used().len();
        assert_eq!(
            vectors.nrows(),
            n_used,
            "a vector for each token that is used"
        );
        let dim = params.dim.min(vectors.ncols());
        let axes = PrincipalAxes::of(vectors, dim)?;
        let mut scores = axes.scores(vectors); // (n_used, dim)
        for mut column in scores.axis_iter_mut(Axis(1)) {
            // The first of the largest, so that a tie has one answer.
            let largest = column.iter().fold(0.0_f64, |largest, &score| {
                if score.abs() > largest.abs() {
                    score
                } else {
                    largest
                }
            });
            if largest < 0.0 {
                column.mapv_inplace(|score| -score);
            }
        }
        let mut table = Array2::zeros((vocabulary.n_tokens(), dim));
        let weights = weights(n_used, params.sif_coefficient);
        let rows = vocabulary.used().iter().zip(scores.rows()).zip(weights);
        for ((&id, scores), weight) in rows {
            let row = scores.mapv(|score| (weight * score) as f32);
            table.row_mut(id as usize).assign(&row);
        }
        Ok(Distilled {
            vectors: table,
            tokenizer: vocabulary.tokenizer_json().to_owned(),
            params: params.clone(),
        })
    }
}

/// The weight of each rank.
fn weights(n: usize, a: f64) -> Vec<f64> {
    let shares: Vec<f64> = (0..n).map(|rank| 1.0 / (rank as f64 + 2.0)).collect();
    let total: f64 = shares.iter().sum();
    shares
        .into_iter()
        .map(|share| a / (a + share / total))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_those_of_the_formula() {
        // By hand: shares 6/13, 4/13, 3/13.
        let expected = [
            1.0 / (1.0 + 600.0 / 13.0),
            1.0 / (1.0 + 400.0 / 13.0),
            1.0 / (1.0 + 300.0 / 13.0),
        ];
        for (found, expected) in weights(3, 0.01).into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-15, "{found}");
        }
        assert!(weights(0, 0.5).is_empty());
    }

    #[test]
    fn parameters_that_make_no_sense_are_refused() {
        for (dim, sif_coefficient, name) in [
            (0, 0.5, "dim"),
            (1, 0.0, "sif-coefficient"),
            (1, 1.0, "sif-coefficient"),
            (1, f64::NAN, "sif-coefficient"),
        ] {
            let params = DistillParams {
                dim,
                sif_coefficient,
            };
            let error = params.check().expect_err(name).to_string();
            assert!(error.contains(name), "{error}");
        }
    }
}
