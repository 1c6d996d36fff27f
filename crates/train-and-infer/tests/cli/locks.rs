//! Two fits at once.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use dataset::{CostKind, Lock};
use test_support::assert_contains;

use crate::bench::{Tiny, names};

const FIT: [&str; 5] = ["--dataset", "tiny", "--embedding", "given", "--routers"];

#[test]
fn a_second_fit_of_a_router_is_refused_before_it_begins() {
    let bench = Tiny::new(CostKind::OutputTokens);
    let curve = ["--train-sizes", "10"];
    for (place, args) in [
        ("models/tiny/rorf", &[][..]),
        ("data/tiny/preds/rorf", &[]),
        ("models/tiny/learning-curve/rorf", &curve),
        ("data/tiny/learning-curve/rorf", &curve),
    ] {
        let lock = Lock::of(&bench.join(place)).expect("free");
        // The first of the two could be fitted; hours later it would end at the second.
        let fit = [&FIT[..], &["carrot-knn", "rorf"], args].concat();
        let message = bench.refuse(&fit, 1, &format!("`{place}` is being written by "));
        assert_contains(
            &message,
            &format!("(process {}, since ", std::process::id()),
        );
        bench.succeed(&[&FIT[..], &["carrot-knn"], args].concat());
        drop(lock);
        bench.succeed(&fit);
    }
    let hidden = |folder: &str| {
        let mut hidden = names(&bench.join(folder));
        hidden.retain(|name| name.starts_with('.') || name == "learning-curve");
        hidden
    };
    assert_eq!(hidden("models/tiny"), [""; 0]);
    assert_eq!(hidden("data/tiny/preds"), [""; 0]);
}

#[test]
fn a_fit_waits_for_embeddings_that_another_one_writes_and_says_for_whom() {
    let bench = Tiny::new(CostKind::OutputTokens);
    let lock = Lock::of(&bench.dir().embeddings_dir("given")).expect("free");
    let mut command = bench.command(&[&FIT[..], &["carrot-knn"]].concat());
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("started");
    let mut log = BufReader::new(child.stderr.take().expect("piped")).lines();
    let line = log.next().expect("a line").expect("read");
    assert_contains(&line, "waiting for the embeddings `given`");
    assert_contains(&line, &format!("(process {}, since ", std::process::id()));
    assert!(child.try_wait().expect("asked").is_none(), "it waits");
    drop(lock);
    assert!(log.all(|line| line.is_ok()));
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn what_killed_fits_left_is_removed_also_by_one_that_keeps_everything() {
    let bench = Tiny::new(CostKind::OutputTokens);
    let fit = [&FIT[..], &["carrot-knn"]].concat();
    bench.succeed(&fit);
    let left = |name: &str| {
        bench.write(format!("{name}/.partial-a1B2c3"), "half");
        bench.write(
            format!("{name}/.rorf.lock"),
            "carrot-lock train-and-infer (process 1, since then)\n",
        );
    };
    let folders = [
        "models/tiny",
        "models/tiny/carrot-knn",
        "data/tiny/preds",
        "data/tiny/embeddings/given",
    ];
    folders.iter().for_each(|folder| left(folder));
    bench.succeed(&fit);
    for folder in folders {
        let names = names(&bench.join(folder));
        assert!(names.iter().all(|name| !name.starts_with('.')), "{names:?}");
    }
}

#[test]
fn a_folder_that_is_no_router_is_not_replaced() {
    let bench = Tiny::new(CostKind::OutputTokens);
    bench.write("models/tiny/carrot-knn/thesis.tex", "years");
    let fit = [&FIT[..], &["carrot-knn", "--force"]].concat();
    bench.refuse(
        &fit,
        1,
        "`models/tiny/carrot-knn` exists and is not the folder of a router",
    );
    let text = fs::read(bench.join("models/tiny/carrot-knn/thesis.tex"));
    assert_eq!(text.expect("read"), b"years");
}
