use std::path::PathBuf;

use carrot_router::PoolChanges;
use cli_support::{usage_error, with_hint};
use dataset::{ModelScores, Prices};

use super::args::PoolArgs;

/// `pool` with its command line checked and its files read.
pub(super) struct PoolJob {
    pub(super) model: PathBuf,
    pub(super) output: PathBuf,
    pub(super) changes: PoolChanges,
}

impl PoolJob {
    pub(super) fn check(args: PoolArgs) -> anyhow::Result<Self> {
        if args.prices.is_none() && args.remove.is_empty() && args.add.is_none() {
            return Err(usage_error(
                "nothing to change; give --prices, --remove or --add",
            ));
        }
        // Before the work and not only when writing: adding an LLM searches the neighbors of all train prompts.
        if args.output.exists() && !args.force {
            let error = anyhow::anyhow!("`{}` already exists", args.output.display());
            return Err(with_hint(error, "overwrite it with `--force`"));
        }
        Ok(Self {
            model: args.model,
            output: args.output,
            changes: PoolChanges {
                removed: args.remove,
                added: args.add.as_deref().map(ModelScores::read).transpose()?,
                prices: args.prices.as_deref().map(Prices::read).transpose()?,
                data_dir: args.data_dir.data_dir,
            },
        })
    }
}
