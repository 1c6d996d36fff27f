use std::{path::PathBuf, time::Instant};

use anyhow::Context as _;
use cli_support::{Progress, read_toml};
use dataset::{DatasetDir, RateStudy, Source};
use rate_study::{Size, Study, StudyParams};
use tracing::info;

use crate::args::Args;

/// The settings in force unless `--config` names others.
const BUILT_IN: &str = include_str!("../../../configs/rate-study.toml");
const BUILT_IN_PATH: &str = "configs/rate-study.toml";

/// What is to be run, and where its result goes.
#[derive(Debug)]
pub(crate) struct Job {
    study: Study,
    settings: Source,
    path: PathBuf,
    quiet: bool,
}

impl Job {
    pub(crate) fn new(args: Args) -> anyhow::Result<Self> {
        let config = args.program.config.config.as_deref();
        let params: StudyParams = read_toml(config, BUILT_IN)?;
        let (size, default_name) = if args.quick {
            (Size::Quick, "rate-study-quick")
        } else {
            (Size::Full, "rate-study")
        };
        let study = params.check(size).with_context(|| match config {
            Some(path) => format!("cannot use the settings in `{}`", path.display()),
            None => "cannot use the built-in settings".to_owned(),
        })?;
        let name = match args.name {
            Some(name) => name,
            None => default_name.parse()?,
        };
        Ok(Self {
            study,
            settings: Source::of_settings(config, BUILT_IN_PATH, BUILT_IN)?,
            path: DatasetDir::new(&args.program.data_dir.data_dir, name.as_str()).rate_study(),
            quiet: args.program.output.quiet,
        })
    }

    pub(crate) fn run(self) -> anyhow::Result<RateStudy> {
        let begun = Instant::now();
        let n_repetitions = self.study.n_repetitions();
        let progress = Progress::bar("repetitions", n_repetitions as u64, self.quiet);
        let made_by = concat!("rate-study ", env!("CARGO_PKG_VERSION"));
        let study = self
            .study
            .run(self.settings, made_by, &|n| progress.add(n))?;
        drop(progress);
        study.write(&self.path)?;
        info!(
            "wrote `{}`: {n_repetitions} repetitions in {:.1} s",
            self.path.display(),
            begun.elapsed().as_secs_f64()
        );
        Ok(study)
    }
}
