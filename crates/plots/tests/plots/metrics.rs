//! The tables.

use super::*;

#[test]
fn the_tables_of_metrics_agree() {
    let folder = tempfile::tempdir().expect("a folder");
    write(
        &folder.path().join("data"),
        "made-up",
        &MODELS[..6],
        &["carrot-knn", "mf"],
    );
    check_ok(&plots(
        folder.path(),
        &["--figure", "table", "metrics_table"],
    ));
    let made = folder.path().join("plots/made-up");
    assert!(!made.join("accuracy_cost.csv").exists() && !made.join("vs_rb_zero.csv").exists());

    let metrics = cells(&made.join("metrics_table.csv"));
    let find = |router: &str, metric: &str| -> [f64; 3] {
        let row = metrics
            .iter()
            .find(|row| row[1] == router && row[2] == metric)
            .expect("there is such a row");
        [3, 4, 5].map(|i| row[i].parse().expect("a number"))
    };
    // The same numbers by another way: `table.csv` evaluates each curve by itself.
    let table = cells(&made.join("table.csv"));
    for (router, name) in [
        ("carrot-knn", "CARROT (KNN)"),
        ("mf", "RouteLLM (MF)"),
        ("routerbench-rule/carrot-knn", "RouterBench (KNN)"),
        ("zero-router", "Zero router"),
    ] {
        let row = table
            .iter()
            .find(|row| row[0] == name)
            .expect("the router has a row");
        for (column, metric) in [(2, "peak_accuracy"), (4, "aiq"), (5, "audc")] {
            let expected: f64 = row[column].parse().expect("a number");
            let [estimate, low, high] = find(router, metric);
            assert!(
                (estimate - expected).abs() < 1e-12,
                "{router} {metric}: {estimate} and {expected}"
            );
            assert!(low < high && high - low < 0.3, "{router} {metric}");
        }
    }
    // A difference has the difference of the estimates, and a paired interval is not that of two strangers.
    let differences = cells(&made.join("metrics_differences.csv"));
    let row = differences
        .iter()
        .find(|row| {
            row[1..4] == ["carrot-knn", "routerbench-rule/carrot-knn", "aiq"].map(str::to_owned)
        })
        .expect("there is such a row");
    let [difference, low, high] = [4, 5, 6].map(|i| row[i].parse::<f64>().expect("a number"));
    let [carrot, rule] = ["carrot-knn", "routerbench-rule/carrot-knn"].map(|key| find(key, "aiq"));
    assert!((difference - (carrot[0] - rule[0])).abs() < 1e-12);
    assert!(high - low < (carrot[2] - carrot[1]) + (rule[2] - rule[1]));
    assert_eq!(find("zero-router", "gain_over_zero_router"), [0.0; 3]);

    // Another seed gives other intervals of the same estimates.
    let settings = include_str!("../../../../configs/plots.toml").replace("seed = 42", "seed = 43");
    fs::write(folder.path().join("other.toml"), settings).expect("written");
    let args = ["--figure", "metrics_table", "--config", "other.toml"];
    check_ok(&plots(folder.path(), &args));
    let other = cells(&made.join("metrics_table.csv"));
    let column = |rows: &[Vec<String>], i: usize| -> Vec<String> {
        rows.iter().map(|row| row[i].clone()).collect()
    };
    assert_eq!(column(&metrics, 3), column(&other, 3));
    assert_ne!(column(&metrics, 4), column(&other, 4));
}

#[test]
fn the_accuracy_table_spans_all_data_sets() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    write(&data, "first", &MODELS[..4], &["carrot-knn"]);
    write(&data, "second", &MODELS[..3], &["carrot-knn"]);
    check_ok(&plots(
        folder.path(),
        &["--dataset", "second", "--format", "svg"],
    ));
    let table =
        fs::read_to_string(folder.path().join("plots/knn_accuracy_table.csv")).expect("written");
    let names: Vec<&str> = table
        .lines()
        .skip(1)
        .filter_map(|row| row.split(',').next())
        .collect();
    assert_eq!(names, ["first", "second"]);
    assert!(
        !folder.path().join("plots/first").exists(),
        "only `second` was to be drawn"
    );
}
