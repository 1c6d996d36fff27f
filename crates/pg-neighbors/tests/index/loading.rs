//! Loads that end early, and are taken up again.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU64, Ordering},
};

use pg_neighbors::{BuildOptions, Error, Hnsw, SearchBy, build};
use test_support::Postgres;

use crate::world::{EXACT, GRAPH, World, addresses, bits, predict, settings, sql, told};

#[test]
fn an_interrupted_load_goes_on_where_it_was() {
    let mut shards = [Postgres::start(), Postgres::start()];
    let urls = shards.each_ref().map(Postgres::url);
    // Several steps.
    let world = World::new(70_000, 20);
    let values = world.values();
    let n_seen = AtomicU64::new(0);
    let run = |stop_at: u64| {
        let count = |n: u64| {
            let before = n_seen.fetch_add(n, Ordering::Relaxed);
            // As if the process had been killed.
            assert!(before + n < stop_at, "stopped");
        };
        let spec = world.spec();
        build(
            &addresses(&urls),
            &spec,
            &world.rows,
            values.view(),
            &EXACT,
            &count,
        )
    };
    catch_unwind(AssertUnwindSafe(|| run(30_000))).expect_err("stopped");
    let error = world
        .open(&urls, SearchBy::AllRows, 8, settings(2))
        .expect_err("not complete");
    assert!(
        matches!(error, Error::Incomplete { n_rows: 70_000, .. }),
        "{error}"
    );
    let error = told(&error);
    assert!(
        error.contains("is not complete: 20000 of 70000 rows"),
        "{error}"
    );
    // A shard that was killed meanwhile has what it committed.
    shards[1].kill();
    shards[1].start_again();
    n_seen.store(0, Ordering::Relaxed);
    let built = run(u64::MAX).expect("built");
    assert!(built.n_sent < 60_000 && built.n_sent >= 50_000, "{built:?}");
    assert_eq!(
        n_seen.load(Ordering::Relaxed),
        2 * 70_000,
        "all rows count, of each shard"
    );
    let scan = world
        .open(&urls, SearchBy::AllRows, 8, settings(2))
        .expect("opened");
    let there = world.over(scan, [2, 8]);
    let here = world.in_memory([2, 8]);
    let queries = world.queries.view();
    assert_eq!(
        bits(&predict(&there, queries)),
        bits(&predict(&here, queries))
    );
    // Once more on what is complete.
    let built = run(u64::MAX).expect("built");
    assert_eq!(built.n_sent, 0);
}

#[test]
fn what_is_there_must_be_of_the_same_shards_and_rows() {
    let shards = [Postgres::start(), Postgres::start()];
    let urls = shards.each_ref().map(Postgres::url);
    let world = World::new(400, 1);
    world.build(&urls, &EXACT).expect("built");
    let backwards = [urls[1].clone(), urls[0].clone()];
    for (urls, expected) in [
        (&backwards[..], "has shard 1 of 2, expected 0 of 2"),
        (&urls[..1], "has shard 0 of 2, expected 0 of 1"),
    ] {
        let error = told(&world.build(urls, &EXACT).expect_err("another shard"));
        assert!(error.contains(expected), "{error}");
    }
    let other = World::new(401, 1);
    let error = told(&other.build(&urls, &EXACT).expect_err("other rows"));
    assert!(error.contains("has rows 400, expected 401"), "{error}");
    let error = told(&world.build(&[], &EXACT).expect_err("nowhere"));
    assert!(error.contains("no address"), "{error}");
}

#[test]
fn one_run_loads_at_a_time_and_a_lost_graph_is_built_again() {
    let shard = Postgres::start();
    let urls = [shard.url()];
    let world = World::new(1_000, 1);
    let lock = "SELECT pg_advisory_lock(hashtext('carrot_0123456789abcdef'))";
    crate::world::while_holding(&urls[0], lock, || {
        let error = world.build(&urls, &EXACT).expect_err("locked");
        assert!(matches!(error, Error::Locked { .. }), "{error}");
    });
    // The lock ends with the connection, which the server notices a moment later.
    std::thread::sleep(std::time::Duration::from_millis(300));
    let built = world.build(&urls, &GRAPH).expect("built");
    sql(&urls[0], "DROP INDEX carrot_0123456789abcdef_hnsw");
    let error = world
        .open(&urls, built.search, 8, settings(1))
        .expect_err("lost");
    assert!(matches!(error, Error::Lost { .. }), "{error}");
    world
        .open(&urls, SearchBy::AllRows, 8, settings(1))
        .expect("it needs no graph");
    world.build(&urls, &GRAPH).expect("built again");
    world
        .open(&urls, built.search, 8, settings(1))
        .expect("opened");
}

/// Recall is measured, and what is too low is refused.
#[test]
fn a_graph_that_misses_too_much_is_refused() {
    let shard = Postgres::start();
    let urls = [shard.url()];
    let world = World::new(6_000, 1);
    let options = BuildOptions {
        hnsw: Some(Hnsw {
            m: 2,
            ef_construction: 4,
        }),
        recall: 1.0,
        k: 64,
        ..GRAPH
    };
    let error = world.build(&urls, &options).expect_err("never all");
    assert!(
        matches!(
            error,
            Error::Recall {
                ef_search: 1000,
                ..
            }
        ),
        "{error}"
    );
    let low = BuildOptions {
        recall: 0.1,
        ..options
    };
    let built = world.build(&urls, &low).expect("built");
    assert!(built.recall > 0.1 && built.n_sent == 0, "{built:?}");
}
