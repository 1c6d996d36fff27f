//! Two runs at once.

use dataset::Lock;

use super::*;

#[test]
fn figures_that_another_run_draws_are_refused_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    for name in ["held", "other"] {
        write(&data, name, &MODELS[..3], &["carrot-knn"]);
    }
    let lock = Lock::of(&folder.path().join("plots/held")).expect("free");
    let args = |dataset| {
        [
            "--dataset",
            dataset,
            "--format",
            "svg",
            "--figure",
            "vs_rb_zero",
        ]
    };
    let output = plots(folder.path(), &args("held"));
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(
        message.contains("plots/held` is being written by "),
        "{message}"
    );
    check_ok(&plots(folder.path(), &args("other")));
    drop(lock);
    fs::write(folder.path().join("plots/.partial-a1B2c3"), "half").expect("written");
    check_ok(&plots(folder.path(), &args("held")));
    let names = test_support::file_names(&folder.path().join("plots"));
    assert_eq!(names, ["held", "other"], "and nothing hidden");
}
