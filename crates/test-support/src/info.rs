use std::collections::BTreeMap;

use dataset::{CostKind, CostRule, DatasetInfo, ModelInfo, SplitOrigin};

/// Checks that a data set's description has a note.
///
/// # Panics
/// If it does not; the panic shows the notes that it has.
#[track_caller]
pub fn assert_note(info: &DatasetInfo, note: &str) {
    let notes = &info.notes;
    assert!(
        notes.iter().any(|found| found == note),
        "no `{note}` in: {notes:?}"
    );
}

/// The description of a data set whose costs and parts were given, without a pair; of `n_rows` train and test rows.
///
/// A test that needs more states only that: `DatasetInfo { pair, ..dataset_info("tiny", &["a", "b"], [30, 6]) }`.
pub fn dataset_info(name: &str, models: &[&str], n_rows: [usize; 2]) -> DatasetInfo {
    let models = models.iter().map(|&name| ModelInfo {
        name: name.to_owned(),
        price: None,
        cost_rule: CostRule::Given,
    });
    let [n_train, n_test] = n_rows;
    DatasetInfo {
        name: name.to_owned(),
        models: models.collect(),
        pair: None,
        cost_kind: CostKind::Usd,
        n_train,
        n_test,
        n_validation: None,
        part_sha256: None,
        split: SplitOrigin::Given,
        sources: Vec::new(),
        made_by: "a test".to_owned(),
        options: BTreeMap::new(),
        notes: Vec::new(),
        findings: BTreeMap::new(),
    }
}
