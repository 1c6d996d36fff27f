//! A disk that is full, as a program sees it whose files may not grow beyond a limit: the next write fails.

use std::process::{Command, Output};

use dataset::CostKind;
use saved_routers::SavedRouter;

use crate::{
    bench::{Tiny, names, stderr},
    roberta::{self, TRAIN, write_training},
};

/// Runs the program with files of at most so many of the shell's blocks, 512 bytes or 1,024 each.
fn run(bench: &Tiny, args: &[&str], n_blocks: u32) -> Output {
    let program = bench.command(args);
    let mut shell = Command::new("sh");
    // A signal comes first, which a full disk does not send, and which must not end the program either.
    let script = format!(r#"ulimit -f {n_blocks}; exec "$@""#);
    shell.args(["-c", &script, "sh"]).arg(program.get_program());
    shell.args(program.get_args()).current_dir(bench.path());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.output().expect("started")
}

#[test]
fn a_full_disk_leaves_what_was_there() {
    let bench = Tiny::new(CostKind::OutputTokens);
    for router in ["carrot-knn", "rorf"] {
        bench.fit(router, &[], 0);
        let predictions = bench.dir().predictions(router);
        let folders = [
            bench.path().join("data/tiny"),
            predictions.parent().expect("a folder").to_owned(),
            bench.model("."),
            bench.model(router),
        ];
        // But for the manifest, which goes before predictions are written: it must never stand beside others than it tells of.
        let manifest = format!("{router}.json");
        let listed = || {
            let mut all: Vec<String> = folders.iter().flat_map(|folder| names(folder)).collect();
            all.retain(|name| *name != manifest);
            all
        };
        let before = listed();
        let bytes = bench.bytes(router);
        let args = ["--dataset", "tiny", "--embedding", "given", "--force"];
        let args = [&args[..], &["--routers", router]].concat();
        let mut n_failed = 0;
        // Until the largest file has room: each time, another one has none.
        for n_blocks in [0, 1, 2, 4, 8, 16, 1 << 16] {
            let output = run(&bench, &args, n_blocks);
            let message = stderr(&output);
            if output.status.success() {
                break;
            }
            n_failed += 1;
            assert_eq!(output.status.code(), Some(1), "{n_blocks}: {message}");
            assert!(message.contains("File too large"), "{n_blocks}: {message}");
            assert_eq!(listed(), before, "{n_blocks}");
            assert_eq!(bench.bytes(router), bytes, "{n_blocks}");
            SavedRouter::open(&bench.model(router)).expect("the older one stays");
        }
        assert!((1..7).contains(&n_failed), "{router}: {n_failed}");
    }
}

#[test]
fn a_full_disk_during_a_checkpoint_stops_the_training() {
    let bench = roberta::bench(CostKind::Known);
    write_training(&bench, 2, 1);
    let args = ["--dataset", "tiny", "--routers", "roberta-binary"];
    let args = [&args[..], &TRAIN].concat();
    let output = run(&bench, &args, 2);
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("checkpoint.safetensors"), "{message}");
    assert!(message.contains("File too large"), "{message}");
    assert!(bench.dir().routers().expect("listed").is_empty());
    let checkpoint = bench.model("roberta-binary/checkpoint/small-wins");
    assert!(
        names(&checkpoint)
            .iter()
            .all(|name| !name.contains("safetensors")),
        "{:?}",
        names(&checkpoint)
    );
    // Once there is room, the same command does it.
    bench.fit("roberta-binary", &TRAIN, 0);
}
