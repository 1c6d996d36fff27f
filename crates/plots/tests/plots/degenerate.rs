//! What is hardly a data set, and what cannot be drawn.

use super::*;

#[test]
fn degenerate_data_sets_give_figures_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    write(&data, "one-model", &MODELS[..1], &["carrot-knn"]);
    write(
        &data,
        "free",
        &[("a", 0.0, 0.5), ("b", 0.0, 0.6)],
        &["carrot-knn", "mf"],
    );
    write(
        &data,
        "always-right",
        &[("a", 0.001, 9.0), ("b", 0.001, 9.0)],
        &["carrot-knn"],
    );
    write_many(&data);
    let long: Vec<String> = (0..6)
        .map(|i| format!("model-{i}-{}", "of-a-long-name".repeat(6))[..80].to_owned())
        .collect();
    let long: Vec<(&str, f64, f64)> = long
        .iter()
        .enumerate()
        .map(|(i, name)| (name.as_str(), 0.001 * (i + 1) as f64, 0.3 + 0.1 * i as f64))
        .collect();
    write(&data, "long-names", &long, &["carrot-knn", "mf"]);
    // A router that knows nothing, beside one that does, and alone.
    let all_nan = |name: &str, routers: &[&str]| {
        let dir = write(&data, name, &MODELS[..4], routers);
        let path = dir.predictions("carrot-knn");
        let Predictions::PerModel(mut predicted) = Predictions::read(&path).expect("read") else {
            panic!("scores and costs");
        };
        predicted.scores.fill(f32::NAN);
        let written = Predictions::PerModel(predicted).write(&path, &made_from(&dir));
        written.expect("written");
    };
    all_nan("half-silent", &["carrot-knn", "my-own"]);
    all_nan("silent", &["carrot-knn"]);

    let output = plots(folder.path(), &[]);
    check_ok(&output);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!stderr.contains("panicked"), "{stderr}");
    assert!(stderr.contains("skipping `silent`"), "{stderr}");
    let plots_dir = folder.path().join("plots");
    assert!(!plots_dir.join("silent").exists());
    for name in [
        "one-model",
        "free",
        "always-right",
        "many",
        "long-names",
        "half-silent",
    ] {
        let read =
            |file: &str| fs::read_to_string(plots_dir.join(name).join(file)).expect("written");
        for file in ["accuracy_cost.svg", "vs_rb_zero.svg"] {
            assert!(read(file).contains("Accuracy"), "{name}/{file}");
        }
        // Whatever else could be drawn, in color or for print.
        for part in ["", "bw"] {
            for entry in fs::read_dir(plots_dir.join(name).join(part)).expect("listed") {
                let path = entry.expect("listed").path();
                if path.extension().is_some_and(|extension| extension == "svg") {
                    let svg = fs::read_to_string(&path).expect("read");
                    assert!(
                        !svg.contains("NaN") && !svg.contains("inf"),
                        "{}",
                        path.display()
                    );
                }
            }
        }
        let metrics = read("metrics_table.md");
        let words = metrics.replace("train-and-infer", "");
        assert!(
            !words.contains("NaN") && !words.contains("inf"),
            "{name}: {metrics}"
        );
        assert_eq!(metrics.contains("APGR"), name != "one-model", "{name}");
        assert!(!read("metrics_table.csv").contains("NaN"), "{name}");
    }
}

#[test]
fn what_is_unknown_is_left_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let dir = write(&data, "gaps", &MODELS[..4], &["carrot-knn", "mf"]);
    // Of the first LLM nothing is known in training, of the second nothing at all; the router does not know what to say of some prompts.
    let mut train = PartTable::read(&dir.split(Part::Train)).expect("read");
    train.cost_usd.column_mut(0).fill(f64::NAN);
    train.cost_usd.column_mut(1).fill(f64::NAN);
    train.write(&dir.split(Part::Train)).expect("written");
    edit_test(&dir, |test| {
        test.scores.column_mut(1).fill(f32::NAN);
        test.scores.row_mut(3).fill(f32::NAN);
    });
    let path = dir.predictions("carrot-knn");
    let Predictions::PerModel(mut predicted) = Predictions::read(&path).expect("read") else {
        panic!("scores and costs");
    };
    predicted.scores.row_mut(5).fill(f32::NAN);
    predicted.scores[[6, 2]] = f32::NAN;
    Predictions::PerModel(predicted)
        .write(&path, &made_from(&dir))
        .expect("written");
    check_ok(&plots(folder.path(), &["--format", "svg"]));

    let made = folder.path().join("plots/gaps");
    let read = |file: &str| fs::read_to_string(made.join(file)).expect("written");
    for file in ["accuracy_cost.svg", "vs_rb_zero.svg"] {
        let svg = read(file);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{file}");
        assert!(
            svg.contains("llama-3b") && !svg.contains("llama-1b"),
            "{file}"
        );
    }
    let metrics = read("metrics_table.md");
    assert!(metrics.contains("Estimates on 199 test prompts"));
    // Of 800 scores a column of 200 is missing, and three more of one prompt.
    assert!(
        metrics.contains("74.6% of the scores are known. "),
        "{metrics}"
    );
    assert!(
        metrics.contains("1 of the LLMs are known on no prompt"),
        "{metrics}"
    );
    let page = fs::read_to_string(folder.path().join("plots/report.html")).expect("written");
    assert!(page.contains("74.6% of the scores are known. "));
    assert!(!read("metrics_table.csv").contains("NaN"));
    // The rule never takes the LLM whose mean cost it does not know.
    let rule = cells(&made.join("vs_rb_zero.csv"));
    let cheapest = |name: &str| {
        rule.iter()
            .filter(|row| row[1] == name)
            .map(|row| row[3].parse::<f64>().expect("a cost"))
            .fold(f64::INFINITY, f64::min)
    };
    assert!(cheapest("carrot-knn") < cheapest("routerbench-rule/carrot-knn"));
}

#[test]
fn what_cannot_be_drawn_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    fs::create_dir(&data).expect("made");
    let check = |args: &[&str], code: i32, message: &str| {
        let output = plots(folder.path(), args);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(stderr.contains(message), "{stderr}");
        assert!(output.stdout.is_empty());
    };
    check(&[], 1, "no data sets under `data`");
    check(&["--dataset", "nowhere"], 1, "data set `nowhere`");
    write(&data, "bare", &MODELS[..2], &[]);
    check(
        &["--dataset", "bare"],
        1,
        "cargo run -p train-and-infer -- --dataset bare",
    );
    write(&data, "no-pair", &MODELS[..1], &["mf"]);
    check(&["--dataset", "no-pair"], 1, "names no small and large LLM");
    check(&["--format", "gif"], 2, "gif");
    fs::write(folder.path().join("bad.toml"), "width-in = 3\n").expect("written");
    check(
        &["--config", "bad.toml"],
        1,
        "cannot use the settings in `bad.toml`",
    );
}
