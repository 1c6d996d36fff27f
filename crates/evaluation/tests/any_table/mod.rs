//! Random tables as proptest draws them.

use std::ops::Range;

use evaluation::curve::exact_curve;
use proptest::prelude::*;

use crate::tables::{Kind, Table, random_table};

/// Tables with at least one prompt that has an LLM to choose.
pub(crate) fn any_table(
    n_prompts: Range<usize>,
    n_models: Range<usize>,
) -> impl Strategy<Value = Table> {
    let kind = prop_oneof![Just(Kind::Fine), Just(Kind::Coarse), Just(Kind::Holes)];
    (kind, n_prompts, n_models, any::<u64>())
        .prop_map(|(kind, n_prompts, n_models, seed)| random_table(kind, n_prompts, n_models, seed))
        .prop_filter("a prompt with a choice", |table| {
            exact_curve(&table.truth(), table.predicted()).is_ok()
        })
}
