use std::path::PathBuf;

use carrot_router::PoolChanges;
use cli_support::usage_error;
use dataset::{Lock, ModelScores, Prices};

use super::args::PoolArgs;
use crate::cli::output_folder;

/// `pool` with its command line checked and its files read.
pub(super) struct PoolJob {
    pub(super) model: PathBuf,
    pub(super) output: PathBuf,
    pub(super) changes: PoolChanges,
    /// Of the output.
    _lock: Lock,
}

impl PoolJob {
    pub(super) fn check(args: PoolArgs) -> anyhow::Result<Self> {
        if args.prices.is_none() && args.remove.is_empty() && args.add.is_none() {
            return Err(usage_error(
                "nothing to change; give --prices, --remove or --add",
            ));
        }
        // Before the work and not only when writing: adding an LLM searches the neighbors of all train prompts.
        output_folder::check(&args.output, &args.model, args.force)?;
        let lock = Lock::of(&args.output)?;
        Ok(Self {
            _lock: lock,
            model: args.model,
            output: args.output,
            changes: PoolChanges {
                removed: args.remove,
                added: args.add.as_deref().map(ModelScores::read).transpose()?,
                prices: args.prices.as_deref().map(Prices::read).transpose()?,
                allow_worse: args.allow_worse,
                data_dir: args.data_dir.data_dir,
            },
        })
    }
}
