//! The figure of benchmarks: what it shows, and what it does with what is hardly a benchmark.

use evaluation::{Predicted, Truth, baseline::single_models, choice::point_at};
use ndarray::Axis;

use super::*;

pub(crate) const SPROUT_TASKS: [&str; 6] = [
    "rungalileo/ragbench/hotpotqa",
    "openhermes/teknium",
    "Idavidrein/gpqa/gpqa_extended",
    "TAUR-Lab/MuSR/object_placements",
    "TIGER-Lab/MMLU-Pro",
    "lighteval/MATH/all/test",
];
/// The first twelve LLMs, of which the last one is by far the dearest.
const N_MODELS: usize = 12;

/// Writes a data set whose prompts are of the given tasks in turn.
pub(crate) fn write_tasks(
    data_dir: &Path,
    name: &str,
    tasks: &[&str],
    routers: &[&str],
) -> DatasetDir {
    let dir = write(data_dir, name, &MODELS[..N_MODELS], routers);
    edit_test(&dir, |split| {
        split.tasks = (0..N_PROMPTS)
            .map(|i| tasks[i % tasks.len()].to_owned())
            .collect();
    });
    dir
}

fn per_model(dir: &DatasetDir, router: &str) -> PerModel {
    match Predictions::read(&dir.predictions(router)).expect("read") {
        Predictions::PerModel(predicted) => predicted,
        Predictions::SmallWins(_) => panic!("scores and costs"),
    }
}

/// Cells of a CSV file by the names of its columns.
struct Csv(Vec<BTreeMap<String, String>>);

impl Csv {
    fn read(path: &Path) -> Self {
        let mut rows = cells(path).into_iter();
        let header = rows.next().expect("a header");
        Self(
            rows.map(|row| {
                assert_eq!(row.len(), header.len(), "{row:?}");
                header.iter().cloned().zip(row).collect()
            })
            .collect(),
        )
    }

    fn benchmarks(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.0.iter().map(|row| row["benchmark"].as_str()).collect();
        names.dedup();
        names
    }

    fn of<'a>(&'a self, benchmark: &str) -> Vec<&'a BTreeMap<String, String>> {
        self.0
            .iter()
            .filter(|row| row["benchmark"] == benchmark)
            .collect()
    }
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    let text = &row[column];
    text.parse()
        .unwrap_or_else(|_| panic!("`{column}` is `{text}`, expected a number"))
}

#[test]
fn a_spider_and_its_bars_stay_as_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    write_tasks(
        &data,
        "sprout",
        &SPROUT_TASKS,
        &["carrot-knn", "carrot-roberta", "mf"],
    );
    let stdout = check_ok(&plots(folder.path(), &["--figure", "spider"]));
    assert_eq!(
        stdout.lines().collect::<Vec<_>>(),
        [
            "sprout_spider.svg",
            "sprout_spider.pdf",
            "sprout_spider.png",
            "sprout_spider.csv",
            "bw/sprout_spider_bars.svg",
            "bw/sprout_spider_bars.pdf",
            "bw/sprout_spider_bars.png",
            "bw/sprout_spider_bars.csv",
        ]
        .map(|file| format!("plots/sprout/{file}"))
    );
    let made = folder.path().join("plots/sprout");
    for file in ["sprout_spider.svg", "sprout_spider.csv"] {
        check_snapshot(&made.join(file), file);
    }
    check_snapshot(
        &made.join("bw/sprout_spider_bars.svg"),
        "sprout_spider_bars.svg",
    );
    for file in ["sprout_spider.svg", "bw/sprout_spider_bars.svg"] {
        let svg = fs::read_to_string(made.join(file)).expect("written");
        for text in [
            "sprout: CARROT (RoBERTa) vs large",
            "10% of large\u{2019}s cost",
            "RAGBench",
            "for each of 5 parts of its test prompts on the other parts",
        ] {
            assert!(svg.contains(text), "`{file}` lacks `{text}`");
        }
        assert!(!svg.contains("in hindsight"), "{file}");
    }
    let pdf = fs::read(made.join("sprout_spider.pdf")).expect("written");
    assert!(pdf.windows(14).any(|bytes| bytes == b"LiberationSans"));

    let csv = Csv::read(&made.join("sprout_spider.csv"));
    assert_eq!(
        csv.benchmarks(),
        ["GPQA", "MuSR", "MMLU-Pro", "MATH", "OpenHermes", "RAGBench"]
    );
    for row in &csv.0 {
        let value = |column: &str| number(row, column);
        assert_eq!(row["router"], "carrot-roberta");
        assert_eq!(row["lambda_from"], "other 4 of 5 folds");
        assert!(value("lambda_low") <= value("lambda_high"));
        for name in ["accuracy", "accuracy_ratio", "cost_ratio", "large_accuracy"] {
            let [low, high] = ["low", "high"].map(|end| value(&format!("{name}_{end}")));
            assert!(low <= value(name) && value(name) <= high, "{name}: {row:?}");
        }
        let ratio = value("accuracy") / value("large_accuracy");
        assert!((value("accuracy_ratio") - ratio).abs() < 1e-12);
        assert!((value("cost_ratio") - value("cost_usd") / value("large_cost_usd")).abs() < 1e-12);
    }
}

/// The published formula, word for word: for each benchmark the largest ratio of means over a grid of lambdas whose ratio of costs is at most p.
#[test]
fn the_reference_s_way_is_the_best_in_hindsight() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let dir = write_tasks(&data, "made-up", &SPROUT_TASKS, &["carrot-knn"]);
    let args = [
        "--figure",
        "spider",
        "--reference-quirks",
        "--format",
        "svg",
    ];
    check_ok(&plots(folder.path(), &args));
    let made = folder.path().join("plots/made-up");
    let svg = fs::read_to_string(made.join("spider-reference.svg")).expect("written");
    assert!(svg.contains("in hindsight"));
    assert!(made.join("bw/spider_bars-reference.svg").is_file());
    assert!(made.join("spider.csv").is_file());
    let csv = Csv::read(&made.join("spider-reference.csv"));
    assert_eq!(csv.0.len(), 18);

    let test = PartTable::read(&dir.split(Part::Test)).expect("read");
    let predicted = per_model(&dir, "carrot-knn");
    for (benchmark, text) in [("GPQA", "gpqa"), ("RAGBench", "ragbench"), ("MATH", "MATH")] {
        let rows: Vec<usize> = (0..N_PROMPTS)
            .filter(|&i| test.tasks[i].contains(text))
            .collect();
        let (scores, costs) = (
            test.scores.select(Axis(0), &rows),
            test.cost_usd.select(Axis(0), &rows),
        );
        let (predicted_scores, predicted_costs) = (
            predicted.scores.select(Axis(0), &rows),
            predicted.cost_usd.select(Axis(0), &rows),
        );
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let predicted =
            Predicted::new(predicted_scores.view(), predicted_costs.view()).expect("predictions");
        let large = single_models(&truth)[N_MODELS - 1].expect("known");
        let ratios: Vec<(f64, f64)> = (0..=1000)
            .map(|i| {
                let point = point_at(&truth, predicted, f64::from(i) / 1000.0, 1000.0);
                let point = point.expect("routed");
                (
                    point.cost_usd / large.cost_usd,
                    point.accuracy / large.accuracy,
                )
            })
            .collect();
        for row in csv.of(benchmark) {
            let share = number(row, "share");
            let expected = ratios
                .iter()
                .filter(|(cost_ratio, _)| *cost_ratio <= share)
                .map(|(_, ratio)| *ratio)
                .fold(0.0, f64::max);
            let found = number(row, "accuracy_ratio");
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
            assert!(number(row, "cost_ratio") <= share);
            assert_eq!(row["lambda_low"], row["lambda_high"]);
            assert_eq!(
                (row["lambda_from"].as_str(), number(row, "cost_multiplier")),
                ("test", 1000.0)
            );
        }
    }
}

#[test]
fn few_and_many_benchmarks_are_drawn() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let long: Vec<String> = (0..40)
        .map(|i| format!("task-{i:02}-{}", "of_a_name_without_end_".repeat(4)))
        .map(|name| name[..80].to_owned())
        .collect();
    let long: Vec<&str> = long.iter().map(String::as_str).collect();
    write_tasks(&data, "one", &["law"], &["carrot-knn"]);
    write_tasks(&data, "two", &["law", "art"], &["carrot-knn"]);
    write_tasks(
        &data,
        "three",
        &["a/law", "b/law", "art, or \"art\""],
        &["my-own"],
    );
    write_tasks(&data, "forty", &long, &["carrot-knn"]);
    let output = plots(folder.path(), &["--figure", "spider", "--format", "svg"]);
    check_ok(&output);
    let stderr = stderr(&output);
    let read = |file: &str| fs::read_to_string(folder.path().join("plots").join(file));
    for (name, n) in [("one", 1), ("two", 2)] {
        assert!(read(&format!("{name}/spider.svg")).is_err());
        let said = format!(
            "skipping `{name}/spider`: a radar chart needs 3 benchmarks, and the data set has {n}"
        );
        assert!(stderr.contains(&said), "{stderr}");
        assert!(read(&format!("{name}/bw/spider_bars.svg")).is_ok());
    }
    let svg = read("three/spider.svg").expect("written");
    for text in [
        "a/law",
        "b/law",
        "art, or &quot;art&quot;",
        "my-own vs large",
    ] {
        assert!(svg.contains(text), "{text}: {svg}");
    }
    assert!(
        read("three/spider.csv")
            .expect("written")
            .contains("\"art, or \"\"art\"\"\",")
    );
    // Fifteen of them and the rest; their names lose their middles.
    let csv = Csv::read(&folder.path().join("plots/forty/spider.csv"));
    assert_eq!(csv.benchmarks().len(), 16);
    assert_eq!(csv.benchmarks()[15], "25 others");
    assert_eq!(number(csv.of("25 others")[0], "n_prompts"), 125.0);
    let svg = read("forty/spider.svg").expect("written");
    assert!(svg.contains("The 25 smallest tasks are joined."));
    assert!(svg.contains("task-00-of_a_"), "{svg}");
    for name in ["three", "forty"] {
        for file in ["spider.svg", "bw/spider_bars.svg"] {
            let svg = read(&format!("{name}/{file}")).expect("written");
            assert!(
                !svg.contains("NaN") && !svg.contains("inf"),
                "{name}/{file}"
            );
        }
    }
}

#[test]
fn what_is_missing_is_a_gap_and_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let tasks = ["art", "law", "math", "music", "physics"];
    let dir = write_tasks(&data, "gaps", &tasks, &["carrot-knn"]);
    let is = |task: usize, prompt_idx: usize| prompt_idx % tasks.len() == task;
    let large = N_MODELS - 1;
    edit_test(&dir, |split| {
        for i in 0..N_PROMPTS {
            if is(0, i) {
                // Every LLM costs at least a fifth of what the large one does.
                for m in 0..large {
                    let cost = split.cost_usd[[i, large]];
                    split.cost_usd[[i, m]] = split.cost_usd[[i, m]].max(0.2 * cost);
                }
            }
            if is(2, i) {
                split.scores[[i, large]] = f32::NAN;
            }
            if is(3, i) {
                split.scores[[i, large]] = 0.0;
            }
            if is(4, i) {
                split.cost_usd[[i, large]] = 0.0;
            }
        }
    });
    let mut predicted = per_model(&dir, "carrot-knn");
    for i in (0..N_PROMPTS).filter(|&i| is(1, i)) {
        predicted.scores.row_mut(i).fill(f32::NAN);
    }
    Predictions::PerModel(predicted)
        .write(&dir.predictions("carrot-knn"), &made_from(&dir))
        .expect("written");
    check_ok(&plots(
        folder.path(),
        &["--figure", "spider", "--format", "svg,png"],
    ));
    let made = folder.path().join("plots/gaps");
    let csv = Csv::read(&made.join("spider.csv"));
    assert_eq!(csv.benchmarks(), ["art", "law", "music", "physics"]);
    let check = |benchmark: &str, share_idx: usize, accuracy: &str, ratio: &str| {
        let row = csv.of(benchmark)[share_idx];
        assert_eq!(row["accuracy_missing"], accuracy, "{row:?}");
        assert_eq!(row["accuracy_ratio_missing"], ratio, "{row:?}");
        for (column, missing) in [
            ("accuracy", accuracy),
            ("lambda_low", accuracy),
            ("accuracy_ratio", ratio),
        ] {
            // A ratio to nothing is empty, too.
            assert_eq!(
                row[column].is_empty(),
                !missing.is_empty(),
                "{column} {row:?}"
            );
        }
        assert!(!row["large_accuracy"].is_empty());
    };
    let cheap = "no lambda is that cheap";
    check("art", 0, cheap, cheap);
    check("art", 2, "", "");
    let unknown = "too little is predicted or known";
    check("law", 1, unknown, unknown);
    check("music", 1, "", "the large LLM is never right there");
    let free = "the large LLM costs nothing there";
    check("physics", 1, free, free);

    let words = |file: &str| {
        let svg = fs::read_to_string(made.join(file)).expect("written");
        assert!(!svg.contains("NaN") && !svg.contains("inf<"), "{file}");
        // Lines of a paragraph are texts of their own.
        let texts = svg.lines().filter(|line| !line.starts_with('<'));
        texts.collect::<Vec<_>>().join(" ")
    };
    let radar = words("spider.svg");
    for text in [
        "No 10% for art (no lambda is that cheap).",
        "No 10% for law (too little is predicted or known).",
        "No 20% for music (large is never right there).",
        "No 30% for physics (large costs nothing there).",
        "Left out: math (nothing is known of large).",
    ] {
        assert!(radar.contains(text), "{text}: {radar}");
    }
    let bars = words("bw/spider_bars.svg");
    assert!(
        bars.contains("No 10% for law") && !bars.contains("for music ("),
        "{bars}"
    );
}

#[test]
fn what_cannot_be_compared_is_skipped() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let info = |dir: &DatasetDir, edit: fn(&mut DatasetInfo)| {
        let mut info = DatasetInfo::read(&dir.info()).expect("read");
        edit(&mut info);
        info.write(&dir.info()).expect("written");
    };
    let check = |name: &str, why: &str| {
        let args = ["--figure", "spider", "--format", "svg", "--dataset", name];
        let output = plots(folder.path(), &args);
        let stderr = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(
            stderr.contains(&format!("skipping `{name}/spider`: {why}")),
            "{stderr}"
        );
    };
    let made = |name: &str| write_tasks(&data, name, &["a", "b", "c"], &["carrot-knn"]);
    info(&made("no-pair"), |info| info.pair = None);
    check(
        "no-pair",
        "`pair` in its dataset.json does not name a large LLM",
    );
    info(&made("elsewhere"), |info| {
        info.pair.as_mut().expect("a pair").large = "nobody".to_owned();
    });
    check(
        "elsewhere",
        "`pair` in its dataset.json does not name a large LLM",
    );
    edit_test(&made("free"), |split| {
        split.cost_usd.column_mut(N_MODELS - 1).fill(0.0)
    });
    check("free", "no prompt has a cost above 0 of `large`");
    edit_test(&made("unknown"), |split| {
        split.scores.column_mut(N_MODELS - 1).fill(f32::NAN)
    });
    check(
        "unknown",
        "no prompt has both a score and a cost of `large`",
    );
    edit_test(&made("dear"), |split| split.cost_usd.fill(1.0));
    check(
        "dear",
        "at no lambda does `carrot-knn` spend as little as 30% of `large`'s cost",
    );
    write_tasks(&data, "binary", &["a", "b", "c"], &["mf"]);
    check("binary", "no router predicts the score of each LLM");
    // One prompt per benchmark leaves none to choose lambda on.
    let dir = made("alone");
    edit_test(&dir, |split| split.tasks = split.ids.clone());
    let config = include_str!("../../../../configs/plots.toml")
        .replace("max-benchmarks = 16", "max-benchmarks = 30");
    fs::write(folder.path().join("config.toml"), config).expect("written");
    let args = [
        "--figure",
        "spider",
        "--format",
        "svg",
        "--dataset",
        "alone",
        "--config",
        "config.toml",
    ];
    check_ok(&plots(folder.path(), &args));
    let csv = Csv::read(&folder.path().join("plots/alone/spider.csv"));
    assert_eq!(csv.benchmarks().len(), 30);
    assert_eq!(
        csv.0[0]["accuracy_missing"],
        "too little is predicted or known"
    );
    assert!(csv.of("171 others")[0]["accuracy_missing"].is_empty());
}
