//! The trees of `linfa-nn`.

use linfa_nn::{NearestNeighbour, distance::L2Dist};
use ndarray::{Array2, Axis};

use super::Asked;

/// As [`super::Search::means`]; the error is what the library says.
pub(super) fn means(
    tree: &impl NearestNeighbour,
    asked: Asked<'_>,
) -> Result<Vec<Array2<f64>>, String> {
    let (outputs, queries) = (asked.outputs, asked.queries);
    let index = tree
        .from_batch(asked.points, L2Dist)
        .map_err(|error| error.to_string())?;
    let ks = asked.ks;
    let k_max = ks.iter().copied().max().unwrap_or_default();
    let mut means = vec![Array2::zeros((queries.nrows(), outputs.ncols())); ks.len()];
    for (i, query) in queries.axis_iter(Axis(0)).enumerate() {
        let found = index
            .k_nearest(query, k_max)
            .map_err(|error| error.to_string())?;
        // In one order whatever the tree, so that sums round alike.
        let mut found: Vec<(f64, usize)> = found
            .into_iter()
            .map(|(point, row)| (squared_distance(query.as_slice(), point.as_slice()), row))
            .collect();
        found.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for (means, &k) in means.iter_mut().zip(ks) {
            let mut mean = means.row_mut(i);
            for &(_, row) in &found[..k] {
                for (mean, &output) in mean.iter_mut().zip(outputs.row(row)) {
                    *mean += f64::from(output);
                }
            }
            mean /= k as f64;
        }
    }
    Ok(means)
}

fn squared_distance(a: Option<&[f64]>, b: Option<&[f64]>) -> f64 {
    let (a, b) = a.zip(b).expect("rows of points lie side by side");
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
}
