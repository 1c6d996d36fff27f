//! What the figure shows: four panels of lines.

use charts::{
    draw::axis::Axis,
    panels::{Panel, PanelLine},
};
use intrinsic_dimension::{Dimension, DimensionParams};

use crate::{data::series::Series, products::percent::percent};

/// The first principal components shown one by one, as in the reference's figure (CARROT, somerstep/CARROT at 3e6acff, `plots_bw`).
const N_SCREE: usize = 100;

/// The four panels, and the line above them.
pub(super) fn panels(
    dimension: &Dimension,
    dataset: &str,
    embedder: &str,
    params: &DimensionParams,
    max_ticks: usize,
) -> (String, [Panel; 4]) {
    let principal = &dimension.principal;
    let title = format!(
        "{dataset}, {embedder}: {} prompts, {} dimensions",
        count(principal.n_points),
        count(principal.dim)
    );
    (
        title,
        [
            scree(dimension, max_ticks),
            cumulative(dimension, max_ticks),
            kernel(dimension, params, max_ticks),
            isomap(dimension, max_ticks),
        ],
    )
}

fn scree(dimension: &Dimension, max_ticks: usize) -> Panel {
    let variances = &dimension.principal.variances;
    let total: f64 = variances.iter().sum();
    let shares: Vec<f64> = variances
        .iter()
        .take(N_SCREE)
        .map(|variance| variance / total)
        .collect();
    let title = format!("PCA, first {} components", shares.len());
    shares_panel(title, "Component", &shares, max_ticks)
}

fn cumulative(dimension: &Dimension, max_ticks: usize) -> Panel {
    let principal = &dimension.principal;
    let shares = &principal.cumulative_shares;
    let reached = || {
        principal.n_dimensions.iter().map(|reached| {
            (
                reached.n_dimensions,
                shares[reached.n_dimensions - 1],
                reached.share,
            )
        })
    };
    Panel {
        dots: reached().map(|(n, share, _)| (n as f64, share)).collect(),
        notes: reached()
            .map(|(n, _, asked)| format!("{} in {}", percent(asked), count(n)))
            .collect(),
        ..shares_panel(
            "PCA, cumulative".to_owned(),
            "Components",
            shares,
            max_ticks,
        )
    }
}

fn kernel(dimension: &Dimension, params: &DimensionParams, max_ticks: usize) -> Panel {
    let kernel = &dimension.kernel;
    let shares: Vec<f64> = kernel
        .eigenvalues
        .iter()
        .map(|value| value / kernel.total)
        .collect();
    // The components computed hold only a part of the variance, which the panel must say: their shares do not add up to 1.
    let held = kernel.cumulative_shares.last().copied().unwrap_or_default();
    let title = format!("Kernel PCA, {} prompts", count(kernel.n_points));
    Panel {
        notes: vec![
            format!(
                "gamma {}/{}",
                params.kernel.gamma_times_dim, dimension.principal.dim
            ),
            format!("{:.1}% in {}", 100.0 * held, count(shares.len())),
        ],
        ..shares_panel(title, "Component", &shares, max_ticks)
    }
}

fn isomap(dimension: &Dimension, max_ticks: usize) -> Panel {
    let isomap = &dimension.isomap;
    let points: Vec<(f64, f64)> = isomap
        .errors
        .iter()
        .map(|error| (error.n_components as f64, error.error))
        .collect();
    let most = isomap
        .errors
        .iter()
        .map(|error| error.n_components)
        .max()
        .unwrap_or(1);
    let mut notes = vec![format!("{} neighbors", isomap.n_neighbors)];
    // A graph of neighbors in several parts has infinite distances. They were bridged, which a reader has to know.
    if isomap.n_parts > 1 {
        notes.push(format!("{} parts, linked", count(isomap.n_parts)));
    }
    Panel {
        title: format!("Isomap, {} prompts", count(isomap.n_points)),
        x_title: "Components",
        y_title: "Reconstruction error",
        x: count_axis(0, most, max_ticks),
        y: Axis::linear(
            (0.0, points.iter().map(|point| point.1).fold(0.0, f64::max)),
            (0.0, f64::INFINITY),
            max_ticks,
        ),
        lines: vec![PanelLine {
            points: points.clone(),
            line: Series::Spectrum.named_line(),
        }],
        dots: points,
        notes,
    }
}

/// Shares of the variance by component, counted from 1.
fn shares_panel(title: String, x_title: &'static str, shares: &[f64], max_ticks: usize) -> Panel {
    Panel {
        title,
        x_title,
        y_title: "Share of variance",
        x: count_axis(1, shares.len(), max_ticks),
        y: share_axis(shares, max_ticks),
        lines: vec![line(shares)],
        dots: Vec::new(),
        notes: Vec::new(),
    }
}

/// Values over 1, 2, ...
fn line(values: &[f64]) -> PanelLine {
    PanelLine {
        points: values
            .iter()
            .enumerate()
            .map(|(i, &value)| ((i + 1) as f64, value))
            .collect(),
        line: Series::Spectrum.named_line(),
    }
}

fn count_axis(from: usize, to: usize, max_ticks: usize) -> Axis {
    // A single component still needs a span in whole numbers.
    Axis::linear(
        (from as f64, to.max(from + 1) as f64),
        (0.0, f64::INFINITY),
        max_ticks.min(to.max(2)),
    )
}

fn share_axis(shares: &[f64], max_ticks: usize) -> Axis {
    let most = shares.iter().copied().fold(0.0, f64::max);
    Axis::linear((0.0, most), (0.0, 1.0), max_ticks)
}

/// A number with a comma between thousands.
fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        for (n, expected) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (44_241, "44,241"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(count(n), expected);
        }
    }
}
