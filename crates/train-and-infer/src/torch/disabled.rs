//! The same without libtorch: network routers have no learner.

use anyhow::bail;
use dataset::PartTable;
use fitting::RobertaNames;
use saved_routers::{ModelOutputs, SavedRouter};

use crate::{learner::Learner, roberta_args::RobertaArgs, setup::Setup, stopwatch::Stopwatch};

pub(crate) const CARROT_ROBERTA: Option<Learner> = None;
pub(crate) const ROBERTA_BINARY: Option<Learner> = None;

/// Settings of networks: none here.
#[derive(Debug)]
pub(crate) struct RobertaSettings;

impl RobertaSettings {
    pub(crate) fn check(_args: RobertaArgs, _config: RobertaNames) -> anyhow::Result<Self> {
        // Not refused: without a router that uses them, these flags and settings have no effect.
        Ok(Self)
    }
}

/// Never reached: nothing here fits a router that reads prompts.
pub(crate) fn predict(
    _setup: &Setup,
    router: &SavedRouter,
    _test: &PartTable,
    _stopwatch: &mut Stopwatch,
) -> anyhow::Result<ModelOutputs> {
    bail!(
        "predicting with `{}` needs libtorch, which this build lacks",
        router.record.router
    );
}
