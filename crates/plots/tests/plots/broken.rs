//! What is broken costs the rest nothing.

use super::*;

/// A file below the test's folder, and how it is broken.
type Break<'a> = (&'a str, &'a dyn Fn(&Path));

fn truncate(path: &Path) {
    let bytes = fs::read(path).expect("read");
    fs::write(path, &bytes[..bytes.len() / 2]).expect("written");
}

fn fill_with_text(path: &Path) {
    fs::write(path, "<html>404</html>").expect("written");
}

#[test]
fn one_broken_data_set_does_not_stop_the_others() {
    let breaks: [Break<'_>; 4] = [
        ("data/first/test.parquet", &truncate),
        ("data/first/train.parquet", &fill_with_text),
        ("data/first/dataset.json", &fill_with_text),
        ("data/first/test.parquet", &|path| {
            fs::remove_file(path).expect("removed");
        }),
    ];
    for (file, break_it) in breaks {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        write(&data, "first", &MODELS[..4], &["carrot-knn"]);
        write(&data, "second", &MODELS[..3], &["carrot-knn", "mf"]);
        break_it(&folder.path().join(file));
        let output = plots(folder.path(), &["--format", "svg", "--look", "color"]);
        let stderr = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{file}: {stderr}");
        let last = stderr.lines().last().expect("an error");
        assert!(
            last.contains("first") && !last.contains("`second"),
            "{file}: {stderr}"
        );
        assert!(!stderr.contains("panicked"), "{stderr}");
        let made = folder.path().join("plots");
        let page = fs::read_to_string(made.join("report.html")).expect("written");
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        for file in ["second/accuracy_cost.svg", "second/table.md", "report.html"] {
            assert!(made.join(file).is_file(), "{file}");
            assert!(stdout.contains(file), "{file}: {stdout}");
        }
        assert_eq!(
            page.matches("type=\"application/json\"").count(),
            1,
            "{file}"
        );
        assert!(
            page.contains("Not shown: ") || page.contains("No chart: "),
            "{file}"
        );
        // On its own it fails in the same way.
        let output = plots(folder.path(), &["--dataset", "first", "--format", "svg"]);
        assert_eq!(output.status.code(), Some(1), "{file}");
    }
}

#[test]
fn all_broken_data_sets_are_listed() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    for name in ["first", "second", "third"] {
        let dir = write(&data, name, &MODELS[..3], &["carrot-knn"]);
        if name != "second" {
            truncate(&dir.split(Part::Test));
        }
    }
    let output = plots(
        folder.path(),
        &["--format", "svg", "--figure", "accuracy_cost"],
    );
    assert_eq!(output.status.code(), Some(1));
    let stderr = stderr(&output);
    let last = stderr.lines().last().expect("an error");
    assert!(
        last.contains("2 could not be made: `first`: ") && last.contains("; `third`: "),
        "{stderr}"
    );
    assert!(
        folder
            .path()
            .join("plots/second/accuracy_cost.svg")
            .is_file()
    );
}

#[test]
fn what_the_page_cannot_read_is_named_on_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    write(&data, "first", &MODELS[..4], &["carrot-knn"]);
    check_ok(&plots(folder.path(), &["--format", "svg"]));
    for file in [
        "plots/first/table.rows.json",
        "plots/first/metrics_table.rows.json",
        "plots/first/made-from.json",
        "plots/knn_accuracy_table.rows.json",
    ] {
        fill_with_text(&folder.path().join(file));
    }
    fs::write(data.join("first/preds/carrot-knn.json"), "{").expect("written");
    let output = plots(folder.path(), &["--figure", "report"]);
    check_ok(&output);
    let page = fs::read_to_string(folder.path().join("plots/report.html")).expect("written");
    for text in ["first/table", "first/metrics_table", "knn_accuracy_table"] {
        let notice = format!("Not shown: <code>{text}</code>: ");
        assert!(page.contains(&notice), "{text}");
    }
    assert!(
        page.contains("type=\"application/json\""),
        "the chart is there"
    );
}

#[test]
fn predictions_that_are_left_out_are_told_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    for name in ["first", "second"] {
        let dir = write(&data, name, &MODELS[..4], &["carrot-knn", "my-own"]);
        let path = dir.predictions("my-own");
        let predictions = Predictions::read(&path).expect("read");
        let made_from = MadeFrom::split("of an older split");
        predictions.write(&path, &made_from).expect("written");
    }
    let output = plots(folder.path(), &["--dataset", "first", "--format", "svg"]);
    check_ok(&output);
    let stderr = stderr(&output);
    for name in ["first", "second"] {
        let warnings = stderr.lines().filter(|line| {
            line.contains("leaving out predictions") && line.contains(&format!("--dataset {name}"))
        });
        assert_eq!(warnings.count(), 1, "{name}: {stderr}");
    }
}
