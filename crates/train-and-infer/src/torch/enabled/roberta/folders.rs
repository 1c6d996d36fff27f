use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use dataset::Source;
use hub::ModelPlace;
use nets::{NetworkTask, ProblemType, RobertaModel, TaskNetwork};
use saved_routers::Base;

use crate::{
    setup::Setup,
    torch::enabled::{license, model_folder::model_folder},
};

const WEIGHTS: &str = "model.safetensors";

/// A network's files, on disk or in the hub's cache.
pub(super) struct NetworkFolder {
    /// As it was named: a folder or an id on the hub.
    name: String,
    folder: PathBuf,
    license: Option<String>,
}

impl NetworkFolder {
    /// Finds a network by its folder or its id on the hub; files that the cache lacks are downloaded.
    pub(super) fn find(setup: &Setup, name: &str) -> anyhow::Result<Self> {
        let folder = model_folder(setup, &ModelPlace::of(name), RobertaModel::FILES)?;
        Ok(Self {
            name: name.to_owned(),
            license: license::of(&folder),
            folder,
        })
    }

    /// The files that decide what the network computes, by the name it was given.
    pub(super) fn sources(&self) -> anyhow::Result<Vec<Source>> {
        let mut sources = Vec::new();
        for (file, _) in RobertaModel::FILES {
            let path = self.folder.join(file);
            if path.is_file() {
                // Under the name that the user gave: the folder of the hub's cache differs from machine to machine.
                sources.push(Source {
                    path: Path::new(&self.name).join(file),
                    ..Source::of(&path)?
                });
            }
        }
        Ok(sources)
    }

    /// Its encoder under a new head.
    pub(super) fn with_head(
        &self,
        setup: &Setup,
        labels: &[String],
        problem_type: ProblemType,
        seed: u32,
    ) -> anyhow::Result<RobertaModel> {
        RobertaModel::from_base(
            &self.folder,
            labels,
            problem_type,
            seed.into(),
            setup.torch.device,
        )
        .with_context(|| format!("cannot start from `{}`", self.name))
    }

    /// The network as it is.
    pub(super) fn load(&self, setup: &Setup, task: NetworkTask) -> nets::Result<TaskNetwork> {
        TaskNetwork::from_folder(&self.folder, task, setup.torch.device)
    }

    /// What the model card of a network trained from it says about it.
    pub(super) fn base(&self) -> anyhow::Result<Base> {
        Ok(Base {
            model: self.name.clone(),
            sha256: dataset::sha256_file(&self.folder.join(WEIGHTS))?,
            license: self.license.clone(),
        })
    }
}

/// Copies a file, if it exists.
pub(super) fn copy_if_exists(from: &Path, to: &Path) -> anyhow::Result<()> {
    if from.is_file() {
        fs::copy(from, to)
            .with_context(|| format!("cannot copy `{}` to `{}`", from.display(), to.display()))?;
    }
    Ok(())
}
