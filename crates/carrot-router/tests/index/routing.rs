use std::fs;

use dataset::CostKind;
use serde_json::Value;
use test_support::{Postgres, stderr};

use crate::{
    INDEXED, MODEL,
    bench::{PROMPTS, Tiny, assert_refused, decisions},
    index, run,
};

#[test]
fn a_router_routes_by_its_index_as_by_its_memory() {
    let shards = [Postgres::start(), Postgres::start()];
    let urls = shards.each_ref().map(Postgres::url);
    for kind in [CostKind::OutputTokens, CostKind::Usd, CostKind::Known] {
        let bench = Tiny::new(kind);
        for graph in [&["--exact"][..], &["--force", "--recall-queries", "3"]] {
            let report = index(&bench, &urls, &[graph, &["--json"]].concat());
            assert!(report.status.success(), "{}", stderr(&report));
            let report: Value = serde_json::from_slice(&report.stdout).expect("JSON");
            assert_eq!(report["n_rows"], 3);
            assert_eq!(report["recall"], 1.0);
            assert_eq!(report["ef_search"].is_null(), graph == ["--exact"]);
            for prompt in PROMPTS {
                let route = ["route", prompt, "--mu", "0.25", "--json"];
                let there = run(&bench, &[&route, &INDEXED[..]].concat(), &urls, "");
                let here = bench.run(&[&route, &MODEL[..]].concat());
                assert_eq!(decisions(&there), decisions(&here), "{kind:?}, `{prompt}`");
            }
        }
    }
}

/// router.json keeps everything but the addresses.
#[test]
fn the_folder_holds_no_rows_and_no_addresses() {
    let shard = Postgres::start();
    let urls = [shard.url()];
    let bench = Tiny::new(CostKind::Usd);
    let report = index(
        &bench,
        &urls,
        &["--exact", "--output", "models/tiny/elsewhere"],
    );
    assert!(report.status.success(), "{}", stderr(&report));
    let read = |name: &str, file: &str| -> Value {
        let path = bench.join("models/tiny").join(name).join(file);
        serde_json::from_slice(&fs::read(path).expect("there")).expect("JSON")
    };
    let (old, new) = (
        read("carrot-knn", "router.json"),
        read("elsewhere", "router.json"),
    );
    for key in [
        "models",
        "embedder",
        "cost-kind",
        "config",
        "results",
        "train-sha256",
        "router",
    ] {
        assert_eq!(new[key], old[key], "{key}");
    }
    assert_eq!(new["contents"]["kind"], "knn-index");
    assert_eq!(new["contents"]["targets"], old["contents"]["targets"]);
    assert_eq!(new["contents"]["recall"], 1.0);
    let folder = bench.join("models/tiny/elsewhere");
    for file in fs::read_dir(&folder).expect("a folder") {
        let bytes = fs::read(file.expect("an entry").path()).expect("a file");
        let text = String::from_utf8_lossy(&bytes);
        for secret in [
            "postgres://",
            "127.0.0.1",
            Postgres::PASSWORD,
            &shard.port().to_string(),
        ] {
            assert!(!text.contains(secret), "{secret}");
        }
        assert!(bytes.len() < 5_000, "no vectors");
    }
    // It is not overwritten by accident, nor indexed once more.
    let again = index(
        &bench,
        &urls,
        &["--exact", "--output", "models/tiny/elsewhere"],
    );
    assert_refused(&again, 1, "already exists");
    let args = ["index", "--model", "models/tiny/elsewhere", "--exact"];
    assert_refused(&run(&bench, &args, &urls, ""), 2, "is indexed already");
}

#[test]
fn what_cannot_be_is_refused_with_what_helps() {
    let shard = Postgres::start();
    let urls = [shard.url()];
    let bench = Tiny::new(CostKind::Usd);
    bench.write_roberta_binary();
    let args = ["index", "--model", "models/tiny/carrot-knn", "--exact"];
    assert_refused(&run(&bench, &args, &[], ""), 2, "--index is required");
    let args = ["index", "--model", "models/tiny/roberta-binary", "--exact"];
    assert_refused(
        &run(&bench, &args, &urls, ""),
        1,
        "only nearest neighbors of all LLMs can be indexed",
    );
    for (bad, expected) in [
        (["--recall", "1"], "--recall"),
        (["--graph-edges", "1"], "--graph-edges"),
        (["--index-timeout", "0"], "--index-timeout"),
        (["--index-connections", "0"], "--index-connections"),
    ] {
        assert_refused(&index(&bench, &urls, &bad), 2, expected);
    }
    // The database does not have it yet.
    let route = [&["route", "so so", "--mu", "0.25"], &INDEXED[..]].concat();
    let report = index(&bench, &urls, &["--exact"]);
    assert!(report.status.success(), "{}", stderr(&report));
    assert_refused(&run(&bench, &route, &[], ""), 1, "or in CARROT_INDEX");
    // A router that has its rows would ignore an index.
    let own = [&["route", "so so", "--mu", "0.25"], &MODEL[..]].concat();
    assert_refused(&run(&bench, &own, &urls, ""), 1, "leave out `--index`");
    let few = [&route[..], &["--min-shards", "2"]].concat();
    assert_refused(
        &run(&bench, &few, &urls, ""),
        1,
        "2 shards have to answer, but there are 1",
    );
    // A refit makes other rows, and other routers their own index.
    let other = Postgres::start();
    sql_extension(&other);
    assert_refused(
        &run(&bench, &route, &[other.url()], ""),
        1,
        "holds no index of this router's fit",
    );
    let wrong = [urls[0].replace(Postgres::PASSWORD, "wrong-secret")];
    let refused = run(&bench, &route, &wrong, "");
    assert!(
        !stderr(&refused).contains("wrong-secret"),
        "{}",
        stderr(&refused)
    );
    assert_refused(&refused, 1, "authentication failed");
    for bad in [
        "mysql://ann:wrong-secret@db/x",
        "wrong-secret",
        "postgres://ann:wrong-secret@db:x/y",
    ] {
        let args = [&route[..], &["--index", bad]].concat();
        let refused = run(&bench, &args, &[], "");
        assert!(
            !stderr(&refused).contains("wrong-secret"),
            "{}",
            stderr(&refused)
        );
        assert_refused(&refused, 1, "the address");
    }
    // Its LLMs are changed where its rows are.
    let args = ["pool", "--output", "models/tiny/fewer", "--remove", "cheap"];
    let refused = run(&bench, &[&args, &INDEXED[..]].concat(), &urls, "");
    assert_refused(&refused, 1, "index it again");
    let help = run(&bench, &["route", "--help"], &urls, "");
    assert!(help.status.success());
}

/// pgvector without any index.
fn sql_extension(shard: &Postgres) {
    let bench = Tiny::with(CostKind::Known, |_| ());
    let report = index(&bench, &[shard.url()], &["--exact"]);
    assert!(report.status.success(), "{}", stderr(&report));
}
