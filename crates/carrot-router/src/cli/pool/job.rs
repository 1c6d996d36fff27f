use std::path::PathBuf;

use carrot_router::{AddedTable, PoolChanges};
use cli_support::usage_error;
use dataset::{ModelScores, Prices};

use super::args::PoolArgs;
use crate::cli::hints;

/// `pool` with its command line checked and its files read.
pub(super) struct PoolJob {
    pub(super) model: PathBuf,
    pub(super) output: PathBuf,
    prices: Option<Prices>,
    removed: Vec<String>,
    added: Option<ModelScores>,
    data_dir: PathBuf,
}

impl PoolJob {
    pub(super) fn check(args: PoolArgs) -> anyhow::Result<Self> {
        if args.prices.is_none() && args.remove.is_empty() && args.add.is_none() {
            return Err(usage_error(
                "nothing to change; give --prices, --remove or --add",
            ));
        }
        if args.output.exists() && !args.force {
            let error = anyhow::anyhow!("`{}` already exists", args.output.display());
            return Err(hints::with(error, "overwrite it with `--force`"));
        }
        Ok(Self {
            model: args.model,
            output: args.output,
            prices: args.prices.as_deref().map(Prices::read).transpose()?,
            removed: args.remove,
            added: args.add.as_deref().map(ModelScores::read).transpose()?,
            data_dir: args.data_dir.data_dir,
        })
    }

    pub(super) fn changes(&self) -> PoolChanges<'_> {
        PoolChanges {
            prices: self.prices.as_ref(),
            removed: &self.removed,
            added: self.added.as_ref().map(|table| AddedTable {
                table,
                data_dir: &self.data_dir,
            }),
        }
    }
}
