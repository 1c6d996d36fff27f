//! Which files a run leaves, and what is in them.

use super::*;

#[test]
fn a_figure_and_its_numbers_stay_as_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    write(
        &folder.path().join("data"),
        "made-up",
        &MODELS,
        &["carrot-knn", "carrot-roberta", "mf"],
    );
    let stdout = check_ok(&plots(folder.path(), &["--dataset", "made-up"]));
    let figures = ["accuracy_cost", "binary", "vs_rb", "vs_rb_zero"];
    let tables = [
        "made-up/table.md",
        "made-up/table.csv",
        "made-up/metrics_table.md",
        "made-up/metrics_table.csv",
        "made-up/metrics_differences.csv",
        "knn_accuracy_table.md",
        "knn_accuracy_table.csv",
        "made-up/curves.csv",
        "report.html",
    ];
    let expected: Vec<String> = figures
        .into_iter()
        .flat_map(files_of)
        // One benchmark makes no radar chart.
        .chain(files_of("spider_bars").split_off(4))
        .chain(files_of("worth"))
        .chain(tables.map(|file| format!("plots/{file}")))
        .collect();
    assert_eq!(stdout.lines().collect::<Vec<_>>(), expected);
    for file in [
        "accuracy_cost.svg",
        "accuracy_cost.csv",
        "bw/accuracy_cost.svg",
        "binary.svg",
        "table.md",
        "metrics_table.md",
        "metrics_table.csv",
        "metrics_differences.csv",
        "vs_rb_zero.svg",
        "vs_rb_zero.csv",
    ] {
        check_snapshot(&folder.path().join("plots/made-up").join(file), file);
    }
    check_snapshot(
        &folder.path().join("plots/knn_accuracy_table.md"),
        "knn_accuracy_table.md",
    );

    let svg = fs::read_to_string(folder.path().join(&expected[0])).expect("written");
    for text in [
        "CARROT (KNN)",
        "RouteLLM (MF)",
        "llama-3b",
        "Accuracy",
        "Cost per query, $",
    ] {
        assert!(svg.contains(text), "the figure lacks `{text}`");
    }
    let pdf = fs::read(folder.path().join(&expected[1])).expect("written");
    assert!(pdf.starts_with(b"%PDF-"));
    // The text is text: the font is in the file.
    assert!(pdf.windows(14).any(|bytes| bytes == b"LiberationSans"));
    let png = fs::read(folder.path().join(&expected[2])).expect("written");
    assert!(png.starts_with(b"\x89PNG"));
    // Width in pixels, as the header has it: 4.3 in at 300 dots per inch.
    let width = u32::from_be_bytes([png[16], png[17], png[18], png[19]]);
    assert!((1285..=1295).contains(&width), "{width}");
}

#[test]
fn without_names_all_data_sets_with_predictions_are_drawn() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    write(&data, "first", &MODELS[..4], &["carrot-knn"]);
    write(&data, "second", &MODELS[..3], &["rorf", "my-own"]);
    write(&data, "bare", &MODELS[..2], &[]);
    let output = plots(folder.path(), &["--format", "svg", "--json"]);
    let stdout = check_ok(&output);
    assert!(stdout.trim_start().starts_with('['), "{stdout}");
    for name in [
        "plots/first/accuracy_cost.svg",
        "plots/second/accuracy_cost.svg",
    ] {
        assert!(
            stdout.contains(name) && folder.path().join(name).is_file(),
            "{name}"
        );
    }
    assert!(!folder.path().join("plots/first/accuracy_cost.png").exists());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("skipping `bare`") && stderr.contains("train-and-infer -- --dataset bare"),
        "{stderr}"
    );
    let table =
        fs::read_to_string(folder.path().join("plots/knn_accuracy_table.csv")).expect("written");
    assert!(
        table.contains("\nfirst,,200,4,") && !table.contains("second"),
        "{table}"
    );
}

#[test]
fn predictions_of_another_split_are_left_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let dir = write(&data, "remade", &MODELS[..4], &["carrot-knn", "my-own"]);
    let age = |router: &str| {
        let path = dir.predictions(router);
        let predictions = Predictions::read(&path).expect("read");
        let made_from = MadeFrom::split("of an older split");
        predictions.write(&path, &made_from).expect("written");
    };
    age("carrot-knn");
    let output = plots(folder.path(), &["--dataset", "remade", "--format", "svg"]);
    check_ok(&output);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("leaving out") && stderr.contains("--routers carrot-knn"),
        "{stderr}"
    );
    let csv =
        fs::read_to_string(folder.path().join("plots/remade/accuracy_cost.csv")).expect("written");
    assert!(csv.contains("curve,my-own,") && !csv.contains("carrot-knn"));

    age("my-own");
    let output = plots(folder.path(), &["--dataset", "remade"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&output.stderr)
            .contains("none of its predictions can be used with")
    );
}

#[test]
fn the_true_expectations_are_drawn_where_they_are_known() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let dir = write(&data, "known", &MODELS[..6], &["carrot-knn"]);
    let predicted = Predictions::read(&dir.predictions("carrot-knn")).expect("read");
    predicted
        .write(&dir.truth(Part::Test), &made_from(&dir))
        .expect("written");
    check_ok(&plots(folder.path(), &["--format", "svg"]));
    let read = |file: &str| {
        fs::read_to_string(folder.path().join("plots/known").join(file)).expect("written")
    };
    assert!(read("accuracy_cost.svg").contains("Bayes-optimal"));
    // The same predictions give the same curve.
    let csv = read("accuracy_cost.csv");
    let curve = |name: &str| -> Vec<String> {
        let start = format!("curve,{name},");
        csv.lines()
            .filter_map(|line| line.strip_prefix(&start))
            .map(str::to_owned)
            .collect()
    };
    assert!(curve("carrot-knn").len() > 3);
    assert_eq!(curve("carrot-knn"), curve("bayes-optimal"));
}
