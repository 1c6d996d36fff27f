use std::{fmt, str::FromStr, time::Duration};

use carrot_router::IndexPlace;
use cli_support::usage_error;

/// Where the index of a router is.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Index")]
pub(in crate::cli) struct IndexArgs {
    /// Where the rows are of a router that `index` wrote, postgres://USER:PASSWORD@HOST:PORT/DATABASE; once for each shard, replicas of one as
    /// further hosts, HOST:PORT,HOST:PORT. Connections to other machines are encrypted, unless the address ends in ?sslmode=disable
    #[arg(
        long,
        value_name = "URL",
        env = "CARROT_INDEX",
        hide_env_values = true,
        value_delimiter = ' '
    )]
    pub(in crate::cli) index: Vec<IndexUrl>,

    /// Answer when so many shards do, and say in each answer how many were missing. Default: all have to
    #[arg(long, value_name = "N", requires = "index")]
    pub(in crate::cli) min_shards: Option<usize>,

    /// Longest wait for an answer of the index, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    pub(in crate::cli) index_timeout: f64,

    /// Connections to each shard
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(in crate::cli) index_connections: usize,
}

/// An address, which may hold a password.
#[derive(Clone)]
pub(in crate::cli) struct IndexUrl(pub(in crate::cli) String);

impl FromStr for IndexUrl {
    type Err = std::convert::Infallible;

    // Read where it is used, so that no message of the command line's repeats it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for IndexUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl IndexArgs {
    /// The place, if one was named.
    pub(in crate::cli) fn place(&self) -> anyhow::Result<Option<IndexPlace>> {
        let addresses: Vec<String> = (self.index.iter())
            .map(|url| url.0.trim().to_owned())
            .filter(|url| !url.is_empty())
            .collect();
        let timeout = Duration::try_from_secs_f64(self.index_timeout).ok();
        let Some(timeout) = timeout.filter(|it| !it.is_zero()) else {
            return Err(usage_error("--index-timeout: expected a number above 0"));
        };
        if self.index_connections == 0 {
            return Err(usage_error("--index-connections: expected at least 1"));
        }
        Ok((!addresses.is_empty()).then_some(IndexPlace {
            addresses,
            min_shards: self.min_shards,
            timeout,
            n_connections: self.index_connections,
        }))
    }
}
