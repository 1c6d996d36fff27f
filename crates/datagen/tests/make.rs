//! From a raw table to files and back.

use std::{collections::BTreeMap, fs, path::Path};

use datagen::{
    Made, PriceList, RandomSplit, RawModel, RawTable, Recipe, Request, Result, SourcePart, Tally,
    make,
};
use dataset::{
    CostKind, CostRule, DatasetDir, DatasetInfo, KeptColumns, Pair, Part, PartHashes, PartTable,
    SplitOrigin, train_test_split,
};

fn model(name: &str, n: usize) -> RawModel {
    RawModel {
        name: name.to_owned(),
        scores: (0..n).map(|i| (i % 5) as f64 / 4.0).collect(),
        input_tokens: Some((0..n).map(|i| 100.0 + i as f64).collect()),
        output_tokens: None,
        cost_usd: None,
        propensities: None,
    }
}

fn table(n: usize) -> RawTable {
    RawTable {
        path: "raw.csv".into(),
        row_numbers: (1..=n).collect(),
        ids: (0..n).map(|i| format!("id{i}")).collect(),
        tasks: vec!["all".to_owned(); n],
        prompts: (0..n).map(|i| format!("question {i}")).collect(),
        parts: None,
        kept: KeptColumns::default(),
        models: vec![model("small", n), model("org/large", n)],
    }
}

fn request() -> Request {
    Request {
        recipe: Recipe {
            name: "mine".parse().expect("a good name"),
            pair: None,
            split: RandomSplit {
                test_size: 0.2,
                seed: 42,
            },
            sources: Vec::new(),
            made_by: "test".to_owned(),
            options: BTreeMap::new(),
            group: None,
        },
        notes: Vec::new(),
        findings: BTreeMap::new(),
    }
}

fn prices() -> PriceList {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("prices.toml");
    let text = "[models.small]\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 2\n\
                [models.\"org/large\"]\ninput_usd_per_mtok = 10\noutput_usd_per_mtok = 30\n";
    fs::write(&path, text).expect("written");
    PriceList::read(&path).expect("a good list")
}

fn make_it(table: RawTable) -> Result<Made> {
    make(table, Some(&prices()), request())
}

#[test]
fn rows_come_in_the_order_of_scikit_learn_and_back_from_disk() {
    let made = make_it(table(10)).expect("a good table");
    let rows = train_test_split(10, 0.2, 42).expect("a good split");
    let ids: Vec<String> = rows.test.iter().map(|row| format!("id{row}")).collect();
    assert_eq!(made.test.ids, ids);
    assert_eq!(made.info.cost_kind, CostKind::Known);
    assert_eq!(made.info.models[1].cost_rule, CostRule::InputTokens);
    let row = rows.test[0] as usize;
    assert_eq!(made.test.cost_usd[(0, 1)], (100 + row) as f64 * 10.0 / 1e6);

    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = made.write(folder.path()).expect("written");
    let read = |part| PartTable::read(&dir.split(part)).expect("readable");
    assert_eq!(
        (read(Part::Train), read(Part::Test)),
        (made.train.clone(), made.test.clone())
    );
    // The parts' hashes are known only once they are written.
    let info = DatasetInfo {
        part_sha256: Some(PartHashes::of(&dir).expect("hashed")),
        ..made.info
    };
    assert_eq!(DatasetInfo::read(&dir.info()).expect("readable"), info);
    assert_eq!(
        file_names(dir.root()),
        ["dataset.json", "test.parquet", "train.parquet"]
    );
}

#[test]
fn given_parts_are_kept_in_order() {
    let mut table = table(4);
    table.parts = Some(vec![
        SourcePart::Test,
        SourcePart::Train,
        SourcePart::Test,
        SourcePart::Train,
    ]);
    let made = make_it(table).expect("a good table");
    assert_eq!(made.train.ids, ["id1", "id3"]);
    assert_eq!(made.test.ids, ["id0", "id2"]);
    assert_eq!(made.info.split, SplitOrigin::Given);
}

#[test]
fn costs_follow_the_columns() {
    let mut table = table(5);
    table.models[0].output_tokens = Some(vec![50.0; 5]);
    table.models[1].cost_usd = Some(vec![0.25; 5]);
    table.models[1].scores[0] = f64::NAN;
    table.models[1].cost_usd.as_mut().expect("set")[0] = f64::NAN;
    let made = make_it(table).expect("a null cost beside a null score is not an error");
    let rules: Vec<CostRule> = made
        .info
        .models
        .iter()
        .map(|model| model.cost_rule)
        .collect();
    assert_eq!(rules, [CostRule::InputAndOutputTokens, CostRule::Given]);
    assert_eq!(made.info.cost_kind, CostKind::Usd);
    assert_eq!(
        made.info.notes,
        ["the score of `org/large` is unknown in 1 of 5 rows"]
    );

    let mut tally = Tally::new(2);
    tally.add(&made.train);
    tally.add(&made.test);
    let summary = tally.summary(&made.info, &DatasetDir::new(Path::new("data"), "mine"));
    assert_eq!(summary.n_unknown_scores, 1);
    assert_eq!(
        summary.models[1].mean_score,
        Some((0.25 + 0.5 + 0.75 + 1.0) / 4.0)
    );
    assert_eq!(summary.models[1].mean_cost_usd, Some(0.25));
    assert!(
        summary
            .text(None)
            .contains("4 train and 1 test rows, 2 LLMs"),
        "{}",
        summary.text(None)
    );
}

#[test]
fn bad_tables_are_refused() {
    type Spoil = fn(&mut RawTable);
    let cases: &[(Spoil, &str)] = &[
        (|table| table.models.clear(), "no LLM"),
        (|table| *table = self::table(0), "`raw.csv` has no rows"),
        (
            |table| table.ids[4] = "id0".to_owned(),
            "duplicate id `id0` in rows 1 and 5",
        ),
        (
            |table| table.models[0].scores[1] = 1.5,
            "column `small/score` of `raw.csv` is 1.5 in row 2",
        ),
        (
            |table| table.models[0].scores[1] = f64::INFINITY,
            "is inf in row 2",
        ),
        (
            |table| input_tokens(table)[2] = -1.0,
            "column `small/input_tokens` of `raw.csv` is -1 in row 3",
        ),
        (
            |table| input_tokens(table)[2] = 1.5,
            "is 1.5 in row 3, expected a whole number",
        ),
        (
            |table| input_tokens(table)[2] = f64::NAN,
            "`small` has a score but no cost in row 3",
        ),
        (
            |table| table.models[0].cost_usd = Some(vec![-1.0; 5]),
            "is -1 in row 1",
        ),
        (
            |table| table.models[1].input_tokens = None,
            "needs a column `org/large/cost_usd`",
        ),
        (
            |table| table.models[1].name = "other".to_owned(),
            "no price for model `other`",
        ),
        (
            |table| table.models[1].name = "small".to_owned(),
            "duplicate model `small`",
        ),
        (
            |table| table.models[1].scores.fill(f64::NAN),
            "no train row of `raw.csv` has a score for model `org/large`",
        ),
        (
            |table| table.parts = Some(vec![SourcePart::Train; 5]),
            "has no rows in its test part",
        ),
        (
            |table| table.tasks.truncate(4),
            "has shape (4, 1), expected (5, 1)",
        ),
    ];
    for (i, (spoil, expected)) in cases.iter().enumerate() {
        let mut table = table(5);
        spoil(&mut table);
        let message = make_it(table).expect_err(expected).to_string();
        assert!(message.contains(expected), "case {i}: {message}");
    }
    let message = make(table(5), None, request())
        .expect_err("no prices")
        .to_string();
    assert!(message.contains("a price list is needed"), "{message}");
    let message = make(table(1), Some(&prices()), request())
        .expect_err("one row")
        .to_string();
    assert!(message.contains("0 train and 1 test rows"), "{message}");
}

#[test]
fn a_pair_is_of_two_known_models() {
    let with = |small: &str, large: &str| {
        let (small, large) = (small.to_owned(), large.to_owned());
        let mut request = request();
        request.recipe.pair = Some(Pair { small, large });
        make(table(5), Some(&prices()), request)
    };
    assert!(with("small", "org/large").is_ok());
    for (small, large, expected) in [
        ("small", "huge", "no model `huge`"),
        ("small", "small", "both `small`"),
    ] {
        let message = with(small, large).expect_err(expected).to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_new_data_set_replaces_the_old_one_with_its_truth() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let made = make_it(table(10)).expect("a good table");
    let dir = made.write(folder.path()).expect("written");
    let truth = dir.truth(Part::Train);
    fs::create_dir_all(truth.parent().expect("a parent")).expect("made");
    fs::write(&truth, "old").expect("written");

    make_it(table(20))
        .expect("a good table")
        .write(folder.path())
        .expect("written");
    assert_eq!(
        DatasetInfo::read(&dir.info()).expect("readable").n_train,
        16
    );
    assert_eq!(
        PartTable::read(&dir.split(Part::Train))
            .expect("readable")
            .n_prompts(),
        16
    );
    assert!(
        !truth.exists(),
        "the truth of another data set would be a lie"
    );
}

#[test]
fn what_else_is_in_the_folder_stays() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |n| {
        let made = make_it(table(n)).expect("a good table");
        made.write(folder.path()).expect("written")
    };
    let dir = write(10);
    let embeddings = dir.embeddings("mine", Part::Train);
    for path in [
        &embeddings,
        &dir.predictions("mf"),
        &dir.root().join("notes.txt"),
    ] {
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, path.display().to_string()).expect("written");
    }
    write(20);
    for path in [
        embeddings,
        dir.predictions("mf"),
        dir.root().join("notes.txt"),
    ] {
        let text = fs::read_to_string(&path).expect("it stays");
        assert_eq!(text, path.display().to_string());
    }
    assert_eq!(file_names(folder.path()), ["mine"]);
}

#[cfg(unix)]
#[test]
fn links_to_other_disks_stay_links() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let elsewhere = tempfile::tempdir().expect("another one");
    let real = elsewhere.path().join("real");
    let write = |n| {
        let made = make_it(table(n)).expect("a good table");
        made.write(folder.path()).expect("written")
    };
    fs::create_dir_all(real.join("vectors")).expect("made");
    fs::write(real.join("vectors/file"), "text").expect("written");
    let dir = dataset::DatasetDir::new(folder.path(), "mine");
    symlink(&real, dir.root()).expect("linked");
    symlink(real.join("vectors"), real.join("embeddings")).expect("linked");
    // A part that was moved to another disk to save space is replaced by one that is here.
    fs::write(elsewhere.path().join("part"), "old").expect("written");
    symlink(elsewhere.path().join("part"), dir.split(Part::Train)).expect("linked");
    for n in [10, 20] {
        write(n);
        assert!(dir.root().is_symlink());
        assert!(real.join("embeddings").is_symlink());
        assert_eq!(
            fs::read(dir.root().join("embeddings/file")).expect("read"),
            b"text"
        );
        assert!(!dir.split(Part::Train).is_symlink());
        assert_eq!(
            fs::read(elsewhere.path().join("part")).expect("read"),
            b"old"
        );
        let n_train = DatasetInfo::read(&dir.info()).expect("readable").n_train;
        assert_eq!(n_train, n * 4 / 5);
    }
}

#[test]
fn a_data_set_that_cannot_take_its_place_leaves_what_is_there() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let made = make_it(table(10)).expect("a good table");
    fs::write(folder.path().join("mine"), "a file").expect("written");
    made.write(folder.path()).expect_err("no folder");
    assert_eq!(file_names(folder.path()), ["mine"]);
}

fn input_tokens(table: &mut RawTable) -> &mut Vec<f64> {
    table.models[0]
        .input_tokens
        .as_mut()
        .expect("set by `model`")
}

fn file_names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("listed");
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("listed")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}
