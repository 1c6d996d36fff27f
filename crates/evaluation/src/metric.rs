//! Numbers made of curves and of predictions: the field's metrics.

mod auc;
pub(crate) mod cost_range;
pub(crate) mod formulas;
mod prediction_accuracy;
mod router_bench;
mod values;

pub use self::{
    cost_range::CostRange,
    formulas::{SAME_ACCURACY, aiq, audc, gain_over, peak_accuracy, qnc, qnc_normalized},
    prediction_accuracy::{CostMae, CostUnit, PredictionAccuracy, prediction_accuracy},
    router_bench::{RouterBench, router_bench},
    values::{Baselines, Metric, MetricValues},
};
pub use crate::curve::calls::{apgr, cpt};
