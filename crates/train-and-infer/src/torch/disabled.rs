//! The same without libtorch: network routers have no learner, and embeddings are only read, never computed.

use anyhow::bail;
use dataset::PartTable;
use fitting::RobertaNames;
use hub::ModelPlace;
use saved_routers::{ModelOutputs, SavedRouter};

use crate::{
    embeddings::Embedded, learner::Learner, roberta_args::RobertaArgs, setup::Setup,
    stopwatch::Stopwatch,
};

pub(crate) const CARROT_ROBERTA: Option<Learner> = None;
pub(crate) const ROBERTA_BINARY: Option<Learner> = None;

/// Settings of networks: none here.
#[derive(Debug)]
pub(crate) struct Settings;

impl Settings {
    pub(crate) fn check(
        _device: &str,
        _args: RobertaArgs,
        _roberta: RobertaNames,
    ) -> anyhow::Result<Self> {
        // Not refused: without a router that uses them, these flags and settings have no effect.
        Ok(Self)
    }
}

/// A sentence embedder that this build cannot run.
pub(crate) struct SentenceModel {
    name: String,
}

impl SentenceModel {
    pub(crate) fn find(_setup: &Setup, name: &str, _place: &ModelPlace) -> anyhow::Result<Self> {
        // Only computing fails: embeddings that are on disk need no model.
        Ok(Self {
            name: name.to_owned(),
        })
    }

    pub(crate) fn sha256(&self) -> Option<&str> {
        None
    }

    pub(crate) fn license(&self) -> Option<&str> {
        None
    }

    /// Nothing counts in this build.
    pub(crate) fn count(
        &mut self,
        _setup: &Setup,
        _prompts: &[String],
    ) -> anyhow::Result<Option<Vec<usize>>> {
        Ok(None)
    }

    pub(crate) fn embed(
        &mut self,
        _setup: &Setup,
        _prompts: &[String],
    ) -> anyhow::Result<Embedded> {
        bail!(
            "computing embeddings with `{}` needs libtorch, which this build lacks; rebuild with `--features torch`",
            self.name
        );
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
