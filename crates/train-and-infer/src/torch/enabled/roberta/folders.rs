use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use cli_support::Progress;
use dataset::Source;
use hub::{Hub, WantedFile};
use nets::{Need, ProblemType, RobertaModel};
use saved_routers::Base;

use crate::{
    job::Job,
    torch::enabled::license::{self, CARD},
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
    /// Finds a network by its folder or its id on the hub, from where what the cache lacks is downloaded.
    pub(super) fn find(job: &Job, name: &str) -> anyhow::Result<Self> {
        let folder = if Path::new(name).is_dir() {
            PathBuf::from(name)
        } else {
            let card = (CARD, Need::Optional);
            let wanted = RobertaModel::FILES.iter().chain([&card]);
            let wanted = wanted.map(|&(name, need)| WantedFile {
                name,
                is_required: need == Need::Required,
            });
            Hub::from_env()
                .with_progress(Progress::of_downloads(job.quiet))
                .model_folder(name, &wanted.collect::<Vec<_>>())
                .with_context(|| {
                    format!("`{name}` is no folder, and cannot be had from the hub either")
                })?
        };
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
        job: &Job,
        labels: &[String],
        problem_type: ProblemType,
        seed: u32,
    ) -> anyhow::Result<RobertaModel> {
        RobertaModel::from_base(
            &self.folder,
            labels,
            problem_type,
            seed.into(),
            job.torch.device,
        )
        .with_context(|| format!("cannot begin with `{}`", self.name))
    }

    /// The network as it is.
    pub(super) fn load(&self, job: &Job) -> anyhow::Result<RobertaModel> {
        RobertaModel::from_folder(&self.folder, job.torch.device)
            .with_context(|| format!("cannot load `{}`", self.name))
    }

    /// What a model card says of it.
    pub(super) fn base(&self) -> anyhow::Result<Base> {
        Ok(Base {
            model: self.name.clone(),
            sha256: dataset::sha256_file(&self.folder.join(WEIGHTS))?,
            license: self.license.clone(),
        })
    }
}

/// Copies a file that may not be there.
pub(super) fn copy_if_there(from: &Path, to: &Path) -> anyhow::Result<()> {
    if from.is_file() {
        fs::copy(from, to)
            .with_context(|| format!("cannot copy `{}` to `{}`", from.display(), to.display()))?;
    }
    Ok(())
}
