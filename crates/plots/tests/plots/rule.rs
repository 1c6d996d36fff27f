//! The figure that compares with the RouterBench rule, our way and the reference's.

use super::*;

#[test]
fn the_routerbench_rule_takes_the_costs_of_the_training_split() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let dir = write(
        &data,
        "made-up",
        &MODELS[..6],
        &["carrot-knn", "my-own", "mf"],
    );
    let figure = ["--figure", "vs_rb_zero", "--format", "svg"];
    let names = || -> Vec<String> {
        let mut names: Vec<String> = cells(&folder.path().join("plots/made-up/vs_rb_zero.csv"))
            .into_iter()
            .filter(|row| row[0] == "curve")
            .map(|row| row[1].clone())
            .collect();
        names.dedup();
        names
    };
    let curve = |name: &str| -> Vec<Vec<String>> {
        cells(&folder.path().join("plots/made-up/vs_rb_zero.csv"))
            .into_iter()
            .filter(|row| row[1] == name)
            .map(|row| row[3..].to_vec())
            .collect()
    };
    check_ok(&plots(folder.path(), &figure));
    assert_eq!(
        names(),
        [
            "carrot-knn",
            "my-own",
            "routerbench-rule/carrot-knn",
            "routerbench-rule/my-own",
            "zero-router"
        ]
    );
    let (own, rule) = (curve("carrot-knn"), curve("routerbench-rule/carrot-knn"));
    assert_eq!(
        own[0], rule[0],
        "without a weight of cost the rule is the router"
    );
    assert_ne!(
        own, rule,
        "prompts differ in cost, which the rule does not know"
    );

    // All LLMs at one cost in training: a weight of cost says nothing, but where it is all that counts (lambda 1).
    let mut train = PartTable::read(&dir.split(Part::Train)).expect("read");
    train.cost_usd.fill(0.001);
    train.write(&dir.split(Part::Train)).expect("written");
    check_ok(&plots(folder.path(), &figure));
    assert_eq!(curve("routerbench-rule/carrot-knn").len(), 2);
    assert_eq!(curve("carrot-knn"), own);

    fs::remove_file(dir.split(Part::Train)).expect("removed");
    fs::remove_dir_all(folder.path().join("plots")).expect("removed");
    let output = plots(folder.path(), &figure);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("skipping `made-up/vs_rb_zero`") && stderr.contains("train.parquet"),
        "{stderr}"
    );
    // All the rest needs no train part.
    let output = plots(folder.path(), &["--format", "svg"]);
    check_ok(&output);
    assert!(String::from_utf8_lossy(&output.stderr).contains("skipping `made-up/vs_rb_zero`"));
    assert!(
        folder
            .path()
            .join("plots/made-up/metrics_table.md")
            .is_file()
    );
}

#[test]
fn the_reference_s_way_is_drawn_beside_ours() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    write(&data, "made-up", &MODELS[..6], &["carrot-knn"]);
    let args = |config: &'static str| {
        let args = ["--figure", "vs_rb_zero", "--format", "svg"];
        [&args[..], &["--reference-quirks", "--config", config]].concat()
    };
    let built_in = include_str!("../../../../configs/plots.toml");
    let quirks = |zero_router: &str| {
        format!(
            "{built_in}\n[reference-quirks.made-up.vs-rb-zero]\nn-steps = 10\ncost-multiplier = 100\nrule-cost-multiplier = 1\nzero-router = [{zero_router}]\n"
        )
    };
    let config =
        |text: String| fs::write(folder.path().join("config.toml"), text).expect("written");

    config(built_in.to_owned());
    let output = plots(folder.path(), &args("config.toml"));
    let stdout = check_ok(&output);
    assert!(!stdout.contains("reference"), "{stdout}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("the reference has no such figure"),
        "not said"
    );

    config(quirks("\"granite-2b\", \"mini\""));
    check_ok(&plots(folder.path(), &args("config.toml")));
    let made = folder.path().join("plots/made-up");
    let rows = cells(&made.join("vs_rb_zero-reference.csv"));
    let lambdas = |name: &str| -> Vec<String> {
        rows.iter()
            .filter(|row| row[1] == name)
            .map(|row| row[2].clone())
            .collect()
    };
    assert_eq!(lambdas("zero-router"), ["", ""], "two LLMs were picked");
    assert!(
        lambdas("carrot-knn")
            .iter()
            .all(|lambda| (0..=10).any(|step| *lambda == (f64::from(step) / 10.0).to_string())),
        "off the grid"
    );
    // With a multiplier of 1, costs of a hundredth of a cent count for nothing before lambda 1.
    let points = |name: &str| lambdas(name).len();
    assert!(points("routerbench-rule/carrot-knn") < points("carrot-knn"));
    assert!(made.join("vs_rb_zero.csv").is_file());

    config(quirks("\"nobody\""));
    let output = plots(folder.path(), &args("config.toml"));
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no LLM is named `nobody`"));
}

#[test]
fn a_training_split_of_other_llms_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let dir = write(&data, "mixed", &MODELS[..3], &["carrot-knn"]);
    let mut train = PartTable::read(&dir.split(Part::Train)).expect("read");
    train.models.swap(0, 1);
    train.write(&dir.split(Part::Train)).expect("written");
    let output = plots(folder.path(), &["--figure", "table"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("is not the part that") && stderr.contains("LLMs ["),
        "{stderr}"
    );
}
