//! On nine rows in four files.

use std::{fs, path::Path, sync::Arc};

use arrow_array::Int64Array;
use dataset::{CostKind, Pair, Part, SplitOrigin, sha256_bytes};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use test_support::{Bench, assert_contains, assert_note, stderr};

use crate::{
    empty,
    files::{File, GPT_4O, MINI, Model, OTHER, PRICES, small},
};

const ARGS: [&str; 4] = ["--source", "s", "--prices", "p.toml"];

/// A bench with the files of a source in `s`, and a price list.
pub(crate) fn bench(files: &[(&str, File)]) -> Bench {
    let bench = empty();
    for (name, file) in files {
        file.write(&bench.join("s").join(name));
    }
    bench.write("p.toml", PRICES);
    bench
}

#[test]
fn parts_tokens_and_costs_are_the_sources() {
    let bench = bench(&small());
    bench.succeed(&ARGS);
    let (info, train, test) = bench.read("sprout");
    // Those of the settings in their order, then the others.
    assert_eq!(info.model_names(), [GPT_4O, MINI, OTHER]);
    assert_eq!(info.split, SplitOrigin::Given);
    assert_eq!(info.cost_kind, CostKind::OutputTokens);
    assert_eq!(
        (info.n_train, info.n_validation, info.n_test),
        (7, Some(2), 2)
    );
    let pair = Pair {
        small: MINI.to_owned(),
        large: GPT_4O.to_owned(),
    };
    assert_eq!(info.pair, Some(pair));
    assert_eq!(info.options["variant"], "sprout");
    assert_eq!(info.notes, Vec::<String>::new());
    assert_eq!(train.ids, ["a", "b", "c", "d", "e", "f", "g"]);
    assert_eq!(test.ids, ["h", "i"]);
    assert_eq!(train.tasks[3], "task d");
    assert_eq!(train.prompts[6], "prompt g");
    assert_eq!(
        train.scores.column(1).to_vec(),
        [0.1, 0.2, 0.3, 0.5, 0.6, 0.7, 0.8]
    );
    assert_eq!(test.scores.column(2).to_vec(), [0.25, 0.25]);
    let input = train.input_tokens.expect("there");
    let output = train.output_tokens.expect("there");
    assert_eq!(
        input.column(0).to_vec(),
        [10.0, 11.0, 12.0, 10.0, 11.0, 10.0, 11.0]
    );
    assert_eq!(
        output.column(2).to_vec(),
        [20.0, 22.0, 24.0, 20.0, 22.0, 20.0, 22.0]
    );
    assert_eq!(train.cost_usd[(2, 0)], (12.0 * 2.5 + 24.0 * 10.0) / 1e6);
    assert_eq!(train.cost_usd[(2, 2)], (12.0 * 100.0 + 24.0 * 1000.0) / 1e6);
    let config = include_bytes!("../../../../configs/sprout.toml");
    assert_eq!(info.sources.len(), 6);
    assert_eq!(info.sources[0].sha256, sha256_bytes(config));
    assert_eq!(info.sources[1].sha256, sha256_bytes(PRICES.as_bytes()));
    assert!(
        info.sources[2]
            .path
            .ends_with("s/train-00000-of-00002.parquet")
    );
}

#[test]
fn a_folder_data_in_the_source_will_do() {
    let (flat, nested) = (bench(&small()), empty());
    nested.write("p.toml", PRICES);
    nested.write("s/README.md", "");
    for (name, file) in small() {
        file.write(&nested.join("s/data").join(name));
    }
    // A folder of that name beside the files is another matter.
    flat.write("s/data/notes.txt", "");
    flat.succeed(&ARGS);
    nested.succeed(&ARGS);
    for part in Part::ALL {
        let bytes = |bench: &Bench| fs::read(bench.dataset("sprout").split(part)).expect("written");
        assert!(bytes(&flat) == bytes(&nested));
    }
}

#[test]
fn answers_are_not_read() {
    for (field, is_read) in [
        ("response", false),
        ("score", true),
        ("num_output_tokens", true),
    ] {
        let bench = bench(&small());
        wipe(&bench.join("s/train-00000-of-00002.parquet"), field);
        if is_read {
            let expected = "cannot read `s/train-00000-of-00002.parquet` as Parquet";
            bench.refuse(&ARGS, 1, expected);
        } else {
            bench.succeed(&ARGS);
        }
    }
}

/// Overwrites all bytes of a field of every LLM, so that whoever reads it fails.
fn wipe(path: &Path, field: &str) {
    let mut bytes = fs::read(path).expect("there");
    let reader = SerializedFileReader::new(fs::File::open(path).expect("there")).expect("Parquet");
    let mut n_wiped = 0;
    for group in reader.metadata().row_groups() {
        for column in group.columns() {
            if column
                .column_path()
                .parts()
                .last()
                .is_some_and(|part| part == field)
            {
                let (start, n) = column.byte_range();
                bytes[start as usize..(start + n) as usize].fill(0xff);
                n_wiped += 1;
            }
        }
    }
    assert_eq!(n_wiped, 3);
    fs::write(path, bytes).expect("written");
}

#[test]
fn unknown_scores_stay_unknown() {
    let mut files = small();
    let train = &mut files[0].1.models;
    train[0].scores[1] = None;
    train[1].scores[0] = Some(f64::NAN);
    train[1].rows_without_tokens = vec![2];
    // Below the null there are values, which mean nothing.
    train[2].null_rows = vec![0];
    let bench = bench(&files);
    bench.succeed(&ARGS);
    let (info, train, _) = bench.read("sprout");
    let unknown: Vec<(usize, usize)> = train
        .scores
        .indexed_iter()
        .filter(|(_, score)| score.is_nan())
        .map(|(at, _)| at)
        .collect();
    assert_eq!(unknown, [(0, 0), (0, 2), (1, 1), (2, 2)]);
    assert!(train.cost_usd[(0, 0)].is_nan());
    assert!(train.input_tokens.expect("there")[(0, 0)].is_nan());
    let note = "1 scores of `another-llm` were left out: the tokens of the call, and so its cost, are unknown";
    assert_note(&info, note);
    let note = "the score of `another-llm` is unknown in 2 of 9 rows";
    assert_note(&info, note);
}

#[test]
fn whole_numbers_serve_as_keys_and_keys_of_several_parts_are_told_apart() {
    let mut files = small();
    for (_, file) in &mut files {
        let n = file.models[0].scores.len() as i64;
        *file = file
            .clone()
            .with("key", Some(Arc::new(Int64Array::from_iter_values(0..n))));
    }
    // One shard, so that a key stands once in each part.
    files[0].0 = "train-00000-of-00001.parquet";
    files.remove(1);
    let bench = bench(&files);
    bench.succeed(&ARGS);
    let (info, train, test) = bench.read("sprout");
    assert_eq!(
        train.ids,
        [
            "train/0",
            "train/1",
            "train/2",
            "validation/0",
            "validation/1"
        ]
    );
    assert_eq!(test.ids, ["test/0", "test/1"]);
    assert!(
        info.notes
            .iter()
            .any(|note| note.contains("an id is `part/key`"))
    );
}

#[test]
fn o3mini_has_settings_order_and_name_of_its_own() {
    let scores = [0.5, 0.5];
    let models = || {
        vec![
            Model::new(GPT_4O, scores),
            Model::new(MINI, scores),
            Model::new("aws-titan-text-premier-v1", scores),
            Model::new("openai-o3-mini", scores),
        ]
    };
    let files = [
        (
            "train-00000-of-00001.parquet",
            File::new(&["a", "b"], models()),
        ),
        (
            "validation-00000-of-00001.parquet",
            File::new(&["c", "d"], models()),
        ),
        (
            "test-00000-of-00001.parquet",
            File::new(&["e", "f"], models()),
        ),
    ];
    let bench = bench(&files);
    bench.succeed(&["--source", "s", "--variant", "o3mini"]);
    let (info, train, _) = bench.read("sprout-o3mini");
    let expected = ["openai-o3-mini", "aws-titan-text-premier-v1", MINI, GPT_4O];
    assert_eq!(info.model_names(), expected);
    assert_eq!(info.options["variant"], "sprout-o3mini");
    assert_eq!(train.cost_usd[(0, 0)], (10.0 * 1.1 + 20.0 * 4.4) / 1e6);
    assert_eq!(train.cost_usd[(0, 1)], (10.0 * 0.8 + 20.0 * 3.2) / 1e6);
    let titan = "`aws-titan-text-premier-v1` is charged 0.8 and 3.2 $";
    assert!(info.notes[0].starts_with(titan), "{:?}", info.notes);

    // The other price, and nothing to be said of it.
    let other =
        "[models.aws-titan-text-premier-v1]\ninput_usd_per_mtok = 0.5\noutput_usd_per_mtok = 1.5\n";
    bench.write("titan.toml", other);
    let args = [
        "--source",
        "s",
        "--variant",
        "o3mini",
        "--prices",
        "titan.toml",
    ];
    let output = bench.run(&args);
    assert_eq!(output.status.code(), Some(1));
    assert_contains(&stderr(&output), "made from other files");
    bench.succeed(&[&args[..], &["--name", "router-prices"]].concat());
    let (info, train, _) = bench.read("router-prices");
    assert_eq!(train.cost_usd[(0, 1)], (10.0 * 0.5 + 20.0 * 1.5) / 1e6);
    assert_eq!(info.notes, Vec::<String>::new());
}

#[test]
fn settings_name_models_pair_and_what_to_expect() {
    let model = |name| {
        format!(
            "[[models]]\nname = \"{name}\"\ninput-usd-per-mtok = 1\noutput-usd-per-mtok = 2\nsource = \"a test\"\n"
        )
    };
    let config = format!(
        "repo = \"a/b\"\n[n-rows]\ntrain = 5\nvalidation = 2\ntest = 3\n[pair]\nsmall = \"{OTHER}\"\nlarge = \"absent\"\n{}{}{}",
        model(OTHER),
        model(MINI),
        model(GPT_4O)
    );
    let bench = bench(&small());
    bench.write("c.toml", &config);
    let args = ["--source", "s", "--config", "c.toml"];
    let output = bench.succeed(&args);
    let expected = "expected the 5 train, 2 validation and 3 test rows of the published files, found 5 train, 2 validation and 2 test rows";
    assert_contains(&stderr(&output), expected);
    let (info, _, _) = bench.read("sprout");
    assert_eq!(info.model_names(), [OTHER, MINI, GPT_4O]);
    assert_eq!(info.pair, None);
    assert!(
        info.notes[0].contains("lacks `another-llm` or `absent`"),
        "{:?}",
        info.notes
    );
    assert_eq!(info.notes[1], expected);

    // With the numbers that there are, nothing is said.
    bench.write(
        "c.toml",
        config
            .replace("test = 3", "test = 2")
            .replace("absent", MINI),
    );
    let output = bench.succeed(&[&args[..], &["--force"]].concat());
    assert!(!stderr(&output).contains("WARN"), "{}", stderr(&output));
    let (info, _, _) = bench.read("sprout");
    assert_eq!(info.pair.expect("both are there").large, MINI);
}

#[test]
fn a_limit_keeps_the_first_rows_of_each_part() {
    let bench = bench(&small());
    bench.succeed(&[&ARGS[..], &["--limit", "1"]].concat());
    let (info, train, test) = bench.read("sprout");
    assert_eq!(
        (train.ids, test.ids),
        (vec!["a".to_owned(), "f".to_owned()], vec!["h".to_owned()])
    );
    assert_eq!(info.n_validation, Some(1));

    // Again: nothing is made. Otherwise: refused.
    let again = bench.succeed(&[&ARGS[..], &["--limit", "1"]].concat());
    assert!(stderr(&again).contains("already exists"));
    let output = bench.run(&ARGS);
    assert_contains(&stderr(&output), "limit was `1`, now not set");
}
