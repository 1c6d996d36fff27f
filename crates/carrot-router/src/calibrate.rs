//! Calibration: a saved router's setting for a goal, chosen on some of the prompts that it was not fitted on and checked on the others.

mod calibrator;
mod coverage;
mod goal;
mod held_out;
mod record;
mod refused;
mod support;

pub use self::{
    calibrator::{Calibrated, CalibratedChoice, CalibrationSettings, Calibrator},
    coverage::{Coverage, Outcome},
    goal::CalibrationGoal,
    held_out::HeldOut,
    record::{CalibrationPromise, UsableCalibration, mu_of_calibration},
    support::CalibrationSupport,
};
