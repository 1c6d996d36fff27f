//! Which axes a scene needs: ranges, linear or logarithmic, dollars per query or per 1,000 queries.

use super::{
    scale_rules::{CostUnit, ScaleRules, XScale},
    scene::{DataPoint, Scene},
};
use crate::draw::axis::{Axis, range};

/// More decimals than these in a tick label are hard to read.
const MAX_TICK_DECIMALS: usize = 3;
/// Cost axis when nothing costs anything.
const FREE_AXIS_USD: f64 = 1e-3;

/// The cost axis with its unit.
pub struct CostAxis {
    /// Range and ticks, in the unit of the title.
    pub axis: Axis,
    /// What the axis counts in.
    pub title: &'static str,
    /// Units per US dollar and query.
    pub factor: f64,
}

/// The oracles, where they can all be shown without making the accuracy axis much longer; else none.
pub(super) fn oracles_that_fit(scenes: &[Scene], rules: &ScaleRules) -> Vec<Option<DataPoint>> {
    let none = vec![None; scenes.len()];
    let (Some((low, high)), Some((_, dearest))) = (
        range(points(scenes).map(|point| point.accuracy)),
        range(points(scenes).map(|point| point.cost_usd)),
    ) else {
        return none;
    };
    // With a single accuracy there is no span to grow; the axis is then a tenth of it to either side.
    let span = if high > low { high - low } else { 0.1 };
    // The cost axis must not grow at all for the oracle: it is cheap by nature, and one that costs more than everything else would push all
    // curves to the left.
    let fits = |oracle: DataPoint| {
        oracle.accuracy - high <= rules.oracle_room * span && oracle.cost_usd <= dearest
    };
    let oracles = || scenes.iter().map(|scene| scene.oracle);
    if oracles().flatten().all(fits) {
        oracles().collect()
    } else {
        none
    }
}

/// The accuracy axis, which holds all points and the oracles that are shown.
pub(super) fn accuracy_axis(
    scenes: &[Scene],
    oracles: &[Option<DataPoint>],
    max_ticks: usize,
) -> Axis {
    let oracles = oracles.iter().copied().flatten();
    let accuracies = points(scenes).chain(oracles).map(|point| point.accuracy);
    Axis::linear(
        range(accuracies).unwrap_or((0.0, 1.0)),
        (0.0, 1.0),
        max_ticks,
    )
}

/// The cost axis, likewise.
pub fn cost_axis(
    scenes: &[Scene],
    oracles: &[Option<DataPoint>],
    rules: &ScaleRules,
    max_ticks: usize,
) -> CostAxis {
    let oracles = oracles.iter().copied().flatten();
    let (cheapest, dearest) = range(points(scenes).chain(oracles).map(|point| point.cost_usd))
        .unwrap_or((0.0, FREE_AXIS_USD));
    let dearest = if dearest > 0.0 {
        dearest
    } else {
        FREE_AXIS_USD
    };
    // A free LLM has no place on a logarithmic axis, not even when the settings ask for one.
    let is_log = cheapest > 0.0
        && match rules.x_scale {
            XScale::Linear => false,
            XScale::Log => true,
            XScale::Auto => scenes.iter().any(|scene| is_crowded(scene, rules)),
        };
    let axis = |factor: f64| {
        if is_log {
            Axis::log((factor * cheapest, factor * dearest))
        } else {
            Axis::linear((0.0, factor * dearest), (0.0, f64::INFINITY), max_ticks)
        }
    };
    // The unit depends on the ticks, and the ticks on the range alone, so the axis in dollars per query is made first and looked at.
    let per_query = CostAxis {
        axis: axis(1.0),
        title: "Cost per query, $",
        factor: 1.0,
    };
    let is_per_query = match rules.cost_unit {
        CostUnit::PerQuery => true,
        CostUnit::PerThousandQueries => false,
        CostUnit::Auto => per_query.axis.max_decimals() <= MAX_TICK_DECIMALS,
    };
    if is_per_query {
        per_query
    } else {
        CostAxis {
            axis: axis(1000.0),
            title: "Cost per 1,000 queries, $",
            factor: 1000.0,
        }
    }
}

/// All points but the oracles.
fn points(scenes: &[Scene]) -> impl Iterator<Item = DataPoint> {
    let curves = scenes
        .iter()
        .flat_map(|scene| &scene.curves)
        .flat_map(|curve| curve.points.iter().copied());
    let models = scenes.iter().flat_map(|scene| &scene.models);
    models.map(|model| model.point).chain(curves)
}

/// Whether a linear cost axis would crowd most LLMs at its left end.
fn is_crowded(scene: &Scene, rules: &ScaleRules) -> bool {
    let costs = || scene.models.iter().map(|model| model.point.cost_usd);
    let Some((_, dearest)) = range(costs()) else {
        return false;
    };
    let n_cheap = costs()
        .filter(|&cost| cost < rules.crowd_cost * dearest)
        .count();
    n_cheap as f64 > rules.crowd_share * scene.models.len() as f64
}
