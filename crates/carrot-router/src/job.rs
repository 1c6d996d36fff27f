use std::path::PathBuf;

use anyhow::Context as _;
use carrot_router::{EmbedderPlace, Error, check_mu};
use cli_support::{Hub, WantedFile, is_hub_id, usage_error};
use nets::{DeviceChoice, ModelFiles, Need};

use crate::{args::RouteArgs, calibrate, prompts};

/// A command line that was understood: numbers checked, prompts read.
pub(crate) struct Job {
    pub(crate) folder: PathBuf,
    pub(crate) prompts: Vec<String>,
    pub(crate) mu: f64,
    pub(crate) device: DeviceChoice,
    pub(crate) is_json: bool,
    given_embedder: Option<PathBuf>,
    quiet: bool,
}

impl Job {
    pub(crate) fn check(args: RouteArgs) -> anyhow::Result<Self> {
        let mu = match (args.mu, &args.calibration) {
            (Some(mu), _) => mu,
            (None, Some(name)) => calibrate::mu_of(&args.model, name)?,
            (None, None) => return Err(usage_error("neither --mu nor --calibration is given")),
        };
        check_mu(mu).map_err(|error| usage_error(error.to_string()))?;
        let bad_device = |error: nets::Error| usage_error(error.to_string());
        let device: DeviceChoice = args.device.parse().map_err(bad_device)?;
        device.device().map_err(bad_device)?;
        Ok(Self {
            // Before prompts are waited for.
            given_embedder: args.embedder,
            prompts: prompts::read(args.prompt, args.input.as_deref())?,
            folder: args.model,
            mu,
            device,
            is_json: args.output.json,
            quiet: args.output.quiet,
        })
    }

    /// The embedder's folder: the one given, else on disk, else from the hub.
    pub(crate) fn embedder(&self) -> anyhow::Result<PathBuf> {
        if let Some(folder) = &self.given_embedder {
            return Ok(folder.clone());
        }
        match EmbedderPlace::of(&self.folder)? {
            EmbedderPlace::Folder(folder) => Ok(folder),
            EmbedderPlace::Elsewhere {
                recorded: Some(id), ..
            } if is_hub_id(&id) => {
                let wanted = ModelFiles::FILES.iter().map(|&(name, need)| WantedFile {
                    name,
                    is_required: need == Need::Required,
                });
                Hub::from_env(!self.quiet)
                    .model_folder(&id, &wanted.collect::<Vec<_>>())
                    .with_context(|| {
                        format!(
                            "cannot get the embedder `{id}`, which is no folder here; pass its folder with --embedder"
                        )
                    })
            }
            EmbedderPlace::Elsewhere { name, recorded } => Err(Error::NoEmbedder {
                folder: self.folder.clone(),
                name,
                recorded,
            })
            .context("no embedder, and none was given with --embedder"),
        }
    }
}
