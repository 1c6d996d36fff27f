use ndarray::{Array2, ArrayView2, Axis};

use super::{
    lbfgs::minimize,
    likelihood::{Labelled, Likelihood},
    model::{PropensityCvScore, PropensityFit, PropensityModel},
    params::CheckedPropensityParams,
};
use crate::{Error, Result, UnitRows, fold_order::FoldOrder};

impl CheckedPropensityParams {
    /// Fits how likely each of `n_models` LLMs was asked for a prompt.
    ///
    /// ```text
    /// p_m(x) = exp(b_m + x . w_m) / sum over l of exp(b_l + x . w_l)                  x: the embedding, of length 1
    /// w, b   = argmin of  sum over rows of -log p_asked(x) + alpha / 2 sum over m of |w_m|^2
    /// alpha  = the one of the least log loss on a held-out part, from the strongest on until the loss rises twice; none of them where the LLMs'
    ///          shares alone have a lower loss
    /// ```
    ///
    /// `embeddings` has shape `(n_rows, dim)`; `asked` has for each row the LLM that was asked, `None` for a row that is left out. `groups`, where
    /// given, has one number per row: rows of one number are held out together. With fewer than `2 * n_folds` rows, and where all were asked of one
    /// LLM, there are only shares. Probabilities of the rows themselves are in-sample: for out-of-fold ones, fit without them.
    ///
    /// Cost in multiply-adds: a step takes `2 n_rows (dim + 1) n_models`, and each alpha 10 to 20 steps; `n_models dim^3 / 6` for each alpha's
    /// preconditioner.
    ///
    /// Source: scikit-learn's `LogisticRegression(C=1/alpha)`, whose probabilities these are (tests/propensity).
    ///
    /// # Deviations
    /// None in the fit. scikit-learn does not bring rows to length 1, and its `LogisticRegressionCV` goes by more than one part. linfa-logistic
    /// fits the same, but evaluates the loss and its gradient one after the other, without a preconditioner, on ndarray's products: on
    /// 16,000 rows of 384 numbers and 10 LLMs that is minutes, and it brings argmin.
    ///
    /// # Errors
    /// [`Error::Shape`] unless there is one entry of `asked` and of `groups` per row; [`Error::NoSuchClass`]; [`Error::Empty`] where no row is
    /// left; [`Error::NotFinite`], [`Error::TooManyRows`] for the embeddings.
    pub fn fit(
        &self,
        embeddings: ArrayView2<'_, f32>,
        asked: &[Option<usize>],
        n_models: usize,
        groups: Option<&[usize]>,
    ) -> Result<PropensityModel> {
        let n_rows = embeddings.nrows();
        let lengths = [Some(asked.len()), groups.map(<[usize]>::len)];
        if let Some(found) = lengths.into_iter().flatten().find(|&len| len != n_rows) {
            return Err(Error::Shape {
                what: "logged LLM",
                expected: (n_rows, 1),
                found: (found, 1),
            });
        }
        let (kept, labels): (Vec<usize>, Vec<usize>) = (asked.iter().enumerate())
            .filter_map(|(row, asked)| Some((row, (*asked)?)))
            .unzip();
        if let Some((&row, &class)) = kept.iter().zip(&labels).find(|(_, it)| **it >= n_models) {
            return Err(Error::NoSuchClass {
                row,
                class,
                n_classes: n_models,
            });
        }
        let rows = UnitRows::new(embeddings.select(Axis(0), &kept))?;
        let groups: Option<Vec<usize>> =
            groups.map(|groups| kept.iter().map(|&row| groups[row]).collect());
        let order = FoldOrder::shuffled(&rows, groups.as_deref(), self.0.n_folds, self.0.seed)?;
        let all = Labelled::new(rows.view(), labels, n_models);
        let n_seen = all.counts().iter().filter(|&&n| n > 0).count();
        let mut fit = PropensityFit {
            n_rows: all.n_rows(),
            alpha: None,
            cross_validation: Vec::new(),
        };
        if let Some(held_out) = order.folds().first()
            && n_seen > 1
        {
            let in_order: Vec<usize> = order.rows().to_vec();
            let part = |positions: &dyn Fn(usize) -> bool| {
                let rows_of: Vec<usize> = (0..in_order.len())
                    .filter(|&position| positions(position))
                    .map(|position| in_order[position])
                    .collect();
                let labels = rows_of.iter().map(|&row| all.label(row)).collect();
                Labelled::new(
                    rows.view().select(Axis(0), &rows_of).view(),
                    labels,
                    n_models,
                )
            };
            let judge = part(&|position| held_out.contains(&position));
            let train = part(&|position| !held_out.contains(&position));
            fit.cross_validation = self.cross_validate(&train, &judge);
            let best =
                (fit.cross_validation.iter()).min_by(|a, b| a.log_loss.total_cmp(&b.log_loss));
            fit.alpha = best.and_then(|best| best.alpha);
        }
        let start = all.shares_alone();
        let weights = match fit.alpha {
            None => start,
            Some(alpha) => minimize(&Likelihood::new(&all, &all.curvature(), alpha), start),
        };
        Ok(PropensityModel {
            weights,
            is_unseen: all.counts().into_iter().map(|n| n == 0).collect(),
            fit,
        })
    }

    /// The log loss of the shares alone and of each alpha, until it rises.
    fn cross_validate(&self, train: &Labelled, judge: &Labelled) -> Vec<PropensityCvScore> {
        let mut weights: Array2<f64> = train.shares_alone();
        let mut scores = vec![PropensityCvScore {
            alpha: None,
            log_loss: judge.log_loss(&weights),
        }];
        let curvature = train.curvature();
        for &alpha in &self.0.alphas {
            // From where the stronger penalty ended.
            weights = minimize(&Likelihood::new(train, &curvature, alpha), weights);
            let log_loss = judge.log_loss(&weights);
            scores.push(PropensityCvScore {
                alpha: Some(alpha),
                log_loss,
            });
            // Chance may make a loss rise once.
            if let [.., a, b, c] = &scores[..]
                && a.log_loss < b.log_loss
                && b.log_loss < c.log_loss
            {
                break;
            }
        }
        scores
    }
}
