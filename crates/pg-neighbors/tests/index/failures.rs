//! Shards that are killed, that hang, and rows that are not what they should be.

use std::{thread, time::Duration};

use pg_neighbors::{SearchBy, SearchSettings};
use routers::{Neighbors as _, UnitRows};
use test_support::Postgres;

use crate::world::{EXACT, World, bits, predict, settings, sql, told, while_holding};

#[test]
fn a_killed_shard_is_an_error_or_a_smaller_sample() {
    let mut shards = [Postgres::start(), Postgres::start()];
    let urls = shards.each_ref().map(Postgres::url);
    let world = World::new(4_000, 40);
    world.build(&urls, &EXACT).expect("built");
    let open = |min_shards| world.open(&urls, SearchBy::AllRows, 8, settings(min_shards));
    let all = world.over(open(2).expect("opened"), [4, 8]);
    let some = world.over(open(1).expect("opened"), [4, 8]);
    let queries = world.queries.view();
    let (whole, n_missing) = some.predict_noting(queries, &|_| ()).expect("predicted");
    assert!(n_missing.is_empty(), "none was missing");

    shards[1].kill();
    let error = told(
        &all.predict(queries, &|_| ())
            .expect_err("a shard is missing"),
    );
    let name = format!("127.0.0.1:{}/postgres", shards[1].port());
    assert!(
        error.contains("1 of 2 shards answered, expected at least 2"),
        "{error}"
    );
    assert!(error.contains(&name), "{error}");
    let (part, n_missing) = some.predict_noting(queries, &|_| ()).expect("predicted");
    assert_eq!(n_missing, vec![1; 40]);
    let difference = (&part[0] - &whole[0]).mapv(f32::abs).mean().expect("rows");
    assert!(
        difference < 0.2,
        "half of the rows predict about the same: {difference}"
    );
    // Opened while it is away.
    let error = told(&open(2).expect_err("a shard is missing"));
    assert!(
        error.contains("1 of 2 shards answered") && error.contains(&name),
        "{error}"
    );
    let later = world.over(open(1).expect("opened"), [4, 8]);
    let (_, n_missing) = later.predict_noting(queries, &|_| ()).expect("predicted");
    assert_eq!(n_missing, vec![1; 40]);

    // It is asked again a moment after it is back, by all that were open.
    shards[1].start_again();
    thread::sleep(Duration::from_millis(2_500));
    for knn in [&all, &some, &later] {
        let (predicted, n_missing) = knn.predict_noting(queries, &|_| ()).expect("predicted");
        assert!(n_missing.is_empty());
        assert_eq!(bits(&predicted), bits(&whole));
    }
}

#[test]
fn a_replica_takes_over() {
    let mut primary = Postgres::start();
    let url = [primary.url()];
    let world = World::new(1_000, 5);
    world.build(&url, &EXACT).expect("built");
    let replica = primary.replica();
    let urls = [primary.url_with(&[&replica])];
    let index = world
        .open(&urls, SearchBy::AllRows, 8, settings(1))
        .expect("opened");
    let knn = world.over(index, [4, 8]);
    let queries = world.queries.view();
    let before = predict(&knn, queries);
    primary.kill();
    let (after, n_missing) = knn
        .predict_noting(queries, &|_| ())
        .expect("the replica answers");
    assert!(n_missing.is_empty());
    assert_eq!(bits(&after), bits(&before));
    world
        .open(&urls, SearchBy::AllRows, 8, settings(1))
        .expect("opened by the replica");
}

#[test]
fn a_shard_that_hangs_is_given_up() {
    let shard = Postgres::start();
    let urls = [shard.url()];
    let world = World::new(300, 3);
    world.build(&urls, &EXACT).expect("built");
    let settings = SearchSettings {
        timeout: Duration::from_millis(500),
        ..settings(1)
    };
    let index = world
        .open(&urls, SearchBy::AllRows, 8, settings)
        .expect("opened");
    let queries = UnitRows::new(world.queries.clone()).expect("finite");
    let lock = "BEGIN; LOCK TABLE carrot_0123456789abcdef IN ACCESS EXCLUSIVE MODE";
    while_holding(&urls[0], lock, || {
        let start = std::time::Instant::now();
        let error = told(&index.nearest(&queries, &[8], &|_| ()).expect_err("locked"));
        assert!(
            error.contains("did not answer a search within 500ms") || error.contains("timeout"),
            "{error}"
        );
        assert!(
            start.elapsed() < Duration::from_secs(4),
            "{:?}",
            start.elapsed()
        );
    });
    thread::sleep(Duration::from_millis(300));
    index
        .nearest(&queries, &[8], &|_| ())
        .expect("it answers again");
}

#[test]
fn rows_that_cannot_be_averaged_are_named() {
    let shard = Postgres::start();
    let urls = [shard.url()];
    let world = World::new(300, 2);
    world.build(&urls, &EXACT).expect("built");
    let index = world
        .open(&urls, SearchBy::AllRows, 8, settings(1))
        .expect("opened");
    let queries = UnitRows::new(world.queries.clone()).expect("finite");
    let error = |change: &str, back: &str| {
        sql(&urls[0], change);
        let error = told(&index.nearest(&queries, &[8], &|_| ()).expect_err(change));
        sql(&urls[0], back);
        error
    };
    let table = "carrot_0123456789abcdef";
    let found = error(
        &format!("UPDATE {table} SET y[1] = 'Infinity'"),
        &format!("UPDATE {table} SET y[1] = 0.5"),
    );
    assert!(found.contains("has the value inf"), "{found}");
    let found = error(
        &format!(
            "ALTER TABLE {table} DROP CONSTRAINT {table}_y_check; UPDATE {table} SET y = y[1:2]"
        ),
        "SELECT 1",
    );
    assert!(found.contains("has 2 values, expected 6"), "{found}");
    let found = error(&format!("DELETE FROM {table} WHERE id > 5"), "SELECT 1");
    assert!(
        found.contains("values, expected 6") || found.contains("rows"),
        "{found}"
    );
    // What is not a number never gets in.
    let bad = std::panic::catch_unwind(|| {
        sql(&urls[0], &format!("UPDATE {table} SET v = '[NaN]'"));
    });
    bad.expect_err("pgvector refuses it");
}
