use std::collections::BTreeMap;

use cli_support::{Output, print_json, print_text};
use serde_json::{Map, Value};

use super::{embed::EmbeddingReport, raw::Extra};
use crate::Summary;

/// What is printed at the end.
pub(super) struct Report<'a> {
    pub(super) summary: Summary,
    /// For programs, by name.
    pub(super) findings: BTreeMap<String, Value>,
    /// The same for people, as far as it is news.
    pub(super) extras: &'a [Extra],
    pub(super) embedding: Option<EmbeddingReport>,
    pub(super) is_dry: bool,
}

impl Report<'_> {
    /// Prints the findings, then the summary.
    pub(super) fn print(self, output: Output) -> anyhow::Result<()> {
        if output.json {
            let mut values = Map::new();
            values.insert("dataset".to_owned(), serde_json::to_value(&self.summary)?);
            if let Some(embedding) = &self.embedding {
                values.insert("embedding".to_owned(), serde_json::to_value(embedding)?);
            }
            values.insert("is-dry-run".to_owned(), Value::Bool(self.is_dry));
            values.extend(self.findings);
            return print_json(&Value::Object(values));
        }
        let mut text = String::new();
        for extra in self.extras {
            text.push_str(extra.text.trim_end());
            text.push_str("\n\n");
        }
        if let Some(embedding) = &self.embedding {
            text.push_str(&embedding.text());
            text.push('\n');
        }
        let embeddings = self.embedding.as_ref().map(EmbeddingReport::embedder);
        text.push_str(&self.summary.text(embeddings));
        if self.is_dry {
            text.push_str("nothing was written: this was a dry run\n");
        }
        print_text(&text)
    }
}
