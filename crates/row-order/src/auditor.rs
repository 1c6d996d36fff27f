use std::num::NonZeroUsize;

use rayon::prelude::*;

use crate::{
    AuditParams, Task,
    assign::{Constraint, search},
    margin::Margins,
    panel::Panel,
    parts::parts,
    permute::{Permutations, holm, mean_pair_correlation},
    result::{Finding, ModelAudit, TaskAudit, Verdict},
    table::{PairTable, Tables},
};

/// What all parts of an audit look at.
pub(crate) struct Auditor<'a> {
    params: &'a AuditParams,
    panel: &'a Panel,
    tables: &'a Tables,
    margins: Margins<'a>,
    permutations: Permutations,
}

/// The explanation that comes closest to the one found while an LLM has another width.
pub(crate) struct Rival {
    width: usize,
    margin_z: f64,
}

impl<'a> Auditor<'a> {
    pub(crate) fn new(params: &'a AuditParams, panel: &'a Panel, tables: &'a Tables) -> Self {
        Self {
            params,
            panel,
            tables,
            margins: Margins::new(tables, &params.candidate_widths),
            permutations: Permutations {
                n: params.n_permutations,
                seed: params.seed,
            },
        }
    }

    /// Each LLM's width, by number, and its rival.
    pub(crate) fn search(&self) -> (Vec<usize>, Vec<Rival>) {
        let total = &self.tables.total;
        let mut found = search(total, Constraint::default());
        loop {
            let alternatives: Vec<Vec<(usize, Vec<usize>)>> = (0..self.panel.n_models)
                .into_par_iter()
                .map(|model| self.alternatives(&found, model, None))
                .collect();
            // A search from a forced start may come upon something better than the free one.
            let sum = total.sum(&found, None);
            let better = alternatives
                .iter()
                .flatten()
                .find(|(_, widths)| total.sum(widths, None) > sum + total.tolerance());
            if let Some((_, better)) = better {
                found.clone_from(better);
                continue;
            }
            let rivals = alternatives.iter().map(|alternatives| {
                let rivals = alternatives.iter().map(|(width, widths)| Rival {
                    width: *width,
                    margin_z: self.margins.z(&found, widths, None),
                });
                rivals
                    .min_by(|x, y| x.margin_z.total_cmp(&y.margin_z))
                    .expect("checked parameters have two widths")
            });
            let rivals = rivals.collect();
            return (found, rivals);
        }
    }

    /// For each other width of an LLM, the best explanation in which it has that one.
    fn alternatives(
        &self,
        found: &[usize],
        model: usize,
        absent: Option<usize>,
    ) -> Vec<(usize, Vec<usize>)> {
        let search = |width| {
            let fixed = Some((model, width));
            (
                width,
                search(&self.tables.total, Constraint { absent, fixed }),
            )
        };
        (0..self.params.candidate_widths.len())
            .filter(|&width| width != found[model])
            .map(search)
            .collect()
    }

    /// From this margin on the rival is ruled out.
    ///
    /// The difference of two uncorrelated z has variance 2. By Chernoff's bound the chance that a normal one exceeds `x` is below
    /// `exp(-x^2 / 4) / 2`; there are `M (K - 1)` rivals, all of which must stay below the significance together. An approximation, unlike the
    /// p-values: the search chose both explanations.
    fn least_margin_z(&self) -> f64 {
        let n_rivals = self.panel.n_models * (self.params.candidate_widths.len() - 1);
        let chance = 2.0 * self.params.significance / n_rivals as f64;
        2.0 * (-chance.ln()).max(0.0).sqrt()
    }

    /// How the other LLMs may be ordered, as far as they show it without this one: the best arrangement, and those that are not ruled out and give
    /// another width to the LLM that correlates most.
    fn arrangements_without(&self, model: usize) -> Vec<Vec<usize>> {
        let total = &self.tables.total;
        let absent = Some(model);
        let best = search(
            total,
            Constraint {
                absent,
                fixed: None,
            },
        );
        let fit = |&j: &usize| total.with_others((j, best[j]), &best, absent);
        let others = (0..self.panel.n_models).filter(|&j| j != model);
        let Some(anchor) = others.max_by(|i, j| fit(i).total_cmp(&fit(j))) else {
            return vec![best];
        };
        let rivals = self
            .alternatives(&best, anchor, absent)
            .into_iter()
            .map(|(_, widths)| widths)
            .filter(|widths| self.margins.z(&best, widths, absent) < self.least_margin_z())
            .collect::<Vec<_>>();
        std::iter::once(best.clone()).chain(rivals).collect()
    }

    pub(crate) fn models(
        &self,
        names: &[String],
        found: &[usize],
        rivals: &[Rival],
    ) -> Vec<ModelAudit> {
        let widths = &self.params.candidate_widths;
        let p_values: Vec<f64> = (0..names.len())
            .into_par_iter()
            .map(|model| {
                let arrangements = self.arrangements_without(model);
                self.permutations
                    .model_p_value(self.panel, model, &arrangements, widths)
            })
            .collect();
        let published = Tables::new(self.panel, &[NonZeroUsize::MIN]).total;
        let as_published = vec![0; names.len()];
        let audit = |(model, (name, (&p_value, adjusted_p_value)))| {
            let name: &String = name;
            let model: usize = model;
            let rival = &rivals[model];
            let z = |width: usize| self.z(model, width, found);
            let runner_up = (0..widths.len())
                .filter(|&width| width != found[model])
                .max_by(|&a, &b| z(a).total_cmp(&z(b)))
                .expect("checked parameters have two widths");
            // A p-value that is NaN is not small, and so leaves the width undetermined.
            let finding = if adjusted_p_value <= self.params.significance {
                if rival.margin_z >= self.least_margin_z() {
                    Finding::Determined
                } else {
                    Finding::Ambiguous
                }
            } else {
                Finding::Undetermined
            };
            ModelAudit {
                name: name.clone(),
                finding,
                part: None,
                n_rows: self.n_rows(model),
                best_width: widths[found[model]],
                z: z(found[model]),
                runner_up_width: widths[runner_up],
                runner_up_z: z(runner_up),
                rival_width: widths[rival.width],
                margin_z: rival.margin_z,
                p_value,
                adjusted_p_value,
                mean_correlation_published: self.mean_correlation(&published, model, &as_published),
                mean_correlation_found: self.mean_correlation(&self.tables.total, model, found),
            }
        };
        let adjusted = holm(&p_values);
        names
            .iter()
            .zip(p_values.iter().zip(adjusted))
            .enumerate()
            .map(audit)
            .collect()
    }

    fn n_rows(&self, model: usize) -> usize {
        let tasks = self.panel.tasks.iter();
        tasks
            .filter(|task| task.columns[model].is_some())
            .map(|task| task.n_rows)
            .sum()
    }

    fn z(&self, model: usize, width: usize, found: &[usize]) -> f64 {
        let others: Vec<usize> = (0..self.panel.n_models).filter(|&j| j != model).collect();
        let tasks = self.tables.tasks.iter().filter(|task| task.n_rows > 1);
        let variance: f64 = tasks
            .map(|task| {
                let own = task.pairs.squared_length(&[model], found);
                own * task.pairs.squared_length(&others, found) / (task.n_rows - 1) as f64
            })
            .sum();
        // Without variance this is 0 by 0.
        self.tables.total.with_others((model, width), found, None) / variance.sqrt()
    }

    fn mean_correlation(&self, products: &PairTable, model: usize, widths: &[usize]) -> f64 {
        let correlations: Vec<f64> = (0..self.panel.n_models)
            .filter(|&other| other != model)
            .filter_map(|other| {
                let lengths = self.tables.tasks.iter().map(|task| {
                    let square = |i| task.pairs.get((i, 0), (i, 0));
                    (square(model) * square(other)).sqrt()
                });
                let n_rows: f64 = lengths.sum();
                let product = products.get((model, widths[model]), (other, widths[other]));
                (n_rows > 0.0).then(|| product / n_rows)
            })
            .collect();
        correlations.iter().sum::<f64>() / correlations.len() as f64
    }

    /// Says of each LLM that fits others to which part of the LLMs it belongs. Gives the number of parts.
    pub(crate) fn number_parts(&self, models: &mut [ModelAudit], found: &[usize]) -> usize {
        // As in `least_margin_z`, but a z of one product has variance 1, and the chance is below exp(-x^2 / 2) / 2. Any two LLMs may be the first to be
        // joined, under the best of all widths.
        let n_pairs = models.len() * models.len().saturating_sub(1) / 2;
        let n_choices = (n_pairs * self.params.candidate_widths.len()).max(1);
        let chance = 2.0 * self.params.significance / n_choices as f64;
        let least_z = (-2.0 * chance.ln()).max(0.0).sqrt();
        let parts = parts(self.tables, found, &fitting(models), least_z);
        for (number, part) in parts.iter().enumerate() {
            for &model in part {
                models[model].part = Some(number);
            }
        }
        parts.len()
    }

    pub(crate) fn verdict(
        &self,
        models: &[ModelAudit],
        found: &[usize],
        n_parts: usize,
    ) -> Verdict {
        let fitting = fitting(models);
        if fitting.len() < 2 {
            return Verdict::Undetermined;
        }
        if fitting.iter().all(|&i| found[i] == found[fitting[0]]) {
            // One width for all says nothing of parts that do not correlate.
            return match n_parts {
                1 => Verdict::OneOrder,
                _ => Verdict::Undetermined,
            };
        }
        let mut as_one = found.to_vec();
        for i in fitting {
            as_one[i] = 0;
        }
        if self.margins.z(found, &as_one, None) >= self.least_margin_z() {
            Verdict::SeveralOrders
        } else {
            Verdict::Undetermined
        }
    }

    pub(crate) fn tasks(&self, tasks: &[Task], found: &[usize]) -> Vec<TaskAudit> {
        let widths = |numbers: &[usize]| -> Vec<NonZeroUsize> {
            numbers
                .iter()
                .map(|&number| self.params.candidate_widths[number])
                .collect()
        };
        let published = vec![NonZeroUsize::MIN; found.len()];
        let found = widths(found);
        let mut audits: Vec<TaskAudit> = (0..tasks.len())
            .into_par_iter()
            .map(|task_idx| {
                let task = &self.panel.tasks[task_idx];
                let others = self.tables.total.minus(&self.tables.tasks[task_idx].pairs);
                let held_out = widths(&search(&others, Constraint::default()));
                let [p_published, p_held_out] =
                    self.permutations
                        .task_p_values(task, task_idx, [&published, &held_out]);
                let is_only = tasks.len() == 1;
                let held_out_or_nan = |value: f64| if is_only { f64::NAN } else { value };
                TaskAudit {
                    name: tasks[task_idx].name.clone(),
                    n_rows: task.n_rows,
                    n_models: task.columns.iter().flatten().count(),
                    mean_correlation_published: mean_pair_correlation(task, &published),
                    mean_correlation_found: mean_pair_correlation(task, &found),
                    mean_correlation_held_out: held_out_or_nan(mean_pair_correlation(
                        task, &held_out,
                    )),
                    p_published,
                    p_held_out: held_out_or_nan(p_held_out),
                    adjusted_p_held_out: f64::NAN,
                }
            })
            .collect();
        let p_values: Vec<f64> = audits.iter().map(|audit| audit.p_held_out).collect();
        for (audit, adjusted) in audits.iter_mut().zip(holm(&p_values)) {
            audit.adjusted_p_held_out = adjusted;
        }
        audits
    }
}

/// The LLMs whose rows fit others'.
fn fitting(models: &[ModelAudit]) -> Vec<usize> {
    (0..models.len())
        .filter(|&i| models[i].finding != Finding::Undetermined)
        .collect()
}
