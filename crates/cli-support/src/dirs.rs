use std::path::PathBuf;

/// Where --help lists what means the same in every program: after the program's own options.
pub(crate) const COMMON: &str = "Common options";

/// `--data-dir`, for programs that read or make data sets. Flatten it into a program's own arguments.
#[derive(Debug, Clone, clap::Args)]
pub struct DataDir {
    /// Folder of the data sets
    #[arg(long, value_name = "DIR", help_heading = COMMON, default_value = "data")]
    #[arg(env = "CARROT_DATA_DIR")]
    pub data_dir: PathBuf,
}

/// `--models-dir`, for programs that read or make models.
#[derive(Debug, Clone, clap::Args)]
pub struct ModelsDir {
    /// Folder of the models
    #[arg(long, value_name = "DIR", help_heading = COMMON, default_value = "models")]
    #[arg(env = "CARROT_MODELS_DIR")]
    pub models_dir: PathBuf,
}

/// `--plots-dir`, for programs that draw.
#[derive(Debug, Clone, clap::Args)]
pub struct PlotsDir {
    /// Folder of the figures and tables
    #[arg(long, value_name = "DIR", help_heading = COMMON, default_value = "plots")]
    #[arg(env = "CARROT_PLOTS_DIR")]
    pub plots_dir: PathBuf,
}

/// `--config`, for programs whose numbers live in a file.
#[derive(Debug, Clone, clap::Args)]
pub struct ConfigFile {
    /// Settings to use instead of the built-in ones, which are the file of the same form under configs/
    #[arg(long, value_name = "TOML", help_heading = COMMON)]
    pub config: Option<PathBuf>,
}
