//! report.html as a file: what is in it, and what must not be.

use super::*;

/// Names of LLMs that would be something else in HTML, in JSON, in a script, in CSV or to the eye.
pub(crate) const HOSTILE: [&str; 6] = [
    "</script><script>document.title = 'owned'</script>",
    "\"><img src=x onerror=\"document.title = 'owned'\">",
    "<!--<b>&amp;\\u003c`",
    "\u{202E}gnp.exe, \"quoted\"",
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
        9,
        "four figures, each also for print, and bars"
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

    // The same once more, whether or not the figures are drawn anew.
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

#[test]
fn what_is_older_than_its_input_is_named_and_not_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let dir = write(&data, "first", &MODELS[..4], &["carrot-knn"]);
    check_ok(&plots(folder.path(), &["--format", "png"]));
    assert_eq!(
        report(folder.path())
            .matches("src=\"data:image/png;base64,")
            .count(),
        6,
        "three figures, each also for print"
    );
    // As new predictions would be.
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(60);
    let file = fs::File::options()
        .write(true)
        .open(dir.predictions("carrot-knn"));
    file.expect("opened").set_modified(later).expect("touched");
    check_ok(&plots(folder.path(), &["--figure", "report"]));
    let page = report(folder.path());
    assert!(!page.contains("<img"), "old figures are not shown");
    for expected in [
        "<code>first/accuracy_cost</code> is older than what it is made of",
        "cargo run -p plots -- --figure metrics_table --dataset first",
        "<code>knn_accuracy_table</code> is older",
        "\"key\":\"carrot-knn\"",
    ] {
        assert!(page.contains(expected), "the report lacks `{expected}`");
    }
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
    assert!(page.contains("&lt;/script&gt;&lt;script&gt;document.title = &#39;owned&#39;"));
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
    let many: Vec<(String, f64, f64)> = (0..100)
        .map(|i| {
            (
                format!("owner/model-number-{i}"),
                0.0001 * 1.05_f64.powi(i),
                0.4 + 0.3 * noise(i as usize, 9),
            )
        })
        .collect();
    let many: Vec<(&str, f64, f64)> = many
        .iter()
        .map(|(name, cost, score)| (&**name, *cost, *score))
        .collect();
    write(&data, "many", &many, &["carrot-knn"]);
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
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no data set"));
}
