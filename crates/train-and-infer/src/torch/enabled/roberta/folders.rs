use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use dataset::Source;
use encoder::{NetworkTask, ProblemType, RobertaParts, Runtime, TaskNetwork, weights_files};
use hub::ModelPlace;
use nets::{RobertaModel, load_network};
use saved_routers::Base;

use crate::{license, model_folder::model_folder, setup::Setup};

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
        let place = ModelPlace::of(name);
        let folder = model_folder(
            setup.quiet,
            &place,
            RobertaParts::FILES,
            RobertaParts::further,
        )?;
        Ok(Self {
            name: name.to_owned(),
            license: license::of(&folder),
            folder,
        })
    }

    /// The files that decide what the network computes, by the name it was given.
    pub(super) fn sources(&self) -> anyhow::Result<Vec<Source>> {
        let mut sources = Vec::new();
        let names = RobertaParts::FILES
            .iter()
            .map(|(file, _)| (*file).to_owned());
        let further = RobertaParts::further(&self.folder)?;
        for file in names.chain(further) {
            let path = self.folder.join(&file);
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
        let mut model = RobertaModel::from_base(
            &self.folder,
            labels,
            problem_type,
            seed.into(),
            setup.device,
        )
        .with_context(|| format!("cannot start from `{}`", self.name))?;
        model.set_truncate(setup.truncate);
        Ok(model)
    }

    /// The network as it is.
    pub(super) fn load(&self, setup: &Setup, task: NetworkTask) -> encoder::Result<TaskNetwork> {
        let network = load_network(&self.folder, task, runtime(setup))?;
        Ok(network.with_truncate(setup.truncate))
    }

    /// SHA-256 of the weights; of several files, that of a list of theirs.
    fn weights_sha256(&self) -> anyhow::Result<String> {
        let paths = weights_files(&self.folder)?;
        if let [path] = &paths[..] {
            return Ok(dataset::sha256_file(path)?);
        }
        let mut hashes = String::new();
        for path in &paths {
            hashes += &format!("{}\n", dataset::sha256_file(path)?);
        }
        Ok(dataset::sha256_bytes(hashes.as_bytes()))
    }

    /// What the model card of a network trained from it says about it.
    pub(super) fn base(&self) -> anyhow::Result<Base> {
        Ok(Base {
            model: self.name.clone(),
            sha256: self.weights_sha256()?,
            license: self.license.clone(),
        })
    }
}

/// How networks predict.
pub(super) fn runtime(setup: &Setup) -> Runtime {
    Runtime {
        device: setup.device,
        precision: setup.precision,
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
