//! The way from the leaderboard's sample files to a data set.

use std::path::Path;

use cli_support::Progress;
use datagen::{
    RawTable,
    cli::{Extra, Raw},
};
use hub::Hub;
use serde_json::json;

use crate::{
    details::{Found, list_in_folder, list_on_hub, raw_table, read},
    job::Job,
    preflight::Preflight,
    summary::{Summary, test_rows},
    tokens::{Counters, StandIn, TokenizerFiles},
};

impl Job {
    /// From the files of a folder, or else of the hub.
    pub(crate) fn run_details(
        &self,
        folder: Option<&Path>,
        stand_in: Option<&StandIn>,
    ) -> anyhow::Result<()> {
        let quiet = self.shared.output.quiet;
        let hub = Hub::from_env().with_progress(Progress::of_downloads(quiet));
        // All that is needed is asked for before any of it is downloaded.
        let mut preflight = Preflight::new(&hub);
        let found = match folder {
            Some(folder) => {
                let listed = list_in_folder(&self.config, folder, self.keep_incomplete)?;
                TokenizerFiles::survey(listed.models(), &mut preflight, stand_in)?;
                preflight.check()?;
                listed.find()?
            }
            None => {
                let listed = list_on_hub(&self.config, &mut preflight, self.keep_incomplete)?;
                TokenizerFiles::survey(listed.models(), &mut preflight, stand_in)?;
                preflight.check()?;
                listed.download(&hub)?
            }
        };
        // Files and tokenizers are found, and hashed, before the check of what exists: they are part of what would be made.
        let tokenizers = TokenizerFiles::find(&found.models, &hub, stand_in)?;
        let sources = [found.sources.clone(), tokenizers.sources.clone()].concat();
        let mut recipe = self.recipe(&found.models, sources);
        // Only a stand-in that counted something decides what is in the data set.
        let stand_in = stand_in.filter(|_| !tokenizers.stood_in.is_empty());
        if let Some(stand_in) = stand_in {
            let models = tokenizers.stood_in.join(" ");
            let options = [
                ("token-counter", stand_in.name.clone()),
                ("token-counter-for", models),
            ];
            recipe
                .options
                .extend(options.map(|(key, value)| (key.to_owned(), value)));
        }
        datagen::cli::run(&self.shared, recipe, || {
            self.read_details(found, &tokenizers, stand_in)
        })
    }

    fn read_details(
        &self,
        found: Found<'_>,
        tokenizers: &TokenizerFiles,
        stand_in: Option<&StandIn>,
    ) -> anyhow::Result<Raw> {
        let n_files = found.files.iter().flatten().flatten().count();
        let progress = Progress::bar("sample files", n_files as u64, self.shared.output.quiet);
        let counters = Counters::load(tokenizers)?;
        let samples = read(&found, &counters, &|n| progress.add(n))?;
        // The bar has to be gone before anything is logged or printed.
        drop(progress);
        let joined = raw_table(&found, &samples, self.config.max_mismatch_share)?;
        let mut notes = found.notes;
        notes.extend(joined.notes);
        let n_of = |name: &str| {
            let place = found.tasks.iter().position(|task| task.name == name);
            place.map_or(0, |t| joined.n_documents[t])
        };
        let counts: Vec<usize> = self.config.tasks().map(|task| n_of(&task.name)).collect();
        notes.extend(self.config.count_notes(&counts));
        let own = found.models.iter();
        let own = own.filter(|model| !tokenizers.stood_in.contains(&model.name));
        notes.extend(own.filter_map(|model| model.tokenizer_note()));
        if let Some(StandIn { name, .. }) = stand_in {
            notes.push(format!(
                "input tokens, and so costs, of {} are counted with `{name}`, not with their own tokenizers",
                tokenizers.stood_in.join(", ")
            ));
        }
        let summary = self.summary_of_table(&joined.table, found.tasks.len())?;
        Ok(Raw {
            prices: Some(self.config.prices(&self.config_source.path)?),
            table: joined.table,
            notes,
            extras: vec![summary],
        })
    }

    fn summary_of_table(&self, table: &RawTable, n_tasks: usize) -> anyhow::Result<Extra> {
        let models = table.models.iter();
        let names: Vec<&str> = models.clone().map(|model| model.name.as_str()).collect();
        let columns: Vec<&[f64]> = models.map(|model| model.scores.as_slice()).collect();
        // The rows that the split will choose, so that the figures are those of the data set.
        let rows = test_rows(&self.config, table.n_prompts())?;
        let summary = Summary::of(&names, &columns, &rows);
        Ok(Extra {
            name: "summary",
            value: json!({
                "n-tasks": n_tasks,
                "n-documents": table.n_prompts(),
                "n-test": rows.len(),
                "models": names,
                "by-document": summary,
            }),
            text: format!(
                "{} documents, {} test rows: {}\n",
                table.n_prompts(),
                rows.len(),
                summary.line()
            ),
        })
    }
}
