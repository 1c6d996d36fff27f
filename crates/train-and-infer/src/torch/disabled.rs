use anyhow::bail;
use ndarray::Array2;
use serde::{Deserialize, de::IgnoredAny};

use crate::{
    args::RobertaArgs,
    config::RobertaConfig,
    data::Data,
    embedder::Model,
    job::Job,
    learner::{Outcome, Recipe},
    router::Router,
    stopwatch::Stopwatch,
};

/// Whether networks can run.
pub(crate) const IS_THERE: bool = false;

/// A sentence embedder that this build cannot run.
pub(crate) struct SentenceModel {
    name: String,
}

impl SentenceModel {
    pub(crate) fn find(_job: &Job, name: &str, _model: &Model) -> anyhow::Result<Self> {
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

    pub(crate) fn embed(&mut self, _job: &Job, _prompts: &[String]) -> anyhow::Result<Array2<f32>> {
        bail!(
            "computing embeddings with `{}` needs libtorch, which this build lacks; build it with `--features torch`",
            self.name
        );
    }
}

/// Settings of the matrix factorization, which this build does not look at.
#[derive(Debug, Deserialize)]
pub(crate) struct MfParams(IgnoredAny);

/// What concerns networks: nothing here.
pub(crate) struct Settings;

impl Settings {
    pub(crate) fn check(
        _device: &str,
        _args: RobertaArgs,
        MfParams(IgnoredAny): MfParams,
        _roberta: RobertaConfig,
    ) -> anyhow::Result<Self> {
        Ok(Self)
    }
}

/// Never reached: the job refuses these routers.
pub(crate) mod mf {
    use anyhow::bail;

    use super::{Data, Job, Outcome, Recipe, Router, Stopwatch};

    pub(crate) fn recipe(_job: &Job) -> anyhow::Result<Recipe> {
        bail!("this build lacks libtorch");
    }

    pub(crate) fn run(
        _job: &Job,
        _router: Router,
        _data: &mut Data,
        _stopwatch: &mut Stopwatch,
    ) -> anyhow::Result<Outcome> {
        bail!("this build lacks libtorch");
    }
}

/// Never reached: the job refuses these routers.
pub(crate) mod roberta {
    use anyhow::bail;

    use super::{Data, Job, Outcome, Recipe, Router, Stopwatch};

    pub(crate) fn recipe(_job: &Job, _router: Router) -> anyhow::Result<Recipe> {
        bail!("this build lacks libtorch");
    }

    pub(crate) fn run(
        _job: &Job,
        _router: Router,
        _data: &mut Data,
        _stopwatch: &mut Stopwatch,
    ) -> anyhow::Result<Outcome> {
        bail!("this build lacks libtorch");
    }
}
