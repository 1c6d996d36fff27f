//! The study as a whole, and the program.

use std::path::Path;

use dataset::{RateStudy, Source};
use rate_study::{Error, ROUTERS, Search, Size, StudyParams};
use test_support::{Bench, stdout};

const BUILT_IN: &str = include_str!("../../../configs/rate-study.toml");

/// The built-in settings, cut down to take a second at most.
fn small() -> StudyParams {
    let mut params: StudyParams = toml::from_str(BUILT_IN).expect("good settings");
    params.quick.log2_n = [3, 9];
    params.quick.fit_from_log2_n = 4;
    params.quick.n_test = 128;
    params.quick.repetitions = 0.1;
    params.n_resamples = 100;
    params
}

fn run(params: StudyParams, n_threads: usize) -> RateStudy {
    let source = Source {
        path: "a test".into(),
        sha256: String::new(),
        n_bytes: 0,
    };
    let threads = rayon::ThreadPoolBuilder::new()
        .num_threads(n_threads)
        .build()
        .expect("threads");
    let study = params.check(Size::Quick).expect("good settings");
    threads
        .install(|| study.run(source, "a test", &|_| ()))
        .expect("run")
}

#[test]
fn the_seed_alone_decides() {
    let one = run(small(), 1);
    assert_eq!(run(small(), 3), one);
    let mut other = small();
    other.seed += 1;
    assert_ne!(run(other, 1), one);
}

#[test]
fn adding_a_problem_or_a_size_changes_no_other() {
    let all = run(small(), 2);
    let mut fewer = small();
    fewer.problems.truncate(1);
    fewer.problems[0].dimensions.remove(0);
    let fewer = run(fewer, 2);
    assert_eq!(fewer.problems[..], all.problems[1..4]);
    let mut shorter = small();
    shorter.quick.log2_n = [3, 8];
    let shorter = run(shorter, 2);
    for (short, long) in shorter.problems.iter().zip(&all.problems) {
        for (short, long) in short.curves.iter().zip(&long.curves) {
            assert_eq!(short.points[..], long.points[..6]);
        }
    }
}

#[test]
fn learning_beats_not_learning() {
    let study = run(small(), 2);
    assert_eq!(study.problems.len(), 8);
    for problem in &study.problems {
        let last = |router: usize| {
            let curve = &problem.curves[router];
            assert_eq!(curve.router, ROUTERS[router]);
            curve
                .points
                .last()
                .expect("there are sizes")
                .excess_risk
                .estimate
        };
        assert!(
            last(0) < last(1) && last(1) < last(2) && last(3) < last(1),
            "{} in {}",
            problem.name,
            problem.dim
        );
        // With 8 rows k is all of them at most.
        assert!(problem.curves[0].points[0].n_neighbors <= Some(8));
        let flat = problem.curves[2]
            .exponent
            .expect("random choices always lose");
        assert!(flat.estimate.abs() < 0.02, "{flat:?}");
    }
}

/// With 512 as the largest candidate the shipped rule stops learning where the theory's k is larger; with more it goes on.
#[test]
fn the_shipped_rule_learns_on_as_long_as_its_candidates_grow() {
    let risk = |grows: bool| {
        let mut params = small();
        params.problems.truncate(1);
        params.problems[0].dimensions.truncate(1);
        params.problems[0].dimensions[0].n_repetitions = 200;
        params.quick.log2_n = [15, 16];
        params.quick.fit_from_log2_n = 15;
        params.quick.n_test = 512;
        params.shipped_rule.grows = grows;
        let curves = run(params, 2).problems[0].curves.clone();
        let last = |router: usize| {
            let point = curves[router].points.last().expect("two sizes");
            (point.n_neighbors, point.excess_risk.estimate)
        };
        let (theory, shipped) = (last(0), last(3));
        assert_eq!((theory.0, shipped.0), (Some(6502), None));
        shipped.1 / theory.1
    };
    let (grown, fixed) = (risk(true), risk(false));
    assert!(grown < 1.3 && fixed > 1.5, "{grown} {fixed}");
}

#[test]
fn fewer_rows_than_neighbors_average_all_rows() {
    let mut params = small();
    params.quick.log2_n = [0, 1];
    params.quick.fit_from_log2_n = 0;
    for problem in &mut params.problems {
        for dimension in &mut problem.dimensions {
            dimension.neighbors = 1e6;
        }
    }
    for problem in run(params, 1).problems {
        let ks: Vec<_> = problem.curves[0]
            .points
            .iter()
            .map(|point| point.n_neighbors)
            .collect();
        assert_eq!(ks, [Some(1), Some(2)]);
        assert_eq!(
            problem.curves[0].points[0].excess_risk,
            problem.curves[1].points[0].excess_risk
        );
    }
}

#[test]
fn bad_settings_are_refused() {
    type Change = fn(&mut StudyParams);
    let cases: [(Change, &str); 15] = [
        (|p| p.level = 1.0, "level"),
        (|p| p.n_resamples = 0, "n-resamples"),
        (|p| p.quick.log2_n = [9, 3], "log2-n"),
        (|p| p.quick.log2_n = [3, 31], "log2-n"),
        (|p| p.quick.fit_from_log2_n = 9, "fit-from-log2-n"),
        (|p| p.quick.n_test = 0, "n-test"),
        (|p| p.quick.repetitions = 0.0, "repetitions"),
        (
            |p| p.shipped_rule.n_neighbors.clear(),
            "shipped-rule.n-neighbors",
        ),
        (
            |p| p.shipped_rule.n_neighbors.insert(0, 4),
            "shipped-rule.n-neighbors",
        ),
        (|p| p.problems.clear(), "problems"),
        (
            |p| p.problems[1].name = p.problems[0].name.clone(),
            "problems.name",
        ),
        (|p| p.problems[0].name = "a/b".to_owned(), "problems.name"),
        (|p| p.problems[0].dimensions[1].dim = 1, "dim"),
        (|p| p.problems[0].dimensions[1].neighbors = 0.0, "neighbors"),
        (
            |p| p.problems[0].dimensions[1].n_repetitions = 1,
            "n-repetitions",
        ),
    ];
    for (change, refused) in cases {
        let mut params = small();
        change(&mut params);
        match params.check(Size::Quick) {
            Err(Error::BadSetting { name, .. }) => assert_eq!(name, refused),
            found => panic!("{refused}: {found:?}"),
        }
    }
    let mut params = small();
    params.problems[0].dimensions[1].search = Search::Line;
    assert!(matches!(
        params.check(Size::Quick),
        Err(Error::NotALine { dim: 2 })
    ));
}

#[test]
fn the_program_leaves_its_result_and_says_what_it_found() {
    let bench = Bench::new(env!("CARGO_BIN_EXE_rate-study"));
    let stdout = stdout(&bench.succeed(&["--quick"]));
    let path = bench.join("data/rate-study-quick/rate-study.json");
    let study = RateStudy::read(&path).expect("it was written");
    assert_eq!(study.settings.path, Path::new("configs/rate-study.toml"));
    assert_eq!(stdout.lines().count(), 9, "{stdout}");
    let bytes = std::fs::read(&path).expect("read");
    let output = bench.succeed(&["--quick", "--quiet", "--json"]);
    assert_eq!(std::fs::read(&path).expect("read"), bytes);
    let printed: RateStudy = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(printed, study);

    bench.write("bad.toml", format!("{BUILT_IN}\nextra = 1\n"));
    for (arguments, code, message) in [
        (
            &["--quick", "--name", "../x"][..],
            2,
            "`../x` cannot name a data set",
        ),
        (
            &["--quick", "--config", "nothing.toml"],
            1,
            "cannot read `nothing.toml`",
        ),
        (
            &["--quick", "--config", "bad.toml"],
            1,
            "cannot use the settings in `bad.toml`",
        ),
    ] {
        bench.refuse(arguments, code, message);
    }
}
