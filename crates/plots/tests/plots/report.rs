//! report.html as a file: what is in it, and what must not be.

use super::*;
use crate::{
    embeddings::write_embeddings,
    rate::write_study,
    regret::{write_learning_curve, write_truth},
    spider::{SPROUT_TASKS, write_tasks},
};

/// Names of LLMs that would be something else in HTML, in JSON, in a script, in CSV or to the eye.
pub(crate) const HOSTILE: [&str; 6] = [
    "</script><script>document.title = 'owned'</script>",
    "\"><img src=x onerror=\"document.title = 'owned'\">",
    "<!--<b>&amp;\\u003c`",
    "gnp.exe \u{200D}, \"quoted\"",
    "owner/a-name-of-eighty-letters-is-what-some-people-give-to-their-fine-tuned-models-7B",
    "{{ name }} ${name} %s",
];

fn report(folder: &Path) -> String {
    fs::read_to_string(folder.join("plots/report.html")).expect("the report is there")
}

#[test]
fn all_that_lies_there_is_in_the_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    write(&data, "first", &MODELS[..5], &["carrot-knn", "mf"]);
    write(&data, "bare", &MODELS[..2], &[]);
    check_ok(&plots(folder.path(), &["--format", "svg"]));
    let page = report(folder.path());
    for expected in [
        "default-src 'none'",
        "alt=\"Figure: All routers and LLMs, data set first",
        "<code>plots",
        "<code>first/accuracy_cost.{csv,svg}</code>",
        "<code>first/vs_rb_zero.{csv,svg}</code>",
        "<code>first/metrics_differences.csv</code>",
        "Against the best single LLM",
        "first</bdi></a>: not measured yet. <code>cargo run -p carrot-router -- worth --dataset first</code> tells.",
        "<th scope=\"row\"><bdi>first</bdi></th>",
        "CARROT (KNN)",
        "cargo run -p train-and-infer -- --dataset bare --routers carrot-knn",
        "dataset.json</bdi> in full",
        "predictions without a manifest",
        "\"key\":\"carrot-knn\"",
    ] {
        assert!(page.contains(expected), "the report lacks `{expected}`");
    }
    assert_eq!(
        page.matches("<img ").count(),
        11,
        "five figures, each also for print, and bars"
    );
    assert_eq!(
        page.matches("<img").count(),
        page.matches("src=\"data:image/svg+xml,").count()
    );
    // Nothing is loaded, and no address is linked to but places in the page.
    for loading in [
        "src=\"http",
        "href=\"http",
        "@import",
        "url(",
        "<link",
        "<iframe",
    ] {
        assert!(!page.contains(loading), "the report has `{loading}`");
    }

    // The same once more, whether or not the figures are drawn again.
    check_ok(&plots(folder.path(), &["--format", "svg"]));
    assert!(
        page == report(folder.path()),
        "the same input gives the same bytes"
    );
    check_ok(&plots(folder.path(), &["--figure", "report"]));
    assert!(
        page == report(folder.path()),
        "the page is made of what lies there"
    );
}

/// Replaces predictions as a refit on other data would.
fn refit(dir: &DatasetDir, router: &str) {
    let path = dir.predictions(router);
    let Predictions::PerModel(mut predicted) = Predictions::read(&path).expect("read") else {
        panic!("`{router}` predicts scores");
    };
    predicted.scores.mapv_inplace(|score| 0.9 * score);
    Predictions::PerModel(predicted)
        .write(&path, &made_from(dir))
        .expect("written");
}

#[test]
fn what_was_made_from_other_inputs_is_named_and_not_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let dir = write(&data, "first", &MODELS[..4], &["carrot-knn"]);
    check_ok(&plots(folder.path(), &["--format", "png"]));
    let before = report(folder.path());
    assert_eq!(
        before.matches("src=\"data:image/png;base64,").count(),
        8,
        "four figures, each also for print"
    );

    // A file's time says nothing: a copy or a checkout changes it.
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(60);
    let file = fs::File::options()
        .write(true)
        .open(dir.predictions("carrot-knn"));
    file.expect("opened").set_modified(later).expect("touched");
    check_ok(&plots(folder.path(), &["--figure", "report"]));
    assert!(report(folder.path()) == before, "only a time changed");

    refit(&dir, "carrot-knn");
    check_ok(&plots(folder.path(), &["--figure", "report"]));
    let page = report(folder.path());
    assert!(!page.contains("<img"), "old figures are not shown");
    for expected in [
        "<code>first/accuracy_cost</code> is out of date: <code>first/preds/carrot-knn.parquet</code> has changed since",
        "<code>cargo run -p plots -- --figure metrics_table --dataset first</code>",
        "<code>knn_accuracy_table</code> is out of date",
        "<code>first/metrics_differences</code> is out of date",
        "\"key\":\"carrot-knn\"",
    ] {
        assert!(page.contains(expected), "the report lacks `{expected}`");
    }

    // A new format of one figure leaves the old one of the same figure out of date.
    let args = [
        "--figure",
        "accuracy_cost",
        "vs_rb",
        "report",
        "--look",
        "color",
    ];
    check_ok(&plots(
        folder.path(),
        &[&args[..], &["--format", "pdf"]].concat(),
    ));
    assert!(!report(folder.path()).contains("<img"));
    check_ok(&plots(
        folder.path(),
        &[&args[..], &["--format", "png"]].concat(),
    ));
    let page = report(folder.path());
    assert_eq!(page.matches("<img").count(), 2);
    assert!(page.contains("<code>first/bw/accuracy_cost</code> is out of date"));

    // Another router's predictions belong into the figure too.
    let other = dir.predictions("mf");
    fs::copy(dir.predictions("carrot-knn"), &other).expect("copied");
    check_ok(&plots(folder.path(), &["--figure", "report"]));
    assert!(report(folder.path()).contains("<code>first/preds/mf.parquet</code> has changed"));
    fs::remove_file(other).expect("removed");
    check_ok(&plots(folder.path(), &["--figure", "report"]));
    assert!(report(folder.path()) == page, "all is as it was");
}

#[test]
fn the_page_says_why_predictions_are_left_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let dir = write(&data, "first", &MODELS[..4], &["carrot-knn", "mf"]);
    let path = dir.predictions("mf");
    let predictions = Predictions::read(&path).expect("read");
    predictions
        .write(&path, &MadeFrom::split("0".repeat(64)))
        .expect("written");
    check_ok(&plots(folder.path(), &["--figure", "report"]));
    let page = report(folder.path());
    let expected = "<bdi>RouteLLM (MF)</bdi>: left out: `data/first/preds/mf.parquet` was made from a different version of \
                    `data/first/test.parquet`; predictions without a manifest";
    assert!(page.contains(expected), "the report lacks `{expected}`");
    assert!(page.contains("<bdi>CARROT (KNN)</bdi>: predictions without a manifest"));
}

#[test]
fn without_a_record_the_origin_is_unknown() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    write(&data, "first", &MODELS[..4], &["carrot-knn"]);
    check_ok(&plots(folder.path(), &["--format", "svg"]));
    let made = folder.path().join("plots/first");
    assert!(!report(folder.path()).contains("Origin unknown"));
    // As a version of `plots` left them that kept no record and no rows.
    fs::remove_file(made.join("made-from.json")).expect("there is a record");
    fs::remove_file(made.join("table.rows.json")).expect("there are rows");
    fs::write(folder.path().join("plots/notes.md"), "| <b> | `x` |\n").expect("written");
    check_ok(&plots(folder.path(), &["--figure", "report"]));
    let page = report(folder.path());
    for expected in [
        "Origin unknown: nothing records what <code>first/accuracy_cost</code> was made from. Regenerate it with <code>cargo run -p plots -- \
         --figure accuracy_cost --dataset first</code>",
        "<pre tabindex=\"0\">| Method | Kind |",
        "what <code>notes</code> was made from. It was not written by <code>plots</code>",
        "<pre tabindex=\"0\">| &lt;b&gt; | `x` |</pre>",
        "<h4>Metrics on <code>first</code></h4>",
        "<bdi>CARROT (KNN)</bdi>",
    ] {
        assert!(page.contains(expected), "the report lacks `{expected}`");
    }
    assert_eq!(page.matches("<img").count(), 8, "all figures are shown");
    assert!(!page.contains("<code>first/bw/accuracy_cost</code> was made"));

    // Whatever is drawn again has a record again.
    let args = ["--figure", "accuracy_cost", "report", "--format", "svg"];
    check_ok(&plots(folder.path(), &args));
    let page = report(folder.path());
    assert!(!page.contains("what <code>first/accuracy_cost</code> was made from"));
    assert!(page.contains("what <code>first/vs_rb</code> was made from"));
}

#[test]
fn the_origin_of_all_that_is_made_is_known() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    // Each name of the paper's is of one data set.
    for (name, tasks) in [
        ("sprout", &SPROUT_TASKS[..]),
        ("made-up", &SPROUT_TASKS[..2]),
    ] {
        let dir = write_tasks(&data, name, tasks, &["carrot-knn", "mf"]);
        write_embeddings(&dir, "minilm", |i, axis| noise(i, 6_000 + axis) as f32);
        write_truth(&dir);
        write_learning_curve(&dir, "carrot-knn");
    }
    write_study(&data.join("rate-study/rate-study.json"), &[1, 2]);
    let args = ["--format", "svg", "--reference-quirks"];
    let stdout = check_ok(&plots(folder.path(), &args));
    let page = report(folder.path());
    for unexpected in ["Origin unknown", "is out of date"] {
        assert!(!page.contains(unexpected), "{unexpected}");
    }
    let figures: Vec<&str> = stdout
        .lines()
        .filter_map(|path| path.strip_suffix(".svg"))
        .collect();
    for expected in [
        "sprout/sprout_spider",
        "sprout/bw/sprout_spider_bars-reference",
        "sprout/sprout_embedding_dim-minilm",
        "made-up/embedding_dim-minilm",
        "made-up/bw/regret",
        "rate-study/bw/rate_optimality-lipschitz",
    ] {
        let path = format!("plots/{expected}");
        assert!(
            figures.contains(&&*path),
            "{expected} is not in {figures:?}"
        );
    }
    assert_eq!(page.matches("<img").count(), figures.len(), "{figures:?}");
}

#[test]
fn each_figure_is_held_to_its_own_inputs() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let first = write(&data, "first", &MODELS[..4], &["carrot-knn"]);
    write(&data, "second", &MODELS[..4], &["carrot-knn"]);
    for embedder in ["minilm", "e5"] {
        write_embeddings(&first, embedder, |i, axis| noise(i, 6_000 + axis) as f32);
    }
    check_ok(&plots(folder.path(), &["--format", "svg"]));
    let is_shown = |path: &str| {
        let page = report(folder.path());
        let out_of_date = format!("<code>{path}</code> is out of date");
        let is_stale = page.contains(&out_of_date);
        let is_named = page.contains(&format!("<code>{path}.{{csv,svg}}</code>"));
        assert!(is_stale != is_named, "{path}");
        is_named
    };
    let names = [
        "first/embedding_dim-minilm",
        "first/embedding_dim-e5",
        "first/accuracy_cost",
        "second/accuracy_cost",
    ];
    assert_eq!(names.map(is_shown), [true; 4]);
    fs::copy(
        first.embeddings("minilm", Part::Test),
        first.embeddings("minilm", Part::Train),
    )
    .expect("copied");
    check_ok(&plots(folder.path(), &["--figure", "report"]));
    assert_eq!(names.map(is_shown), [false, true, true, true]);
    refit(&first, "carrot-knn");
    check_ok(&plots(folder.path(), &["--figure", "report"]));
    assert_eq!(names.map(is_shown), [false, true, false, true]);
}

#[test]
fn hostile_names_stay_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let models: Vec<_> = (HOSTILE.iter().zip(MODELS))
        .map(|(name, (_, cost, share))| (*name, cost, share))
        .collect();
    write(
        &folder.path().join("data"),
        "hostile",
        &models,
        &["carrot-knn"],
    );
    check_ok(&plots(folder.path(), &["--format", "svg"]));
    let page = report(folder.path());
    for raw in ["<script>document", "<img src=x", "<b>", "<!--<b"] {
        assert!(!page.contains(raw), "`{raw}` got through");
    }
    assert!(page.contains("&lt;/script&gt;&lt;script&gt;document.title = 'owned'"));
    assert!(page.contains("\\u003c/script\\u003e\\u003cscript\\u003edocument"));
    assert_eq!(
        page.matches("<script").count(),
        2,
        "the chart's numbers and the script"
    );
    assert_eq!(page.matches("</script>").count(), 2);
    // The numbers can be read back, names and all.
    let (_, json) = page
        .split_once("<script type=\"application/json\">")
        .expect("numbers");
    let (json, _) = json.split_once("</script>").expect("an end");
    let chart: serde_json::Value = serde_json::from_str(json).expect("JSON");
    assert_eq!(chart["models"], serde_json::json!(HOSTILE));
}

#[test]
fn degenerate_data_sets_are_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    write(
        &data,
        "free",
        &[("a", 0.0, 0.5), ("b", 0.0, 0.6)],
        &["carrot-knn", "mf"],
    );
    write(&data, "one-model", &MODELS[..1], &["carrot-knn"]);
    write_many(&data);
    let dir = write(&data, "unknown", &MODELS[..3], &["carrot-knn"]);
    let path = dir.predictions("carrot-knn");
    let Predictions::PerModel(mut predicted) = Predictions::read(&path).expect("read") else {
        panic!("scores");
    };
    predicted.scores.column_mut(1).fill(f32::NAN);
    predicted.scores.row_mut(0).fill(f32::NAN);
    Predictions::PerModel(predicted)
        .write(&path, &made_from(&dir))
        .expect("written");
    check_ok(&plots(
        folder.path(),
        &["--format", "svg", "--figure", "accuracy_cost", "report"],
    ));
    let page = report(folder.path());
    assert_eq!(
        page.matches("<script type=\"application/json\">").count(),
        4
    );
    assert!(page.len() < 3_000_000, "{} bytes", page.len());
    let csv = cells(&folder.path().join("plots/unknown/curves.csv"));
    let of_router: Vec<_> = csv.iter().filter(|row| row[0] == "carrot-knn").collect();
    assert!(
        !of_router.is_empty() && of_router.iter().all(|row| row[5] == "0"),
        "the LLM without predictions gets nothing"
    );
    for row in &of_router {
        let sum: f64 = row[4..]
            .iter()
            .map(|share| share.parse::<f64>().expect("a share"))
            .sum();
        assert!((sum - 1.0).abs() < 1e-9, "{row:?}");
    }
    let csv = cells(&folder.path().join("plots/one-model/curves.csv"));
    assert_eq!(csv[1][4], "1", "the only LLM gets all: {:?}", csv[1]);
}

#[test]
fn without_predictions_the_report_says_what_makes_them() {
    let folder = tempfile::tempdir().expect("a folder");
    write(&folder.path().join("data"), "bare", &MODELS[..2], &[]);
    check_ok(&plots(folder.path(), &["--figure", "report"]));
    let page = report(folder.path());
    assert!(page.contains("No router has been run on this data set."));
    assert!(page.contains("--dataset bare --routers carrot-knn"));
    assert!(!page.contains("application/json"));

    let empty = tempfile::tempdir().expect("a folder");
    let output = plots(empty.path(), &["--figure", "report"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no data sets under `data`"));
}
