use crate::{
    AuditParams, CheckedAuditParams, Error, Result, Task, auditor::Auditor, panel::Panel,
    result::Audit, table::Tables,
};

impl CheckedAuditParams {
    /// Audits the order of the rows.
    ///
    /// `models` names the LLMs, for messages and the result; each task has one column for each of them.
    ///
    /// Cost, with `N` rows, `M` LLMs and `K` widths: `N (M K)^2 / 2` multiplications for the correlations and some `N M (K + 2)` operations per
    /// permutation, on all threads. No result depends on their number.
    ///
    /// # Errors
    /// - [`Error::Empty`] without LLMs or tasks. A single LLM is allowed: its finding and the verdict are undetermined.
    /// - [`Error::Columns`], [`Error::Rows`], [`Error::NotFinite`] where the tasks do not fit together or hold an infinite score.
    /// - [`Error::TooFewPermutations`] if the smallest p-value, over all LLMs, is above the significance.
    pub fn audit(&self, models: &[String], tasks: &[Task]) -> Result<Audit> {
        let params = self.params();
        let panel = Panel::new(models, tasks)?;
        check_permutations(params, &panel)?;
        let tables = Tables::new(&panel, &params.candidate_widths);
        let auditor = Auditor::new(params, &panel, &tables);
        let (found, rivals) = auditor.search();
        let mut models = auditor.models(models, &found, &rivals);
        let n_parts = auditor.number_parts(&mut models, &found);
        Ok(Audit {
            verdict: auditor.verdict(&models, &found, n_parts),
            models,
            tasks: auditor.tasks(tasks, &found),
        })
    }
}

fn check_permutations(params: &AuditParams, panel: &Panel) -> Result<()> {
    let n_models = (0..panel.n_models).filter(|&i| panel.varies(i)).count();
    let needed = (n_models as f64 / params.significance).ceil() as usize;
    if params.n_permutations + 1 < needed {
        return Err(Error::TooFewPermutations {
            n_permutations: params.n_permutations,
            n_models,
            significance: params.significance,
            needed: needed - 1,
        });
    }
    Ok(())
}
