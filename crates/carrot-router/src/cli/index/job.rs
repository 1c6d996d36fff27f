use std::path::PathBuf;

use carrot_router::IndexPlan;
use cli_support::usage_error;
use dataset::Lock;
use saved_routers::{Contents, Model, Record, SavedRouter};

use super::args::IndexCommandArgs;
use crate::cli::output_folder;

/// `index` with its command line checked.
pub(super) struct IndexJob {
    pub(super) plan: IndexPlan,
    pub(super) record: Record,
    pub(super) data_dir: PathBuf,
    /// For the progress.
    pub(super) n_rows: usize,
    /// Of the output.
    _lock: Lock,
}

impl IndexJob {
    pub(super) fn check(args: IndexCommandArgs) -> anyhow::Result<Self> {
        if !(args.recall > 0.0 && args.recall < 1.0) {
            return Err(usage_error(
                "--recall: expected a number above 0 and below 1",
            ));
        }
        if !(2..=100).contains(&args.graph_edges)
            || !(2 * args.graph_edges..=1000).contains(&args.graph_candidates)
        {
            return Err(usage_error(
                "--graph-edges: expected 2 to 100, and --graph-candidates twice as many to 1000, as pgvector has them",
            ));
        }
        let Some(place) = args.index.place()? else {
            return Err(usage_error(
                "--index is required: the database that rows go to",
            ));
        };
        let record = Record::read(&args.model)?;
        if let Contents::KnnIndex { .. } = record.contents {
            return Err(usage_error(format!(
                "`{}` is indexed already; give the router that it was made from",
                args.model.display()
            )));
        }
        let output = match args.output_folder {
            Some(output) => output,
            None => {
                let name = args.model.file_name().map(|name| {
                    let mut name = name.to_owned();
                    name.push("-index");
                    name
                });
                match name {
                    Some(name) => args.model.with_file_name(name),
                    None => return Err(usage_error("--output is required: --model has no name")),
                }
            }
        };
        // Before the work and not only when writing: it may take hours.
        output_folder::check(&output, &args.model, args.force)?;
        let lock = Lock::of(&output)?;
        let n_rows = match SavedRouter::open(&args.model)?.model {
            Model::Knn(knn) => knn.n_rows(),
            // Refused later, by what it is.
            _ => 0,
        };
        Ok(Self {
            n_rows,
            plan: IndexPlan {
                model: args.model,
                output,
                place,
                graph: (!args.exact).then_some((args.graph_edges, args.graph_candidates)),
                recall: args.recall,
                n_recall_queries: args.recall_queries,
            },
            record,
            data_dir: args.data_dir.data_dir,
            _lock: lock,
        })
    }
}
