use crate::{ConfigFile, DataDir, Output};

/// What most programs take besides their own arguments: `--config`, `--data-dir`, `--quiet` and `--json`. Flatten it into a program's own
/// arguments.
#[derive(Debug, Clone, clap::Args)]
pub struct ProgramArgs {
    /// `--config`.
    #[command(flatten)]
    pub config: ConfigFile,
    /// `--data-dir`.
    #[command(flatten)]
    pub data_dir: DataDir,
    /// `--quiet` and `--json`.
    #[command(flatten)]
    pub output: Output,
}
