use anyhow::bail;
use ndarray::Array2;

use crate::{embedder::Model, job::Job};

/// Where networks would run.
pub(crate) struct Device;

impl Device {
    pub(crate) fn parse(_device: &str) -> anyhow::Result<Self> {
        Ok(Self)
    }
}

/// A sentence embedder that this build cannot run.
pub(crate) struct SentenceModel;

impl SentenceModel {
    pub(crate) fn find(_job: &Job, name: &str, _model: &Model) -> anyhow::Result<Self> {
        bail!(
            "computing embeddings with `{name}` needs libtorch, which this build lacks; build it with `--features torch`"
        );
    }

    pub(crate) fn sha256(&self) -> &str {
        ""
    }

    pub(crate) fn embed(&mut self, _job: &Job, _prompts: &[String]) -> anyhow::Result<Array2<f32>> {
        bail!("this build lacks libtorch");
    }
}
