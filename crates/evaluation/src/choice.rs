//! Which LLM a router chooses: the rule, and settings of it that keep to a budget or reach a goal.

pub(crate) mod budget;
mod calibration;
mod support;

pub use self::{
    budget::{
        LambdaChoice, Lambdas, ThresholdChoice, choose_lambda, lambda_within, threshold_within,
    },
    calibration::{
        Calibration, CalibrationParams, Goal, Promise, Refusal, Setting, Standing, calibrate,
        check_confidence, is_missed, standing_at,
    },
    support::{ChoiceSupport, least_support, support_at},
};
pub use crate::{
    point::Routed,
    rule::{COST_MULTIPLIER, choose, decisions, point_at, shares_at, utility},
};
