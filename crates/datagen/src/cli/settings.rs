use std::{collections::HashSet, path::Path};

use anyhow::{Context as _, ensure};
use cli_support::{ConfigFile, read_toml};
use dataset::Source;
use serde::de::DeserializeOwned;

use super::args::GenArgs;

/// The file under `configs/` that a generator is built with.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// Its path in the repository, under which a data set records it.
    pub path: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// Arguments of a generator that has settings of its own. Flatten it into a program's own, in place of [`GenArgs`].
#[derive(Debug, Clone, clap::Args)]
pub struct ConfiguredGenArgs {
    /// Settings to use instead of the built-in ones
    #[command(flatten)]
    pub config: ConfigFile,
    /// Arguments of every generator
    #[command(flatten)]
    pub shared: GenArgs,
}

impl ConfiguredGenArgs {
    /// The settings of the file that was named, or else the built-in ones, and where they come from. `check` turns what the file says
    /// into what the program uses.
    ///
    /// # Errors
    /// When the file cannot be read, is not of the expected form, or `check` refuses what it says; the message names the file.
    pub fn settings<Toml: DeserializeOwned, Checked>(
        &self,
        built_in: BuiltIn,
        check: impl FnOnce(Toml) -> anyhow::Result<Checked>,
    ) -> anyhow::Result<(Checked, Source)> {
        settings(self.config.config.as_deref(), built_in, check)
    }
}

/// The settings of a file, or else the built-in ones, and where they come from. `check` turns what the file says into what the program uses.
///
/// # Errors
/// As for [`ConfiguredGenArgs::settings`].
pub fn settings<Toml: DeserializeOwned, Checked>(
    path: Option<&Path>,
    built_in: BuiltIn,
    check: impl FnOnce(Toml) -> anyhow::Result<Checked>,
) -> anyhow::Result<(Checked, Source)> {
    let toml = read_toml(path, built_in.text)?;
    let source = Source::of_settings(path, built_in.path, built_in.text)?;
    let checked = check(toml).with_context(|| {
        let path = source.path.display();
        format!("cannot use the settings in `{path}`")
    })?;
    Ok((checked, source))
}

/// Refuses settings that list something twice: a duplicate LLM, say, would get two columns and count twice in every figure.
///
/// # Errors
/// Names the first duplicate; `what` says what the names are of.
pub fn check_unique<'a>(
    what: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> anyhow::Result<()> {
    let mut seen = HashSet::new();
    for name in names {
        ensure!(seen.insert(name), "duplicate {what} `{name}`");
    }
    Ok(())
}
