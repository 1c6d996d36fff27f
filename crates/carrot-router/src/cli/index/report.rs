use std::{fmt::Write as _, path::Path};

use carrot_router::BuiltIndex;
use serde::Serialize;

use super::judged::Judged;

/// What was built, as it is printed.
#[derive(Debug)]
pub(super) struct IndexReport<'a> {
    pub(super) built: &'a BuiltIndex,
    pub(super) judged: Option<&'a Judged>,
    pub(super) folder: &'a Path,
}

impl Serialize for IndexReport<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let BuiltIndex {
            n_rows,
            n_sent,
            n_zero,
            ef_search,
            recall,
        } = self.built;
        serde_json::json!({
            "folder": self.folder, "n_rows": n_rows, "n_sent": n_sent, "n_without_vector": n_zero, "ef_search": ef_search, "recall": recall,
            "test": self.judged,
        })
        .serialize(serializer)
    }
}

impl IndexReport<'_> {
    pub(super) fn table(&self) -> String {
        let mut text = String::new();
        let mut line = |line: String| writeln!(text, "{line}").expect("a string grows as needed");
        let built = self.built;
        line(format!(
            "rows          {}, of which {} were sent now",
            built.n_rows, built.n_sent
        ));
        if built.n_zero > 0 {
            line(format!(
                "no vector     {} rows, which are nobody's neighbors",
                built.n_zero
            ));
        }
        line(match built.ef_search {
            Some(ef_search) => {
                format!(
                    "recall        {:.3} at hnsw.ef_search {ef_search}",
                    built.recall
                )
            }
            None => "recall        1: every search reads all rows".to_owned(),
        });
        if let Some(judged) = self.judged {
            line(format!(
                "test part     {:.1}% of {} prompts get the same LLM as without the index at mu = {}; mean score {:.4} for {:.4}",
                100.0 * judged.share_equal,
                judged.n_prompts,
                judged.mu,
                judged.mean_score,
                judged.mean_score_without
            ));
        }
        line(format!("router        {}", self.folder.display()));
        text
    }
}
