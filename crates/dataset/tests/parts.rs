//! A part is taken for a data set's only if it is the one that dataset.json describes.

use std::fs;

use dataset::{
    DatasetDir, DatasetInfo, Error, KeptColumns, Part, PartHashes, PartTable, TestSet, json,
    sha256_file,
};
use ndarray::Array2;
use test_support::dataset_info;

const N_ROWS: [usize; 2] = [6, 3];

fn part(part: Part, n_rows: usize, score: f32) -> PartTable {
    PartTable {
        ids: (0..n_rows)
            .map(|row| format!("{}/{row}", part.name()))
            .collect(),
        tasks: vec!["t".to_owned(); n_rows],
        prompts: vec!["p".to_owned(); n_rows],
        models: vec!["a".to_owned(), "b".to_owned()],
        scores: Array2::from_elem((n_rows, 2), score),
        input_tokens: None,
        output_tokens: None,
        cost_usd: Array2::zeros((n_rows, 2)),
        propensities: None,
        kept: KeptColumns::default(),
    }
}

struct Bench {
    _folder: tempfile::TempDir,
    dir: DatasetDir,
}

impl Bench {
    /// A data set as generators leave it, all scores the same.
    fn new(score: f32) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let dir = DatasetDir::new(folder.path(), "tiny");
        for (which, n_rows) in Part::ALL.into_iter().zip(N_ROWS) {
            let table = part(which, n_rows, score);
            table.write(&dir.split(which)).expect("written");
        }
        let info = DatasetInfo {
            part_sha256: Some(PartHashes::of(&dir).expect("hashed")),
            ..dataset_info("tiny", &["a", "b"], N_ROWS)
        };
        info.write(&dir.info()).expect("written");
        let bench = Self {
            _folder: folder,
            dir,
        };
        bench.read().expect("a data set");
        bench
    }

    fn edit_info(&self, edit: impl FnOnce(&mut DatasetInfo)) {
        let mut info = DatasetInfo::read(&self.dir.info()).expect("read");
        edit(&mut info);
        info.write(&self.dir.info()).expect("written");
    }

    /// Reads both parts, as whoever reads a data set does.
    fn read(&self) -> dataset::Result<()> {
        let info = DatasetInfo::read(&self.dir.info())?;
        for part in Part::ALL {
            PartTable::read_part(&self.dir, &info, part)?;
        }
        TestSet::open(&self.dir).map(drop)
    }

    fn refusal(&self) -> String {
        let error = self.read().expect_err("another run's part");
        assert!(matches!(error, Error::OtherRun { .. }), "{error}");
        error.to_string()
    }
}

#[test]
fn the_parts_of_two_runs_do_not_go_together() {
    for which in Part::ALL {
        let (mine, other) = (Bench::new(0.5), Bench::new(0.25));
        fs::copy(other.dir.split(which), mine.dir.split(which)).expect("copied");
        let message = mine.refusal();
        let hash = sha256_file(&other.dir.split(which)).expect("hashed");
        for expected in [
            format!("{}.parquet` is not the part that", which.name()),
            format!("its SHA-256 is `{hash}` instead of"),
            "generate the data set again".to_owned(),
        ] {
            assert!(message.contains(&expected), "{message}");
        }
    }
}

#[test]
fn counts_and_llms_are_compared_without_hashes_too() {
    let bench = Bench::new(0.5);
    bench.edit_info(|info| info.part_sha256 = None);
    bench.read().expect("older data sets say nothing of hashes");
    type Edit = fn(&mut DatasetInfo);
    let cases: [(Edit, &str); 4] = [
        (|info| info.n_train = 5, "6 rows instead of 5"),
        (|info| info.n_test = 4, "3 rows instead of 4"),
        (
            |info| info.models.reverse(),
            r#"LLMs ["a", "b"] instead of ["b", "a"]"#,
        ),
        (
            |info| info.models.truncate(1),
            r#"LLMs ["a", "b"] instead of ["a"]"#,
        ),
    ];
    for (edit, expected) in cases {
        let bench = Bench::new(0.5);
        bench.edit_info(|info| info.part_sha256 = None);
        bench.edit_info(edit);
        let message = bench.refusal();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn hashes_are_written_by_name_and_left_out_where_unknown() {
    let bench = Bench::new(0.5);
    let value: serde_json::Value = json::read(&bench.dir.info()).expect("read");
    let train = sha256_file(&bench.dir.split(Part::Train)).expect("hashed");
    assert_eq!(value["part-sha256"]["train"], train.as_str());
    bench.edit_info(|info| info.part_sha256 = None);
    let value: serde_json::Value = json::read(&bench.dir.info()).expect("read");
    assert!(value.get("part-sha256").is_none());
}
