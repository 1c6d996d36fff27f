use std::ops::Range;

use ndarray::ArrayView2;

use super::{
    folded::FoldedNeighbors,
    model::Knn,
    paper::{self, Folded},
    params::{CheckedKnnParams, KnnParams, Selection, grown_neighbors},
    sampled::SampledRows,
    shuffled::{self, Learned},
    target::{CvScore, Target, TargetFit, output_ranges, side_by_side},
};
use crate::{
    Error, InMemory, Result, RoutingCosts, Rows, UnitRows,
    completion::is_mostly_alone,
    fold_order::FoldOrder,
    folds::k_folds,
    neighbors::{self, Ask, NeighborLists},
};

/// Rows among which neighbors were searched for, ready to fit any targets of theirs; made by [`CheckedKnnParams::prepare`].
#[derive(Debug)]
pub struct PreparedKnn {
    params: KnnParams,
    rows: UnitRows,
    /// As they were given.
    groups: Option<Vec<usize>>,
    search: Search,
}

/// Each row's neighbors in other folds.
#[derive(Debug)]
enum Search {
    /// Too few rows for a choice.
    None,
    Paper {
        folds: Vec<Range<usize>>,
        ks: Vec<usize>,
        lists: NeighborLists,
    },
    Shuffled {
        order: FoldOrder,
        neighbors: FoldedNeighbors,
    },
    /// `None` where no k is allowed.
    Sampled(Option<SampledRows>),
}

impl CheckedKnnParams {
    /// Chooses k for each target by cross-validation and keeps all rows, brought to length 1, as neighbors-to-be.
    ///
    /// ```text
    /// prediction(x) = mean of y_i over the k rows i with the highest cos(x, x_i)
    /// k             = the first of the candidates with the best mean over folds of R2, as `KFold(n_folds)` cuts the rows
    /// R2            = mean over outputs of 1 - sum (y - prediction)^2 / sum (y - mean y)^2
    /// ```
    ///
    /// `embeddings` has shape `(n_rows, dim)`, each target `(n_rows, n_outputs)`. `on_progress` counts rows searched for. One search, in which
    /// each row finds its nearest rows outside its own fold, serves all k and all targets. Cost: 0.4 n^2 dim multiply-adds with five folds.
    ///
    /// Source: the reference's `KNeighborsRegressor(metric="cosine")` under `cross_val_score(cv=5)`, in
    /// somerstep/CARROT at 3e6acff.
    ///
    /// With `tune_queries` of m above 0, k is chosen by m rows drawn by the seed in the place of folds, each predicted from its nearest among all rows
    /// but itself, its copies and its group: R2 is over these rows, and what k is chosen by has a standard error. Cost: m n dim multiply-adds. A
    /// sample of the rows that are searched *among* would shift k, which grows with them; a sample of those that are searched *for* does not.
    ///
    /// With [`Selection::Utility`] this needs [`CheckedKnnParams::prepare`] and [`PreparedKnn::fit_to_route`] instead.
    ///
    /// # Deviations
    /// scikit-learn breaks ties between equally near rows arbitrarily; here the lower row number wins. scikit-learn refuses unknown values. With
    /// [`Selection::Paper`] they are left out: a prediction is the mean over those of the k neighbors that have a value, or over all rows where
    /// none has one; a score counts known values only, and in a fold none of an output that is known in no other. With the other
    /// selections they are filled in from what else their rows know ([`crate::completed`], once for all folds, by all rows of the fit); where most
    /// known values are alone in their rows, as in a log of one answer per prompt, k counts for each output the neighbors that know it, and what
    /// they say is drawn to what all outputs share, by a strength chosen by the same folds ([`Knn::counting_known`]). A candidate that exceeds the rows of
    /// the smallest training side is left out, where scikit-learn fails. With fewer than `2 * n_folds` rows there is no cross-validation, and
    /// k is the first candidate; no k exceeds the number of rows.
    ///
    /// # Errors
    /// As [`CheckedKnnParams::prepare`] and [`PreparedKnn::fit`].
    pub fn fit(
        &self,
        embeddings: ArrayView2<'_, f32>,
        targets: &[Target],
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Knn> {
        // Before the search, which may take minutes.
        side_by_side(embeddings.nrows(), targets)?;
        self.prepare(embeddings, on_progress)?.fit(targets)
    }

    /// Searches for each row's neighbors in the other folds: all that a fit needs and that does not depend on its targets.
    ///
    /// The paper's folds are its own and know no groups. `on_progress` counts rows searched for. Memory: the rows, and 4 bytes for each row and neighbor up
    /// to the largest k; with shuffled folds the rows once more while they are searched.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::NotFinite`] or [`Error::TooManyRows`] for the embeddings; [`Error::Shape`] when there is not one group per
    /// row; [`Error::Backend`].
    pub fn prepare<'a>(
        &self,
        rows: impl Into<Rows<'a>>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<PreparedKnn> {
        let given = rows.into();
        let params = self.0.clone();
        let rows = UnitRows::new(given.embeddings.to_owned())?;
        let search = match params.selection {
            _ if params.tune_queries > 0 => Search::Sampled(SampledRows::search(
                &rows,
                given.groups,
                &params,
                on_progress,
            )?),
            Selection::R2 | Selection::Utility => {
                let (order, neighbors) = shuffled(&params, &rows, given.groups, on_progress)?;
                Search::Shuffled { order, neighbors }
            }
            Selection::Paper | Selection::Auto => unshuffled(&params, &rows, on_progress)?,
        };
        Ok(PreparedKnn {
            params,
            rows,
            groups: given.groups.map(<[usize]>::to_vec),
            search,
        })
    }
}

fn shuffled(
    params: &KnnParams,
    rows: &UnitRows,
    groups: Option<&[usize]>,
    on_progress: &(dyn Fn(u64) + Sync),
) -> Result<(FoldOrder, FoldedNeighbors)> {
    let order = FoldOrder::shuffled(rows, groups, params.n_folds, params.seed)?;
    let sorted = order.unit_rows(rows)?;
    let ks = &grown_neighbors(&params.n_neighbors, rows.n_rows());
    let neighbors =
        FoldedNeighbors::search(&sorted, order.folds(), ks, params.backend, on_progress)?;
    Ok((order, neighbors))
}

fn unshuffled(
    params: &KnnParams,
    rows: &UnitRows,
    on_progress: &(dyn Fn(u64) + Sync),
) -> Result<Search> {
    let n_rows = rows.n_rows();
    let folds = k_folds(n_rows, params.n_folds);
    let n_others = n_rows - folds.first().map_or(0, Range::len);
    let ks = params.n_neighbors.iter().copied();
    let ks: Vec<usize> = ks.filter(|&k| k <= n_others).collect();
    // With one row in a fold its R2 has no variance to be measured against.
    if n_rows < 2 * params.n_folds || ks.is_empty() {
        on_progress(n_rows as u64);
        return Ok(Search::None);
    }
    let ask = Ask {
        ks: &ks,
        backend: params.backend,
        on_progress,
    };
    let lists = neighbors::nearest_in_other_folds(rows, &folds, ask)?;
    Ok(Search::Paper { folds, ks, lists })
}

impl PreparedKnn {
    /// Fits targets of the rows, each of shape `(n_rows, n_outputs)`, by R2 ([`CheckedKnnParams::fit`]).
    ///
    /// # Errors
    /// [`Error::Shape`] when a target has other rows than the embeddings; [`Error::Empty`] for a target without columns;
    /// [`Error::BadParameter`] with [`Selection::Utility`], which judges choices and so needs dollars.
    pub fn fit(&self, targets: &[Target]) -> Result<Knn> {
        if let Search::Sampled(sampled) = &self.search {
            if self.params.selection == Selection::Utility {
                return Err(Error::BadParameter {
                    name: "selection",
                    found: "utility".to_owned(),
                    expected: "paper or r2, for a fit that knows no dollars",
                });
            }
            side_by_side(self.rows.n_rows(), targets)?;
            return match self.by_all_rows(targets)? {
                Some(by_all) => by_all.fit(targets),
                None => self.fit_sampled(targets, sampled.as_ref(), None),
            };
        }
        let values = side_by_side(self.rows.n_rows(), targets)?;
        let outputs = output_ranges(targets);
        let tables = match &self.search {
            Search::None => vec![Vec::new(); targets.len()],
            Search::Paper { folds, ks, lists } => {
                let folded = Folded { folds, lists, ks };
                paper::cross_validate(&folded, values.view(), &outputs)
            }
            Search::Shuffled { order, neighbors } if self.params.selection == Selection::R2 => {
                let ks = grown_neighbors(&self.params.n_neighbors, self.rows.n_rows());
                let folded = self.shuffled(order, neighbors, &ks);
                let learned = Learned::new(&folded, targets)?;
                let tables = learned.r2();
                let chosen = tables.iter().map(|table| best(table)).collect();
                return self.keep(learned.targets(), chosen, tables);
            }
            Search::Shuffled { .. } | Search::Sampled(_) => {
                return Err(Error::BadParameter {
                    name: "selection",
                    found: "utility".to_owned(),
                    expected: "paper or r2, for a fit that knows no dollars",
                });
            }
        };
        let chosen = tables.iter().map(|table| best(table)).collect();
        self.keep(targets, chosen, tables)
    }

    /// Fits scores, and costs where they are to be predicted (two targets, in this order), by what routing gains.
    ///
    /// ```text
    /// k of costs    the first with the least out-of-fold squared error of differences between LLMs
    /// k of scores   the first with the highest mean over the worths of the out-of-fold gain over not routing
    /// ```
    ///
    /// With another selection than [`Selection::Utility`] this is [`PreparedKnn::fit`].
    ///
    /// # Errors
    /// As [`PreparedKnn::fit`]; [`Error::RoutingTargets`] for other targets; [`Error::Shape`] for dollars of other rows or LLMs.
    pub fn fit_to_route(&self, targets: &[Target], costs: &RoutingCosts<'_>) -> Result<Knn> {
        if let (Selection::Utility, Search::Sampled(sampled)) =
            (self.params.selection, &self.search)
        {
            side_by_side(self.rows.n_rows(), targets)?;
            costs.check(targets)?;
            return match self.by_all_rows(targets)? {
                Some(by_all) => by_all.fit_to_route(targets, costs),
                None => self.fit_sampled(targets, sampled.as_ref(), Some(costs)),
            };
        }
        let (Selection::Utility, Search::Shuffled { order, neighbors }) =
            (self.params.selection, &self.search)
        else {
            return self.fit(targets);
        };
        side_by_side(self.rows.n_rows(), targets)?;
        costs.check(targets)?;
        let ks = grown_neighbors(&self.params.n_neighbors, self.rows.n_rows());
        let folded = self.shuffled(order, neighbors, &ks);
        let learned = Learned::new(&folded, targets)?;
        let (chosen, tables) = learned.cross_validate(costs)?.into_iter().unzip();
        self.keep(learned.targets(), chosen, tables)
    }

    /// The choice of k by sampled rows; by what routing gains where `costs` are given.
    fn fit_sampled(
        &self,
        targets: &[Target],
        sampled: Option<&SampledRows>,
        costs: Option<&RoutingCosts<'_>>,
    ) -> Result<Knn> {
        // The paper's way leaves unknown values out.
        let learned: Vec<Target> = match self.params.selection {
            Selection::Paper | Selection::Auto => targets.to_vec(),
            Selection::R2 | Selection::Utility => targets.iter().map(Target::completed).collect(),
        };
        let n_folds = self.params.n_folds;
        let chosen = match (sampled, costs) {
            (None, _) => vec![(None, Vec::new()); targets.len()],
            (Some(sampled), None) => sampled.by_r2(targets, &learned),
            (Some(sampled), Some(costs)) => sampled.by_gain(targets, &learned, costs, n_folds)?,
        };
        let (chosen, tables) = chosen.into_iter().unzip();
        let n_queries = sampled.map(SampledRows::n_queries);
        self.keep_chosen_by(n_queries, &learned, chosen, tables)
    }

    /// The same rows searched by all of them, where sampled rows cannot choose: in a log with one answer per prompt k counts the neighbors that know
    /// an LLM, and each LLM has its own.
    fn by_all_rows(&self, targets: &[Target]) -> Result<Option<Self>> {
        let leaves_out = matches!(self.params.selection, Selection::Paper | Selection::Auto);
        let is_log = |target: &Target| is_mostly_alone(target.values.view());
        if leaves_out || !targets.iter().any(is_log) {
            return Ok(None);
        }
        tracing::warn!(
            "`tune-queries` has no effect on a log with one answer per prompt: k is chosen by all {} rows",
            self.rows.n_rows()
        );
        let params = KnnParams {
            tune_queries: 0,
            ..self.params.clone()
        };
        let (order, neighbors) = shuffled(&params, &self.rows, self.groups.as_deref(), &|_| ())?;
        Ok(Some(Self {
            params,
            rows: self.rows.clone(),
            groups: self.groups.clone(),
            search: Search::Shuffled { order, neighbors },
        }))
    }

    fn shuffled<'a>(
        &'a self,
        order: &'a FoldOrder,
        neighbors: &'a FoldedNeighbors,
        ks: &'a [usize],
    ) -> shuffled::Folded<'a> {
        shuffled::Folded {
            order,
            neighbors,
            rows: &self.rows,
            ks,
        }
    }

    fn keep(
        &self,
        targets: &[Target],
        chosen: Vec<Option<usize>>,
        tables: Vec<Vec<CvScore>>,
    ) -> Result<Knn> {
        self.keep_chosen_by(None, targets, chosen, tables)
    }

    fn keep_chosen_by(
        &self,
        n_queries: Option<usize>,
        targets: &[Target],
        chosen: Vec<Option<usize>>,
        tables: Vec<Vec<CvScore>>,
    ) -> Result<Knn> {
        let n_rows = self.rows.n_rows();
        let fits = targets.iter().zip(chosen).zip(tables);
        let fits = fits.map(|((target, k), cross_validation)| {
            let n_neighbors = k.unwrap_or(self.params.n_neighbors[0]).min(n_rows);
            let mut scores = cross_validation.iter();
            let chosen = scores.find(|score| score.n_neighbors == n_neighbors);
            TargetFit {
                target: target.name.clone(),
                n_neighbors,
                prior_values: chosen.and_then(|score| score.prior_values),
                n_queries,
                cross_validation,
            }
        });
        let values = side_by_side(n_rows, targets)?;
        Ok(Knn::new(
            InMemory::new(self.rows.clone(), values, self.params.backend)?,
            fits.collect(),
            output_ranges(targets),
        ))
    }
}

/// The first of the best; a score that is not defined is never the best.
pub(super) fn best(table: &[CvScore]) -> Option<usize> {
    let defined = table.iter().filter(|score| !score.mean_r2.is_nan());
    defined
        .reduce(|best, score| {
            if score.mean_r2 > best.mean_r2 {
                score
            } else {
                best
            }
        })
        .map(|score| score.n_neighbors)
}
