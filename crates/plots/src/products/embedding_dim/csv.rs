//! The numbers of the figure.

use intrinsic_dimension::Dimension;

use crate::output::tables::csv_of;

/// All numbers. `n` counts components, from 1; of `pca_dimensions` it is the answer, and the value the share of the variance.
pub(super) fn csv(dimension: &Dimension) -> String {
    let Dimension {
        principal,
        kernel,
        isomap,
    } = dimension;
    let mut records = vec![["quantity", "n", "value"].map(str::to_owned).to_vec()];
    let mut add = |quantity: &str, n: usize, value: f64| {
        records.push(vec![quantity.to_owned(), n.to_string(), value.to_string()]);
    };
    for (quantity, values) in [
        ("pca_variance", &principal.variances),
        ("pca_cumulative_share", &principal.cumulative_shares),
        ("kernel_pca_eigenvalue", &kernel.eigenvalues),
        ("kernel_pca_cumulative_share", &kernel.cumulative_shares),
    ] {
        for (i, &value) in values.iter().enumerate() {
            add(quantity, i + 1, value);
        }
    }
    for reached in &principal.n_dimensions {
        add("pca_dimensions", reached.n_dimensions, reached.share);
    }
    // The error without any dimension: what the other errors start from.
    add("isomap_error", 0, isomap.norm);
    for error in &isomap.errors {
        add("isomap_error", error.n_components, error.error);
    }
    csv_of(records)
}
