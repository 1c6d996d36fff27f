use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use anyhow::{Context as _, bail, ensure};
use carrot_router::{
    ArenaPrompt, CarrotRouter, DeviceChoice, EmbeddingSource, Setup, check_mu, trained_on,
};
use cli_support::usage_error;
use dataset::{DatasetDir, ModelInfo, Part, PartTable, sha256_file, toml};
use saved_routers::Record;

use super::ArenaArgs;

/// `arena` with its command line checked and its files read.
pub(super) struct ArenaJob {
    args: ArenaArgs,
    record: Record,
    names: BTreeMap<String, String>,
    prompts: Vec<ArenaPrompt>,
    robustness: Vec<ArenaPrompt>,
    pub(super) mu: f64,
    pub(super) name: String,
}

impl ArenaJob {
    pub(super) fn check(args: ArenaArgs) -> anyhow::Result<Self> {
        check_mu(args.mu).map_err(|error| usage_error(error.to_string()))?;
        let names = args.names.as_deref().map(toml::read).transpose()?;
        Ok(Self {
            record: Record::read(&args.model)?,
            names: names.unwrap_or_default(),
            prompts: ArenaPrompt::read(&args.router_data)?,
            robustness: match &args.robustness {
                Some(path) => ArenaPrompt::read(path)?,
                None => Vec::new(),
            },
            mu: args.mu,
            name: args.name.as_str().to_owned(),
            args,
        })
    }

    pub(super) fn open(&self) -> anyhow::Result<CarrotRouter> {
        let embeddings = match &self.args.embedder {
            Some(folder) => EmbeddingSource::Folder(folder),
            None => EmbeddingSource::Recorded,
        };
        let setup = Setup::on(DeviceChoice::Cpu);
        Ok(CarrotRouter::open_saved(
            &self.args.model,
            embeddings,
            &setup,
        )?)
    }

    /// The LLMs by the names that RouterArena knows them by, in the router's order.
    pub(super) fn arena_names(&self, models: &[ModelInfo]) -> anyhow::Result<Vec<String>> {
        let ours: BTreeSet<&str> = models.iter().map(|model| &*model.name).collect();
        if let Some(stranger) = self.names.keys().find(|name| !ours.contains(name.as_str())) {
            bail!("`--names` has `{stranger}`, but the router has no such LLM");
        }
        let theirs: Vec<String> = models
            .iter()
            .map(|model| self.names.get(&model.name).unwrap_or(&model.name).clone())
            .collect();
        let distinct: BTreeSet<&String> = theirs.iter().collect();
        ensure!(
            distinct.len() == theirs.len(),
            "`--names` gives two LLMs one name, and RouterArena could not tell them apart"
        );
        Ok(theirs)
    }

    /// Refuses a router that has seen any of the prompts: RouterArena's are for evaluation only.
    pub(super) fn refuse_trained(&self) -> anyhow::Result<()> {
        let dir = DatasetDir::new(&self.args.data_dir.data_dir, &self.record.dataset);
        let path = dir.split(Part::Train);
        let cannot = || {
            format!(
                "cannot tell whether the router was trained on these prompts without the train part of `{}`; `--data-dir` says where it is",
                self.record.dataset
            )
        };
        let found = sha256_file(&path).with_context(cannot)?;
        if found != self.record.train_sha256 {
            let error = anyhow::anyhow!(
                "`{}` is not the train part that it was fitted on",
                path.display()
            );
            return Err(error.context(cannot()));
        }
        let train = PartTable::read(&path)?;
        let train = || train.prompts.iter().map(String::as_str);
        for (prompts, file) in [
            (&self.prompts, Some(&self.args.router_data)),
            (&self.robustness, self.args.robustness.as_ref()),
        ] {
            let texts = prompts
                .iter()
                .map(|prompt| prompt.text().unwrap_or_default());
            let seen = trained_on(train(), texts);
            if let (Some(&first), Some(file)) = (seen.first(), file) {
                bail!(
                    "the router was trained on {} of the {} prompts of `{}`, the first in entry {}: RouterArena's prompts are for evaluation only; fit it on others",
                    seen.len(),
                    prompts.len(),
                    file.display(),
                    first + 1
                );
            }
        }
        Ok(())
    }

    pub(super) fn config_path(&self) -> PathBuf {
        self.file("config", "")
    }

    /// Prompts, where their answers go, and whether they are of robustness.
    pub(super) fn parts(&self) -> impl Iterator<Item = (&[ArenaPrompt], PathBuf, bool)> {
        let parts = [
            (&*self.prompts, self.file("predictions", ""), false),
            (
                &*self.robustness,
                self.file("predictions", "-robustness"),
                true,
            ),
        ];
        parts
            .into_iter()
            .filter(|(prompts, ..)| !prompts.is_empty())
    }

    fn file(&self, folder: &str, suffix: &str) -> PathBuf {
        let name = format!("{}{suffix}.json", self.name);
        self.args
            .output
            .join("router_inference")
            .join(folder)
            .join(name)
    }
}
