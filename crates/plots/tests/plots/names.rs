//! Names as people and providers make them: nearly alike, in any script, with anything in them.

use std::collections::BTreeSet;

use test_support::SPROUT_MODELS;

use super::*;

/// The texts of an SVG.
fn texts(svg: &str) -> Vec<&str> {
    let lines = svg.lines();
    lines.filter(|line| !line.starts_with('<')).collect()
}

fn write_named(data: &Path, name: &str, names: &[&str]) -> DatasetDir {
    let models: Vec<(&str, f64, f64)> = (names.iter().zip(0..))
        .map(|(&name, i)| (name, 0.0001 * 1.3_f64.powi(i), 0.4 + 0.03 * f64::from(i)))
        .collect();
    write(data, name, &models, &["carrot-knn"])
}

#[test]
fn no_two_llms_share_a_label() {
    let sets: [&[&str]; 3] = [
        &SPROUT_MODELS,
        &[
            "meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo",
            "meta-llama/Meta-Llama-3.1-70B-Instruct-Turbo",
            "meta-llama/Meta-Llama-3.1-405B-Instruct-Turbo",
            "azure/gpt-4o-2024-08-06",
            "openai/gpt-4o-2024-08-06",
            "us.anthropic.claude-3-5-sonnet-20240620-v1:0",
            "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
        ],
        &[
            "gpt-4o",
            "GPT-4o",
            "gpt-4o\u{200d}x",
            "gpt-4ox",
            "1",
            "2",
            "3",
        ],
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    for (i, names) in sets.iter().enumerate() {
        write_named(&data, &format!("set-{i}"), names);
    }
    let args = ["--format", "svg", "--figure", "accuracy_cost", "report"];
    check_ok(&plots(folder.path(), &args));
    for (i, names) in sets.iter().enumerate() {
        for look in ["", "bw/"] {
            let path = format!("plots/set-{i}/{look}accuracy_cost.svg");
            let svg = fs::read_to_string(folder.path().join(path)).expect("written");
            let labels = texts(&svg);
            let distinct: BTreeSet<&str> = labels.iter().copied().collect();
            // Ticks of the two axes may be equal; labels may not.
            let n_ticks = labels
                .iter()
                .filter(|text| text.parse::<f64>().is_ok())
                .count();
            assert!(
                labels.len() - distinct.len() <= n_ticks.min(2),
                "{labels:?}"
            );
            assert!(distinct.len() >= names.len(), "{labels:?}");
        }
    }
    let read = |i: usize| {
        let path = format!("plots/set-{i}/accuracy_cost.svg");
        fs::read_to_string(folder.path().join(path)).expect("written")
    };
    for (i, text) in [
        (0, "granite-3-2b"),
        (0, "granite-3-8b"),
        (1, "Llama-3.1-8B"),
        (1, "Llama-3.1-405B"),
        (1, "azure/"),
        (1, "openai/"),
        (1, "20240620"),
        (1, "20241022"),
        (2, "gpt-4o\\u{200d}x"),
    ] {
        assert!(read(i).contains(text), "{text}: {:?}", texts(&read(i)));
    }
    // The page's chart has the same labels.
    let page = fs::read_to_string(folder.path().join("plots/report.html")).expect("written");
    assert!(
        page.contains("azure/gpt-4o-2024-08-06\"]"),
        "the label comes last"
    );
}

#[test]
fn characters_without_glyphs_are_told_once_and_kept_in_the_svg() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let hostile = "<script>alert(1)</script>&\"'";
    let long = "x".repeat(120);
    write_named(
        &data,
        "scripts",
        &[
            "\u{901a}\u{4e49}\u{5343}\u{95ee}-72B",
            "\u{646}\u{645}\u{648}\u{630}\u{62c}",
            "\u{1f600}-model",
            "\u{41c}\u{43e}\u{434}\u{435}\u{43b}\u{44c}",
            hostile,
            "a,b;c",
            &long,
        ],
    );
    let output = plots(folder.path(), &[]);
    check_ok(&output);
    let stderr = stderr(&output);
    let told: Vec<&str> = stderr
        .lines()
        .filter(|line| line.contains("show boxes in place of"))
        .collect();
    assert_eq!(told.len(), 1, "{stderr}");
    for text in ["\u{901a}\u{4e49}", "U+901A", "\u{646}\u{645}", "U+1F600"] {
        assert!(told[0].contains(text), "{text}: {}", told[0]);
    }
    assert!(
        !told[0].contains('\u{41c}'),
        "Cyrillic is in the font: {}",
        told[0]
    );
    let made = folder.path().join("plots/scripts");
    let read = |file: &str| fs::read_to_string(made.join(file)).expect("written");
    assert!(read("accuracy_cost.svg").contains("\u{901a}\u{4e49}\u{5343}\u{95ee}-72B"));
    assert!(
        read("accuracy_cost.csv").contains("llm,\"a,b;c\","),
        "{}",
        read("accuracy_cost.csv")
    );
    let page = fs::read_to_string(folder.path().join("plots/report.html")).expect("written");
    assert!(!page.contains("<script>alert"), "names are escaped");

    // An SVG viewer finds fonts itself, and a name in Latin letters needs none.
    let svg_only = plots(folder.path(), &["--format", "svg"]);
    assert!(!self::stderr(&svg_only).contains("show boxes"));
    write_named(&data, "latin", &["na\u{ef}ve", "\u{3b1}\u{3b2}"]);
    let latin = plots(folder.path(), &["--dataset", "latin"]);
    check_ok(&latin);
    assert!(!self::stderr(&latin).contains("show boxes"));
}

#[test]
fn two_runs_write_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let dir = write(&data, "made-up", &MODELS, &["carrot-knn", "mf", "rorf"]);
    // Of several tasks, so that there is a spider, whose areas lie over each other.
    edit_test(&dir, |test| {
        for (i, task) in test.tasks.iter_mut().enumerate() {
            *task = format!("task {}", i % 5);
        }
    });
    for run in ["one", "two"] {
        check_ok(&plots(folder.path(), &["--plots-dir", run]));
    }
    let (mut n_files, mut folders) = (0, vec![String::new()]);
    while let Some(below) = folders.pop() {
        for entry in fs::read_dir(folder.path().join("one").join(&below)).expect("listed") {
            let name = entry.expect("listed").file_name();
            let path = format!("{below}/{}", name.to_string_lossy());
            let path = path.trim_start_matches('/').to_owned();
            let of = |run: &str| folder.path().join(run).join(&path);
            if of("one").is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = |run: &str| fs::read(of(run)).expect("read");
            assert!(bytes("one") == bytes("two"), "{path} differs");
            n_files += 1;
        }
    }
    assert!(n_files > 50, "{n_files}");
    assert!(folder.path().join("one/made-up/spider.pdf").is_file());
}
