//! Which predictions belong to a test set, whoever wrote them and whenever a program was killed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use dataset::{
    DatasetDir, Error, MadeFrom, PairIdx, Part, PartTable, PerModel, Predictions, Reason,
    RunManifest, SmallWins, Source, TestPredictions, TestSet, Unusable, sha256_file,
};
use ndarray::Array1;

const KNN: &str = "carrot-knn";

/// A copy of the data set `tiny`, which programs wrote that left no metadata in predictions, see tests/data/before-metadata/make.sh.
struct Tiny {
    _folder: tempfile::TempDir,
    dir: DatasetDir,
}

impl Tiny {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/before-metadata/data");
        copy(&data, folder.path());
        let dir = DatasetDir::existing(folder.path(), "tiny").expect("the fixture");
        Self {
            _folder: folder,
            dir,
        }
    }

    fn open(&self) -> TestSet {
        TestSet::open(&self.dir).expect("a test set")
    }

    fn read(&self, router: &str) -> Result<TestPredictions, Box<Unusable>> {
        self.open()
            .router(router)
            .expect("readable")
            .map_err(Box::new)
    }

    /// Rewrites the predictions of a router, as a program of today does.
    fn rewrite(&self, router: &str, made_from: &MadeFrom, edit: impl FnOnce(&mut Predictions)) {
        let path = self.dir.predictions(router);
        let mut predictions = Predictions::read(&path).expect("read");
        edit(&mut predictions);
        predictions.write(&path, made_from).expect("written");
    }

    /// What predictions for the test part as it is now are made from.
    fn fresh(&self) -> MadeFrom {
        MadeFrom {
            router: Some(KNN.to_owned()),
            ..MadeFrom::split(sha256_file(&self.dir.split(Part::Test)).expect("hashed"))
        }
    }

    /// The data set is generated again: the same prompts, with another score.
    fn change_test_part(&self) {
        let path = self.dir.split(Part::Test);
        let mut split = PartTable::read(&path).expect("read");
        split.scores[[0, 0]] = 1.0 - split.scores[[0, 0]];
        split.write(&path).expect("written");
    }

    fn remove_manifest(&self, router: &str) {
        fs::remove_file(self.dir.manifest(router)).expect("removed");
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("created");
    for entry in fs::read_dir(from).expect("the fixture") {
        let path = entry.expect("listed").path();
        let target: PathBuf = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("copied");
        }
    }
}

fn per_model(predictions: &mut Predictions) -> &mut PerModel {
    match predictions {
        Predictions::PerModel(per_model) => per_model,
        Predictions::SmallWins(_) => panic!("predictions for each LLM"),
    }
}

/// What is done to a data set, how, and what reading the predictions of KNN then says: [`USABLE`], or a part of the reason why not.
type Case = (&'static str, fn(&Tiny), &'static str);

const USABLE: &str = "usable";

fn check(cases: &[Case]) {
    for &(what, prepare, expected) in cases {
        let tiny = Tiny::new();
        prepare(&tiny);
        let found = match tiny.read(KNN) {
            Ok(_) => USABLE.to_owned(),
            Err(unusable) => unusable.to_string(),
        };
        assert!(found.contains(expected), "{what}: {found}");
        assert_eq!(found == USABLE, expected == USABLE, "{what}");
    }
}

#[test]
fn predictions_belong_by_what_they_were_made_from() {
    check(&[
        ("of an older version, with a manifest", |_| (), USABLE),
        (
            "of an older version, after the data set changed",
            Tiny::change_test_part,
            "was made from a different version of",
        ),
        (
            "of an older version, without its manifest",
            |tiny| tiny.remove_manifest(KNN),
            "does not say which version of",
        ),
        (
            "fresh",
            |tiny| tiny.rewrite(KNN, &tiny.fresh(), |_| ()),
            USABLE,
        ),
        (
            "stale",
            |tiny| {
                tiny.rewrite(KNN, &tiny.fresh(), |_| ());
                tiny.change_test_part();
            },
            "was made from a different version of",
        ),
        (
            "killed after the predictions, before the manifest",
            |tiny| {
                tiny.remove_manifest(KNN);
                tiny.rewrite(KNN, &tiny.fresh(), |_| ());
            },
            USABLE,
        ),
        (
            "killed after the manifest was removed, before new predictions were written, and the data set had changed",
            |tiny| {
                tiny.rewrite(KNN, &tiny.fresh(), |_| ());
                tiny.change_test_part();
                tiny.remove_manifest(KNN);
            },
            "was made from a different version of",
        ),
        (
            "stale, beside a manifest that speaks of the new test part",
            |tiny| {
                tiny.rewrite(KNN, &tiny.fresh(), |_| ());
                tiny.change_test_part();
                let path = tiny.dir.manifest(KNN);
                let mut manifest = RunManifest::read(&path).expect("read");
                let test = Source::of(&tiny.dir.split(Part::Test)).expect("hashed");
                manifest.inputs.push(test);
                manifest.write(&path).expect("written");
            },
            "was made from a different version of",
        ),
        (
            "made elsewhere, with nothing but the key",
            |tiny| {
                tiny.remove_manifest(KNN);
                let MadeFrom { split_sha256, .. } = tiny.fresh();
                tiny.rewrite(KNN, &MadeFrom::split(split_sha256), |_| ());
            },
            USABLE,
        ),
    ]);
}

#[test]
fn predictions_belong_by_prompts_and_llms() {
    check(&[
        (
            "for other prompts",
            |tiny| {
                tiny.rewrite(KNN, &tiny.fresh(), |it| {
                    per_model(it).ids[1] = "x".to_owned()
                });
            },
            "row 2 has id `x` instead of",
        ),
        (
            "for fewer prompts",
            |tiny| tiny.rewrite(KNN, &tiny.fresh(), |it| *it = it.select(&[0])),
            "1 rows instead of 4",
        ),
        (
            "for other LLMs",
            |tiny| {
                tiny.rewrite(KNN, &tiny.fresh(), |it| per_model(it).models.reverse());
            },
            "models [\"dear\", \"cheap\"] instead of",
        ),
        (
            "missing",
            |tiny| fs::remove_file(tiny.dir.predictions(KNN)).expect("removed"),
            "there are no predictions of `carrot-knn` at",
        ),
    ]);
}

#[test]
fn what_an_older_manifest_says_is_kept() {
    let tiny = Tiny::new();
    let found = tiny.read(KNN).expect("usable");
    let made_from = found.made_from;
    assert_eq!(made_from.split_sha256, tiny.open().sha256());
    assert_eq!(made_from.router.as_deref(), Some(KNN));
    assert_eq!(made_from.embedder.as_deref(), Some("stand-in"));
    assert_eq!(made_from.made_by.as_deref(), Some("train-and-infer 0.1.0"));
    let train = sha256_file(&tiny.dir.split(Part::Train)).expect("hashed");
    assert!(made_from.other_sha256.contains(&train));
    let manifest = RunManifest::read(&tiny.dir.manifest(KNN)).expect("read");
    assert_eq!(made_from.other_sha256.len() + 1, manifest.inputs.len());
    assert!(matches!(found.predictions, Predictions::PerModel(_)));

    let of_pair = tiny.read("rorf").expect("usable");
    assert!(matches!(of_pair.predictions, Predictions::SmallWins(_)));
}

#[test]
fn a_file_of_unknown_origin_can_be_marked_with_the_hash_that_the_reason_names() {
    let tiny = Tiny::new();
    tiny.remove_manifest(KNN);
    let Reason::UnknownOrigin { test_sha256 } = tiny.read(KNN).expect_err("unknown").reason else {
        panic!("nothing says where it comes from");
    };
    tiny.rewrite(KNN, &MadeFrom::split(test_sha256), |_| ());
    let found = tiny.read(KNN).expect("usable");
    assert_eq!(found.made_from.embedder, None);
}

#[test]
fn points_of_a_learning_curve_are_judged_alike() {
    let tiny = Tiny::new();
    let read = |n_train| {
        let read = tiny.open().learning_curve(KNN, n_train).expect("readable");
        read.map_err(|unusable| (unusable.n_train, unusable.reason))
    };
    assert_eq!(
        read(8).expect_err("none was made"),
        (Some(8), Reason::Missing)
    );
    let predictions = Predictions::read(&tiny.dir.predictions(KNN)).expect("read");
    let path = tiny.dir.learning_curve_predictions(KNN, 8);
    predictions.write(&path, &tiny.fresh()).expect("written");
    assert_eq!(read(8).expect("usable").predictions, predictions);
    tiny.change_test_part();
    assert_eq!(read(8).expect_err("stale"), (Some(8), Reason::Stale));
}

#[test]
fn expectations_belong_to_their_version_of_the_test_part() {
    let tiny = Tiny::new();
    let expectations = || tiny.open().expectations();
    assert_eq!(expectations().expect("none"), None);

    // As a generator left it that did not say which table the truth is of: dataset.json vouches for both.
    let (path, from) = (tiny.dir.truth(Part::Test), tiny.dir.predictions(KNN));
    fs::create_dir_all(path.parent().expect("a folder")).expect("created");
    fs::copy(&from, &path).expect("copied");
    let of_older_version = expectations().expect("readable").expect("there");

    let truth = Predictions::PerModel(of_older_version.clone());
    truth.write(&path, &tiny.fresh()).expect("written");
    let found = expectations().expect("readable");
    assert_eq!(found, Some(of_older_version));

    tiny.change_test_part();
    let stale = expectations().expect_err("stale").to_string();
    assert!(stale.contains("made from a different version"), "{stale}");

    let wins = Predictions::SmallWins(SmallWins {
        ids: tiny.open().split().ids.clone(),
        probability: Array1::zeros(4),
    });
    wins.write(&path, &tiny.fresh()).expect("written");
    let of_pair = expectations().expect_err("of a pair").to_string();
    assert!(of_pair.contains("no scores and costs"), "{of_pair}");
}

#[test]
fn a_pair_is_found_by_name() {
    let tiny = Tiny::new();
    let pair = PairIdx { small: 0, large: 1 };
    assert_eq!(tiny.open().pair(), Some(pair));
    assert_eq!(tiny.open().required_pair().expect("a pair"), pair);

    let edit_pair = |large: Option<&str>| {
        let mut info = tiny.open().info().clone();
        match large {
            Some(large) => info.pair.as_mut().expect("a pair").large = large.to_owned(),
            None => info.pair = None,
        }
        info.write(&tiny.dir.info()).expect("written");
        let test_set = tiny.open();
        assert_eq!(test_set.pair(), None, "{large:?}");
        test_set.required_pair().expect_err("no pair")
    };
    assert!(matches!(edit_pair(Some("nobody")), Error::PairModel { .. }));
    assert!(matches!(edit_pair(Some("cheap")), Error::PairTwice { .. }));
    assert!(matches!(edit_pair(None), Error::NoPair { .. }));
}
