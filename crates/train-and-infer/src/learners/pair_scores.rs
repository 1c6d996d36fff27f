use anyhow::{Context as _, bail};
use dataset::{Pair, Split};
use ndarray::ArrayView1;

use crate::setup::Setup;

/// The pair's true scores, those of the small LLM first.
pub(super) fn pair_scores<'a>(
    setup: &Setup,
    split: &'a Split,
) -> anyhow::Result<[ArrayView1<'a, f32>; 2]> {
    let Pair { small, large } = setup
        .info
        .pair
        .as_ref()
        .context("the data set names no pair")?;
    let column = |name: &String| {
        let column = split.models.iter().position(|model| model == name);
        column.with_context(|| {
            format!(
                "`{name}`, which `{}` names in its pair, is not among the LLMs: {}",
                setup.dir.info().display(),
                split.models.join(", ")
            )
        })
    };
    let (small_column, large_column) = (column(small)?, column(large)?);
    if small_column == large_column {
        bail!(
            "the pair in `{}` is `{small}` twice",
            setup.dir.info().display()
        );
    }
    Ok([small_column, large_column].map(|column| split.scores.column(column)))
}
