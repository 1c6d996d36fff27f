use dataset::{PairIdx, Split};
use ndarray::ArrayView1;

use crate::setup::Setup;

/// The pair's observed scores, those of the small LLM first.
///
/// # Errors
/// For a pair that is not two of the split's LLMs.
pub(super) fn pair_scores<'a>(
    setup: &Setup,
    split: &'a Split,
) -> dataset::Result<[ArrayView1<'a, f32>; 2]> {
    let pair = setup.info.pair.as_ref();
    let pair = pair.expect("a router that needs a pair is refused where there is none");
    let PairIdx { small, large } = pair.positions(&setup.dir.info(), &split.models)?;
    Ok([small, large].map(|model_idx| split.scores.column(model_idx)))
}
