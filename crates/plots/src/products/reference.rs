//! Figures as the reference draws them, mistakes included, to compare with the published ones: `--reference-quirks`.

use anyhow::Context as _;
use evaluation::{
    CurvePoint, Point, Predicted, Router, Truth,
    baseline::{ZeroRouter, mean_costs, model_positions},
    curve::{Grid, ThresholdGrid, grid_curve, threshold_grid_curve},
};

use super::{comparisons, evaluated::Evaluated};
use crate::{
    data::{
        comparison::{ComparedCurve, Comparison},
        contenders::{Contender, Role, contenders},
        inputs::Inputs,
        series::is_in_binary_figures,
    },
    output::outcome::Outcome,
    settings::{
        product::Product,
        quirks::{BinaryQuirks, RuleQuirks},
    },
};

/// Draws a figure's `-reference` beside it, where that is asked for.
///
/// # Errors
/// When a curve cannot be computed, the data set lacks an LLM that was picked, or the figure cannot be drawn.
pub(crate) fn draw(
    product: Product,
    of: &Evaluated<'_>,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    if !of.job.reference_quirks {
        return Ok(());
    }
    let dataset = &of.inputs.name;
    let stem = format!("{}-reference", of.job.settings.stem(product, dataset));
    let quirks = of.job.settings.reference_quirks.get(dataset);
    let curves = match product {
        Product::Binary => quirks
            .and_then(|quirks| quirks.binary)
            .map(|quirks| binary_curves(of.inputs, quirks)),
        Product::VsRb => quirks
            .and_then(|quirks| quirks.vs_rb.as_ref())
            .map(|quirks| rule_curves(of.inputs, quirks)),
        Product::VsRbZero => quirks
            .and_then(|quirks| quirks.vs_rb_zero.as_ref())
            .map(|quirks| rule_curves(of.inputs, quirks)),
        _ => None,
    };
    let Some(curves) = curves else {
        outcome.skip(
            format!("{dataset}/{stem}"),
            "the reference has no such figure",
            format!(
                "define one as `[reference-quirks.{dataset}.{}]` in a file passed to --config",
                product.name().replace('_', "-")
            ),
        );
        return Ok(());
    };
    let way = match product {
        Product::Binary => "the reference's way",
        _ => "the reference's way (test costs)",
    };
    let comparison = Comparison {
        dataset: dataset.clone(),
        title: format!("{dataset}: {way}"),
        curves: curves?,
        models: of.results.models.clone(),
        // The same names come first as in the figure beside it, so that the two can be compared at a glance.
        named_first: of.job.settings.named_first(dataset),
        oracle: None,
    };
    comparisons::draw(of.job, &stem, &[comparison], outcome)
}

/// Grids of lambdas and thresholds in place of all.
fn binary_curves(inputs: &Inputs, quirks: BinaryQuirks) -> anyhow::Result<Vec<ComparedCurve>> {
    let truth = Truth::of(inputs.test())?;
    curves(inputs, contenders(inputs)?, |contender| {
        if !is_in_binary_figures(&contender.series) {
            return Ok(None);
        }
        let grid = Grid {
            n_steps: quirks.n_steps,
            cost_multiplier: quirks.cost_multiplier,
        };
        let thresholds = ThresholdGrid {
            n_steps: quirks.n_thresholds,
            margin: quirks.threshold_margin,
        };
        let curve = match contender.router {
            Router::PerModel { predicted, .. } => grid_curve(&truth, predicted, grid)?,
            Router::Pair {
                pair,
                small_win_probability,
            } => threshold_grid_curve(&truth, pair, small_win_probability, thresholds)?,
            Router::Zero => return Ok(None),
        };
        Ok(Some(curve.known_points().collect()))
    })
}

/// A grid of lambdas in place of all, the RouterBench rule with the means of the *test* costs, which no router knows, and with a
/// multiplier of its own, and a zero router through LLMs picked by hand, where the settings name any.
fn rule_curves(inputs: &Inputs, quirks: &RuleQuirks) -> anyhow::Result<Vec<ComparedCurve>> {
    let truth = Truth::of(inputs.test())?;
    // The reference takes the means of the very costs that it then reports. It is drawn that way here to compare with the published figure;
    // `vs_rb` itself takes those of the train part.
    let test_means = mean_costs(&truth);
    curves(inputs, contenders(inputs)?, |contender| {
        Ok(match (contender.role, contender.router) {
            (Role::PerModelRouter, Router::PerModel { predicted, .. }) => {
                with_grid(&truth, predicted, quirks.n_steps, quirks.cost_multiplier)?
            }
            // Its own means, those of the train part, give way to those of the test part.
            (Role::RouterBenchRule, Router::PerModel { predicted, .. }) => with_grid(
                &truth,
                predicted.with_mean_costs(&test_means)?,
                quirks.n_steps,
                quirks.rule_cost_multiplier,
            )?,
            (Role::Zero, _) if !quirks.zero_router.is_empty() => {
                let picked = model_positions(&inputs.test().models, &quirks.zero_router)?;
                let line = ZeroRouter::polyline(&truth, &picked)?;
                Some(without_lambda(line.points()))
            }
            _ => None,
        })
    })
}

fn with_grid(
    truth: &Truth<'_>,
    predicted: Predicted<'_>,
    n_steps: usize,
    cost_multiplier: f64,
) -> evaluation::Result<Option<Vec<CurvePoint>>> {
    let grid = Grid {
        n_steps,
        cost_multiplier,
    };
    let curve = grid_curve(truth, predicted, grid)?;
    Ok(Some(curve.known_points().collect()))
}

/// The curves of the contenders for which `points` has any.
fn curves<'a>(
    inputs: &Inputs,
    contenders: Vec<Contender<'a>>,
    points: impl Fn(&Contender<'a>) -> evaluation::Result<Option<Vec<CurvePoint>>>,
) -> anyhow::Result<Vec<ComparedCurve>> {
    let mut curves = Vec::new();
    for contender in contenders {
        let points = points(&contender).with_context(|| {
            format!(
                "cannot evaluate `{}` on `{}`",
                contender.series.key(),
                inputs.name
            )
        })?;
        curves.extend(points.map(|points| ComparedCurve {
            series: contender.series,
            points,
        }));
    }
    Ok(curves)
}

/// Points without lambdas.
fn without_lambda(points: Vec<Point>) -> Vec<CurvePoint> {
    let point = |point: Point| CurvePoint {
        setting: f64::NAN,
        cost_usd: point.cost_usd,
        accuracy: point.accuracy,
    };
    points.into_iter().map(point).collect()
}
