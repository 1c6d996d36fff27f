//! The figure `vs_rb_zero` as the reference draws it, mistakes included, to hold against the published one: `--reference-quirks`.

use anyhow::Context as _;
use evaluation::{
    CurvePoint, Grid, Point, Predicted, Router, Truth, ZeroRouter, grid_curve, mean_costs,
    model_positions,
};

use crate::{
    contenders::{Role, contenders},
    inputs::Inputs,
    results::Results,
    scene::{Scene, SceneCurve},
    settings::QuirkSettings,
};

/// The scene: a grid of lambdas in place of all, the RouterBench rule with the means of the *test* costs, which no router knows, and with a
/// multiplier of its own, and a zero router through LLMs picked by hand, where the settings name any. `None` without the rule.
///
/// # Errors
/// When a curve cannot be computed, or the data set lacks an LLM that was picked.
pub(crate) fn vs_rb_zero(
    inputs: &Inputs,
    results: &Results,
    quirks: &QuirkSettings,
) -> anyhow::Result<Option<Scene>> {
    let truth = Truth::of(&inputs.test)?;
    let test_means = mean_costs(&truth);
    let grid = |cost_multiplier: f64| Grid {
        n_steps: quirks.n_steps,
        cost_multiplier,
    };
    let (mut curves, mut has_rule) = (Vec::new(), false);
    for contender in contenders(inputs)? {
        let with_grid = |predicted: Predicted<'_>, multiplier: f64| {
            grid_curve(&truth, predicted, grid(multiplier))
                .map(|curve| curve.points)
                .with_context(|| {
                    format!("cannot evaluate `{}` on `{}`", contender.key, inputs.name)
                })
        };
        let points = match (contender.role, contender.router) {
            (Role::PerModelRouter, Router::PerModel { predicted, .. }) => {
                with_grid(predicted, quirks.cost_multiplier)?
            }
            // Its own means, those of the training split, give way to those of the test split.
            (Role::RouterBenchRule, Router::PerModel { predicted, .. }) => with_grid(
                predicted.with_mean_costs(&test_means)?,
                quirks.rule_cost_multiplier,
            )?,
            (Role::Zero, _) if !quirks.zero_router.is_empty() => {
                let picked = model_positions(&inputs.test.models, &quirks.zero_router)?;
                without_lambda(ZeroRouter::polyline(&truth, &picked)?.points())
            }
            _ => continue,
        };
        has_rule |= contender.role == Role::RouterBenchRule;
        curves.push(SceneCurve {
            key: contender.key,
            name: contender.name,
            style: contender.style,
            is_mixture: contender.role == Role::Zero,
            points,
        });
    }
    // As in `Results::vs_rb_zero`: without a training split there is no rule to compare.
    Ok(has_rule.then(|| Scene {
        title: format!("{}: the reference's way (test costs)", inputs.name),
        curves,
        models: results.models.clone(),
        oracle: None,
    }))
}

/// Points without lambdas.
fn without_lambda(points: Vec<Point>) -> Vec<CurvePoint> {
    let point = |point: Point| CurvePoint {
        lambda: f64::NAN,
        cost_usd: point.cost_usd,
        accuracy: point.accuracy,
    };
    points.into_iter().map(point).collect()
}
