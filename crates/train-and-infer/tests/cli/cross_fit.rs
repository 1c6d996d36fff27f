//! `--cross-fit`: predictions for all rows, and what is kept of them.

use std::fs;

use dataset::{
    CostKind, KeptColumns, OutOfFold, Part, Predictions, RunManifest, WholeSet,
    router_names::CARROT_BLEND,
};

use crate::bench::{N_TEST, N_TRAIN, Tiny};

const CROSS_FIT: [&str; 2] = ["--cross-fit", "3"];
const N: usize = N_TRAIN + N_TEST;

fn fit(bench: &Tiny, routers: &str, args: &[&str], code: i32) -> String {
    bench.fit(routers, &[&CROSS_FIT[..], args].concat(), code)
}

fn folds(bench: &Tiny, router: &str, repeat: u32) -> OutOfFold {
    OutOfFold::read(&bench.dir().out_of_fold(router, repeat)).expect("read")
}

#[test]
fn every_router_on_embeddings_predicts_all_rows_in_the_same_folds() {
    let bench = Tiny::new(CostKind::OutputTokens);
    let routers = [
        "carrot-knn",
        "carrot-linear",
        "carrot-kernel",
        "carrot-cluster",
        CARROT_BLEND,
    ];
    let message = fit(
        &bench,
        &[&routers[..], &["mf", "rorf"]].concat().join(","),
        &[],
        0,
    );
    assert!(!message.contains("keeping"), "{message}");
    let whole = WholeSet::open(&bench.dir()).expect("both parts");
    let expected = folds(&bench, "carrot-knn", 0).folds;
    for router in routers.into_iter().chain(["mf", "rorf"]) {
        let found = whole.cross_fits(router).expect("readable");
        let [Ok(found)] = &found[..] else {
            panic!("{router}: {found:?}");
        };
        assert_eq!(found.out_of_fold.folds, expected, "{router}");
        let predictions = &found.out_of_fold.predictions;
        assert_eq!(predictions.ids(), whole.table().ids);
        if let Predictions::PerModel(per_model) = predictions {
            assert!(
                per_model.scores.iter().all(|score| score.is_finite()),
                "{router}"
            );
        }
        let manifest = RunManifest::read(&bench.dir().out_of_fold_manifest(router, 0));
        let manifest = manifest.expect("read");
        assert_eq!(manifest.results["folds"].as_array().map(Vec::len), Some(3));
        assert_eq!(
            manifest.results["gain"].is_object(),
            routers.contains(&router)
        );
        assert_eq!(manifest.config["cross-fit"]["n-folds"], 3);
    }
    // 36 rows in three folds; prompts with one text are in one of them.
    for fold in 0..3 {
        let n = expected.iter().filter(|&&it| it == Some(fold)).count();
        assert!((1..N).contains(&n));
    }
    // No ordinary results, and no routers.
    assert!(bench.dir().routers().expect("listed").is_empty());
    assert!(!bench.path().join("models").exists());
}

#[test]
fn what_did_not_change_is_kept() {
    let bench = Tiny::new(CostKind::OutputTokens);
    let bytes = |repeat| fs::read(bench.dir().out_of_fold("carrot-knn", repeat)).expect("read");
    fit(&bench, "carrot-knn", &[], 0);
    let first = bytes(0);
    let message = fit(&bench, "carrot-knn", &["--repeats", "2"], 0);
    assert_eq!(message.matches("keeping").count(), 1, "{message}");
    assert_eq!(bytes(0), first);
    assert_ne!(
        folds(&bench, "carrot-knn", 0).folds,
        folds(&bench, "carrot-knn", 1).folds
    );
    let message = fit(&bench, "carrot-knn", &["--repeats", "2", "--force"], 0);
    assert!(!message.contains("keeping"), "{message}");
    assert_eq!(bytes(0), first, "the same bytes again");

    fs::write(bench.dir().out_of_fold("carrot-knn", 0), "damaged").expect("written");
    let message = fit(&bench, "carrot-knn", &[], 0);
    assert!(
        message.contains("has changed since it was written"),
        "{message}"
    );
    assert_eq!(bytes(0), first);
    assert_eq!(bench.dir().repeats("carrot-knn").expect("listed"), [0, 1]);
    let message = bench.fit("carrot-knn", &["--cross-fit", "4"], 0);
    assert!(message.contains("cross-fitting it again"), "{message}");
    // Repeat 1 has three folds; a mean over both would be of nothing.
    assert!(message.contains("removing repeat 1"), "{message}");
    assert_eq!(bench.dir().repeats("carrot-knn").expect("listed"), [0]);
    let n_folds = folds(&bench, "carrot-knn", 0)
        .folds
        .iter()
        .flatten()
        .max()
        .copied();
    assert_eq!(n_folds, Some(3), "four folds, from 0");
    // The train part changes, whose rows are predicted, too.
    bench.edit_split(Part::Train, |split| {
        split.scores[[0, 0]] = 1.0 - split.scores[[0, 0]]
    });
    let message = bench.fit("carrot-knn", &["--cross-fit", "4"], 0);
    assert!(!message.contains("keeping"), "{message}");
}

#[test]
fn groups_stay_in_one_fold() {
    let bench = Tiny::new(CostKind::OutputTokens);
    let message = fit(&bench, "carrot-knn", &["--group", "customer"], 2);
    assert!(
        message.contains("`gen-custom --keep customer` keeps it"),
        "{message}"
    );
    for part in Part::ALL {
        bench.edit_split(part, |split| {
            let customer = |row: usize| match row % 6 {
                0 => String::new(),
                other => other.to_string(),
            };
            let mut kept = KeptColumns::default();
            let customers = (0..split.n_prompts()).map(customer).collect();
            kept.insert("customer", customers).expect("a good name");
            split.kept = kept;
            // Each prompt its own text, so that only customers keep rows together.
            for (row, prompt) in split.prompts.iter_mut().enumerate() {
                *prompt = format!("{prompt} {} {row}", part.name());
            }
        });
    }
    // Five customers of six rows each leave room for the others in three of four folds.
    bench.fit(
        "carrot-knn",
        &["--cross-fit", "4", "--group", "customer"],
        0,
    );
    let whole = WholeSet::open(&bench.dir()).expect("both parts");
    let customers = whole.table().kept("customer").expect("kept").to_vec();
    let folds = folds(&bench, "carrot-knn", 0).folds;
    let mut of_nobody = Vec::new();
    for (customer, fold) in customers.iter().zip(&folds) {
        if customer.is_empty() {
            of_nobody.push(*fold);
            continue;
        }
        let mut others = customers.iter().zip(&folds);
        assert!(others.all(|(other, of_other)| other != customer || of_other == fold));
    }
    of_nobody.sort_unstable();
    of_nobody.dedup();
    assert!(
        of_nobody.len() > 1,
        "rows without a customer are not a group"
    );
}

#[test]
fn permuted_prompts_are_recorded() {
    let bench = Tiny::new(CostKind::OutputTokens);
    fit(&bench, "carrot-knn", &["--null", "3", "--repeats", "2"], 0);
    let manifest = |repeat| {
        let path = bench.dir().out_of_fold_manifest("carrot-knn", repeat);
        RunManifest::read(&path).expect("read").results
    };
    let null = &manifest(0)["null"];
    for kind in ["over-all", "within-tasks"] {
        assert_eq!(null[kind]["gains"].as_array().map(Vec::len), Some(3));
        let p = null[kind]["p"].as_f64().expect("a number");
        assert!((0.25..=1.0).contains(&p), "{p}");
    }
    assert!(manifest(1)["null"].is_null(), "only with the first folds");
}

#[test]
fn what_cannot_be_cross_fitted_is_said() {
    let bench = Tiny::new(CostKind::OutputTokens);
    let message = bench.fit("carrot-knn", &["--cross-fit", "1"], 2);
    assert!(message.contains("--cross-fit"), "{message}");
    let message = bench.fit("carrot-knn", &["--null", "9"], 2);
    assert!(message.contains("--cross-fit"), "{message}");
    let message = bench.fit("carrot-knn", &["--cross-fit", "3", "--train-sizes", "9"], 2);
    assert!(message.contains("--train-sizes"), "{message}");
    let message = bench.fit("carrot-knn", &["--cross-fit", "100"], 1);
    assert!(
        message.contains("cannot be dealt to 100 folds")
            && message.contains("folds at most with `--cross-fit`"),
        "{message}"
    );
    if cfg!(feature = "torch") {
        let message = fit(&bench, "roberta-binary", &[], 2);
        assert!(message.contains("measured on the test part"), "{message}");
        let message = fit(&bench, "carrot-knn,roberta-binary", &[], 0);
        assert!(
            message.contains("leaving out `roberta-binary`"),
            "{message}"
        );
    }
}

#[test]
fn without_a_name_the_data_set_decides() {
    let bench = Tiny::new(CostKind::OutputTokens);
    let run = |args: &[&str]| {
        let common = ["--dataset", "tiny", "--embedding", "given"];
        assert_eq!(
            bench.run(&[&common[..], args].concat()).status.code(),
            Some(0)
        );
        bench.dir().routers().expect("listed")
    };
    assert_eq!(run(&[]), ["carrot-knn"]);
    bench.edit_info(|info| info.made_by = "gen-custom 0.1.0".to_owned());
    assert_eq!(run(&["--routers"]), [CARROT_BLEND, "carrot-knn"]);
    assert!(bench.model(CARROT_BLEND).is_dir());
}
