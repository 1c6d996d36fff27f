//! `pool` on a tiny router, and `route` with what it wrote.

use std::{fs, path::Path, process::Output};

use dataset::{CostKind, DatasetInfo, KeptColumns, Lock, Part, PartTable, sha256_file};
use ndarray::{Array2, array};
use serde_json::Value;
use test_support::{dataset_info, expect_success as check_ok};

use crate::bench::{MODELS, PROMPTS, Tiny, assert_refused, output_tokens, scores};

const MODEL: &str = "models/tiny/carrot-knn";

/// A router with the train part that it was fitted on.
fn bench(cost_kind: CostKind) -> Tiny {
    let mut models = Vec::new();
    let bench = Tiny::with(cost_kind, |record| models.clone_from(&record.models));
    let dir = bench.dataset("tiny");
    let ids: Vec<String> = (0..PROMPTS.len()).map(|i| format!("p{i}")).collect();
    let split = PartTable {
        ids: ids.clone(),
        tasks: ids,
        prompts: PROMPTS.map(str::to_owned).to_vec(),
        models: MODELS.map(str::to_owned).to_vec(),
        scores: scores(),
        input_tokens: None,
        output_tokens: None,
        cost_usd: Array2::zeros((PROMPTS.len(), MODELS.len())),
        propensities: None,
        kept: KeptColumns::default(),
    };
    split.write(&dir.split(Part::Train)).expect("written");
    let info = DatasetInfo {
        models,
        cost_kind,
        ..dataset_info("tiny", &MODELS, [PROMPTS.len(), 0])
    };
    info.write(&dir.info()).expect("written");
    // The record names the split by its hash.
    let path = bench.router().join("router.json");
    let text = fs::read_to_string(&path).expect("read");
    let sha256 = sha256_file(&dir.split(Part::Train)).expect("hashed");
    let text = text.replace("\"abc\"", &format!("\"{sha256}\""));
    fs::write(&path, text).expect("written");
    bench
}

/// A table of an LLM that was asked the first two train prompts, and one of another data set.
fn write_table(bench: &Tiny, name: &str) {
    let nan = f32::NAN;
    let split = PartTable {
        ids: ["p1", "p0", "elsewhere"].map(str::to_owned).to_vec(),
        tasks: vec!["made-up".to_owned(); 3],
        prompts: vec!["?".to_owned(); 3],
        models: vec![name.to_owned()],
        scores: array![[0.125], [0.75], [nan]],
        input_tokens: None,
        output_tokens: Some(array![[100.0], [7.0], [f64::NAN]]),
        cost_usd: array![[0.5], [0.25], [f64::NAN]],
        propensities: None,
        kept: KeptColumns::default(),
    };
    split
        .write(&bench.path().join("new.parquet"))
        .expect("written");
}

fn pool(bench: &Tiny, args: &[&str]) -> Output {
    let usual = ["pool", "--model", MODEL, "--output", "models/tiny/edited"];
    bench.run(&[&usual[..], args].concat())
}

fn edited(bench: &Tiny) -> &Path {
    assert!(bench.path().join("models/tiny/edited/README.md").is_file());
    Path::new("models/tiny/edited")
}

/// What `route` says of each LLM for the first train prompt.
fn candidates(bench: &Tiny, folder: &Path) -> Vec<Value> {
    let folder = folder.to_str().expect("text");
    let args = [PROMPTS[0], "--mu", "0.5", "--model", folder];
    let mut decision = bench.decisions(&args, "").remove(0);
    match decision["models"].take() {
        Value::Array(models) => models,
        other => panic!("{other}"),
    }
}

#[test]
fn an_added_llm_is_predicted_and_the_others_stay_as_they_were() {
    let bench = bench(CostKind::OutputTokens);
    write_table(&bench, "new");
    bench.write(
        "prices.toml",
        "[models.new]\ninput_usd_per_mtok = 5\noutput_usd_per_mtok = 50\n",
    );
    let before = candidates(&bench, Path::new(MODEL));
    let args = ["--add", "new.parquet", "--prices", "prices.toml"];
    let text = check_ok(&pool(&bench, &args));
    assert!(
        text.contains("added `new`: scored on 2 train prompts"),
        "{text}"
    );
    let after = candidates(&bench, edited(&bench));
    assert_eq!(after[..3], before[..]);
    let new = &after[3];
    assert_eq!((&new["name"], &new["score"]), (&"new".into(), &0.75.into()));
    assert_eq!(new["output_tokens"], 7.0);
    let n_input = new["input_tokens"].as_f64().expect("a count");
    let cost = new["cost_usd"].as_f64().expect("a cost");
    assert!((cost - (5.0 * n_input + 50.0 * 7.0) / 1e6).abs() < 1e-12);
    // The model card and the record say what was done.
    let card = fs::read_to_string(bench.path().join("models/tiny/edited/README.md"));
    assert!(card.expect("read").contains("\"edits\""));
}

#[test]
fn tables_of_other_programs_add_the_same_llm() {
    let bench = bench(CostKind::OutputTokens);
    write_table(&bench, "new");
    bench.write(
        "prices.toml",
        "[models.new]\ninput_usd_per_mtok = 5\noutput_usd_per_mtok = 50\n",
    );
    bench.write(
        "new.csv",
        "id,new/score,new/output_tokens,remark\r\np1,0.125,100,\r\np0,0.75,7.0,\r\nelsewhere,,,x\r\n",
    );
    bench.write(
        "new.jsonl",
        "{\"id\": \"p1\", \"new/score\": 0.125, \"new/output_tokens\": 100}\n{\"id\": \"p0\", \"new/score\": 0.75, \"new/output_tokens\": 7}\n",
    );
    let mut routers = Vec::new();
    for table in ["new.parquet", "new.csv", "new.jsonl"] {
        check_ok(&pool(
            &bench,
            &["--add", table, "--prices", "prices.toml", "--force"],
        ));
        routers.push(candidates(&bench, edited(&bench)));
    }
    assert_eq!(routers[0][3]["output_tokens"], 7.0);
    assert!(routers.iter().all(|router| *router == routers[0]));
}

#[test]
fn llms_are_removed_and_prices_change() {
    let bench = bench(CostKind::OutputTokens);
    bench.write(
        "prices.toml",
        "[models.twin]\ninput_usd_per_mtok = 0\noutput_usd_per_mtok = 1000\n",
    );
    let before = candidates(&bench, Path::new(MODEL));
    let args = ["--remove", "owner/dear", "--prices", "prices.toml"];
    check_ok(&pool(&bench, &args));
    let after = candidates(&bench, edited(&bench));
    assert_eq!(after.len(), 2);
    assert_eq!(after[0], before[1]);
    let cost = after[1]["cost_usd"].as_f64().expect("a cost");
    assert!((cost - f64::from(output_tokens()[[0, 2]]) * 1000.0 / 1e6).abs() < 1e-12);
    // An edited router can be edited again.
    let again = [
        "pool",
        "--model",
        "models/tiny/edited",
        "--output",
        "models/tiny/again",
        "--remove",
        "cheap",
    ];
    bench.succeed(&again);
    assert_eq!(candidates(&bench, Path::new("models/tiny/again")).len(), 1);
}

#[test]
fn dollars_of_an_added_llm_come_back_from_z_scores() {
    let bench = bench(CostKind::Usd);
    write_table(&bench, "new");
    let before = candidates(&bench, Path::new(MODEL));
    check_ok(&pool(&bench, &["--add", "new.parquet"]));
    let after = candidates(&bench, edited(&bench));
    assert_eq!(after[..3], before[..]);
    let cost = after[3]["cost_usd"].as_f64().expect("a cost");
    assert!((cost - 0.25).abs() < 1e-6, "{cost}");
    bench.write(
        "prices.toml",
        "[models.cheap]\ninput_usd_per_mtok = 0\noutput_usd_per_mtok = 1\n",
    );
    let args = ["--prices", "prices.toml", "--force"];
    assert_refused(&pool(&bench, &args), 1, "in dollars");
}

#[test]
fn what_cannot_be_edited_is_refused_and_leaves_nothing() {
    let bench = bench(CostKind::OutputTokens);
    write_table(&bench, "new");
    bench.write(
        "other.toml",
        "[models.nobody]\ninput_usd_per_mtok = 5\noutput_usd_per_mtok = 50\n",
    );
    for (args, code, part) in [
        (&[][..], 2, "nothing to change"),
        (
            &["--add", "new.parquet"],
            1,
            "LLM `new` would have no price, and a missing price is never treated as zero\nhint: give it a price with `--prices`",
        ),
        (&["--remove", "nobody"], 1, "cannot remove `nobody`"),
        (
            &["--remove", "owner/dear", "cheap", "twin"],
            1,
            "no LLM would be left",
        ),
        (
            &["--prices", "other.toml"],
            1,
            "there is a price for `nobody`",
        ),
        (&["--add", "nowhere.parquet"], 1, "nowhere.parquet"),
    ] {
        assert_refused(&pool(&bench, args), code, part);
    }
    write_table(&bench, "cheap");
    assert_refused(
        &pool(&bench, &["--add", "new.parquet"]),
        1,
        "already has an LLM `cheap`",
    );
    let dir = bench.dataset("tiny");
    let mut split = PartTable::read(&dir.split(Part::Train)).expect("read");
    split.ids = ["a", "b", "c"].map(str::to_owned).to_vec();
    split.write(&dir.split(Part::Train)).expect("written");
    assert_refused(
        &pool(&bench, &["--add", "new.parquet"]),
        1,
        "is not the train part that",
    );
    assert!(!bench.path().join("models/tiny/edited").exists());
    check_ok(&pool(&bench, &["--remove", "twin"]));
    assert_refused(
        &pool(&bench, &["--remove", "twin"]),
        1,
        "already exists\nhint: overwrite it with `--force`",
    );
}

#[test]
fn only_a_router_of_ours_is_overwritten_and_never_the_original() {
    let bench = bench(CostKind::OutputTokens);
    let pool = |model: &str, output: &str| {
        let args = [
            "pool", "--model", model, "--output", output, "--remove", "twin", "--force",
        ];
        bench.run(&args)
    };
    fs::create_dir_all(bench.join("thesis/chapters")).expect("made");
    bench.write("thesis/thesis.tex", "years");
    bench.write("broken/router.json", "{");
    bench.write("file", "text");
    #[cfg(unix)]
    std::os::unix::fs::symlink(bench.join(MODEL), bench.join("link")).expect("linked");
    let record = fs::read(bench.join(MODEL).join("router.json")).expect("read");
    for output in ["thesis", "broken", "file", "data", "data/tiny"] {
        assert_refused(&pool(MODEL, output), 1, "is not the folder of a router");
    }
    let same = "would overwrite the router of `--model";
    for (model, output) in [
        (MODEL, MODEL),
        (MODEL, "models/tiny/../tiny/carrot-knn/"),
        (MODEL, "models/tiny/carrot-knn/inner"),
        (MODEL, "models/tiny"),
        (MODEL, "models"),
        (MODEL, "."),
        #[cfg(unix)]
        (MODEL, "link"),
        #[cfg(unix)]
        ("link", MODEL),
    ] {
        assert_refused(&pool(model, output), 2, same);
    }
    assert_eq!(
        fs::read(bench.join("thesis/thesis.tex")).expect("read"),
        b"years"
    );
    assert_eq!(
        fs::read(bench.join(MODEL).join("router.json")).expect("read"),
        record
    );
    fs::create_dir(bench.join("empty")).expect("made");
    for output in ["empty", "empty", "models/tiny/other"] {
        check_ok(&pool(MODEL, output));
    }
}

#[test]
fn a_router_that_another_program_writes_is_refused_at_the_start() {
    let bench = bench(CostKind::OutputTokens);
    let lock = Lock::of(&bench.join("models/tiny/edited")).expect("free");
    // Before anything is read, an addition that does not exist for one.
    let output = pool(&bench, &["--add", "nowhere.parquet"]);
    assert_refused(&output, 1, "`models/tiny/edited` is being written by ");
    drop(lock);
    check_ok(&pool(&bench, &["--remove", "twin"]));
}
