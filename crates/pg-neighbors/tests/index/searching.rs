//! What is found.

use ndarray::{Array2, s};
use pg_neighbors::SearchBy;
use routers::{Knn, Neighbors as _, UnitRows};
use test_support::Postgres;

use crate::world::{DIM, EXACT, GRAPH, World, bits, predict, settings, sql, told};

/// 20,000 rows in two clusters: a scan of all rows, re-ranked, is the exact search among the same float16 vectors, to the last bit of what is
/// predicted; an HNSW index finds nearly all, and chooses nearly the same.
#[test]
fn two_shards_search_as_one_memory_does() {
    let shards = [Postgres::start(), Postgres::start()];
    let urls = shards.each_ref().map(Postgres::url);
    let world = World::new(20_000, 300);
    let ks = [8, 64];
    let here = world.in_memory(ks);
    let expected = predict(&here, world.queries.view());

    let built = world.build(&urls, &EXACT).expect("built");
    assert_eq!((built.search, built.recall), (SearchBy::AllRows, 1.0));
    assert_eq!((built.n_sent, built.n_zero), (20_000, 1));
    let counts = urls.each_ref().map(|url| {
        let counts = sql(url, "SELECT count(*) FROM carrot_0123456789abcdef");
        counts[0].parse::<u32>().expect("a number")
    });
    assert_eq!(counts.iter().sum::<u32>(), 20_000);
    assert!(
        counts.iter().all(|n| n.abs_diff(10_000) < 300),
        "{counts:?}"
    );

    let scan = world
        .open(&urls, SearchBy::AllRows, 64, settings(2))
        .expect("opened");
    assert_eq!((scan.n_rows(), scan.n_shards()), (20_000, 2));
    check_ids(&world, &here, &scan);
    // In either order, and a single query as in a batch.
    let backwards = [urls[1].clone(), urls[0].clone()];
    let scan = world
        .open(&backwards, SearchBy::AllRows, 64, settings(2))
        .expect("opened");
    let there = world.over(scan, ks);
    assert_eq!(
        bits(&predict(&there, world.queries.view())),
        bits(&expected)
    );
    for query in [0, 7, 150] {
        let one = world.queries.slice(s![query..=query, ..]);
        let alone = predict(&there, one);
        for (alone, all) in bits(&alone).iter().zip(bits(&expected)) {
            assert_eq!(alone.row(0), all.row(query));
        }
    }
    // A prompt without an embedding is equally near to all: the first rows are taken, as in memory.
    let zero = Array2::zeros((1, DIM));
    assert_eq!(
        bits(&predict(&there, zero.view())),
        bits(&predict(&here, zero.view()))
    );

    // The same rows with a graph: nothing is sent again.
    let options = pg_neighbors::BuildOptions { k: 64, ..GRAPH };
    let built = world.build(&urls, &options).expect("built");
    assert_eq!(built.n_sent, 0);
    assert!(built.recall >= 0.95 && built.recall <= 1.0, "{built:?}");
    let graph = world
        .open(&urls, built.search, 64, settings(2))
        .expect("opened");
    let there = world.over(graph, ks);
    let found = predict(&there, world.queries.view());
    check_choices(&found, &expected);
}

/// Each neighbor's id, distance and values are those of the row in memory.
fn check_ids(world: &World, here: &Knn, scan: &pg_neighbors::PgNeighbors) {
    let queries = UnitRows::new(world.queries.clone()).expect("finite");
    let expected = here
        .neighbors()
        .nearest(&queries, &[8, 64], &|_| ())
        .expect("found");
    let found = scan.nearest(&queries, &[8, 64], &|_| ()).expect("found");
    for query in 0..queries.n_rows() {
        for i in 0..64 {
            let at = (query, i);
            assert_eq!(found.row_id(query, i), expected.row_id(query, i), "{at:?}");
            assert_eq!(
                found.distance(query, i),
                expected.distance(query, i),
                "{at:?}"
            );
            let bits = |it: ndarray::ArrayView1<'_, f32>| it.mapv(f32::to_bits);
            assert_eq!(
                bits(found.values(query, i)),
                bits(expected.values(query, i))
            );
        }
    }
}

/// By the highest predicted score: how often the choice is the same, and how much worse it is expected to be by the exact search.
fn check_choices(found: &[Array2<f32>], expected: &[Array2<f32>]) {
    let choice = |row: ndarray::ArrayView1<'_, f32>| {
        (0..row.len())
            .max_by(|&a, &b| row[a].total_cmp(&row[b]).then(b.cmp(&a)))
            .expect("LLMs")
    };
    let (mut n_equal, mut differences) = (0, Vec::new());
    for (found, expected) in found[0].outer_iter().zip(expected[0].outer_iter()) {
        let (ours, theirs) = (choice(found), choice(expected));
        n_equal += usize::from(ours == theirs);
        differences.push(f64::from(expected[theirs] - expected[ours]));
    }
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    let spread: f64 = expected[0]
        .iter()
        .map(|&it| f64::from(it).powi(2))
        .sum::<f64>()
        / n;
    println!("{n_equal} of {n} choices are equal, mean utility lower by {mean:.5}");
    assert!(n_equal as f64 > 0.95 * n, "{n_equal} of {n}");
    assert!(
        mean < (spread / n).sqrt(),
        "within one standard error: {mean}"
    );
}

#[test]
fn rows_that_come_and_go_are_seen_without_a_restart() {
    let shard = Postgres::start();
    let urls = [shard.url()];
    let world = World::new(500, 1);
    for options in [EXACT, GRAPH] {
        let built = world.build(&urls, &options).expect("built");
        let index = world
            .open(&urls, built.search, 5, settings(1))
            .expect("opened");
        let query = UnitRows::new(world.queries.clone()).expect("finite");
        let nearest = || {
            index
                .nearest(&query, &[1, 5], &|_| ())
                .expect("found")
                .row_id(0, 0)
        };
        let before = nearest();
        // A row that is the query itself.
        let vector: Vec<String> = query.view().iter().map(f32::to_string).collect();
        let vector = vector.join(",");
        let table = "carrot_0123456789abcdef";
        sql(
            &urls[0],
            &format!(
                "INSERT INTO {table} VALUES (900000000000, '[{vector}]', '{{1,NULL,1,5,5,5}}')"
            ),
        );
        assert_eq!(nearest(), 900_000_000_000);
        let found = index.nearest(&query, &[1], &|_| ()).expect("found");
        assert!(found.distance(0, 0) < 1e-3);
        assert!(found.values(0, 0)[1].is_nan() && found.values(0, 0)[0] == 1.0);
        sql(
            &urls[0],
            &format!("DELETE FROM {table} WHERE id = 900000000000"),
        );
        assert_eq!(nearest(), before);
    }
}

/// `hnsw.ef_search` is 40 by default, and `LIMIT 64` then gives 40 rows without a word.
#[test]
fn as_many_rows_as_were_asked_for_are_found() {
    let shard = Postgres::start();
    let urls = [shard.url()];
    let world = World::new(3_000, 2);
    world.build(&urls, &GRAPH).expect("built");
    let query: Vec<String> = world.queries.row(0).iter().map(f32::to_string).collect();
    let plain = format!(
        "SET enable_seqscan = off; SELECT id FROM carrot_0123456789abcdef ORDER BY v <=> '[{}]' LIMIT 64",
        query.join(",")
    );
    assert_eq!(sql(&urls[0], &plain).len(), 40, "the trap is there");
    let queries = UnitRows::new(world.queries.clone()).expect("finite");
    // More than pgvector's highest `ef_search`, too, by going on until there are as many.
    for k in [64, 1_500] {
        let search = SearchBy::Hnsw { ef_search: 1 };
        let index = world.open(&urls, search, k, settings(1)).expect("opened");
        let found = index.nearest(&queries, &[k], &|_| ()).expect("found");
        let mut ids: Vec<u64> = (0..k).map(|i| found.row_id(1, i)).collect();
        ids.dedup();
        assert_eq!(ids.len(), k);
    }
    // A search that the server cuts short is an error, and not an average of fewer.
    sql(
        &urls[0],
        "ALTER DATABASE postgres SET hnsw.max_scan_tuples = 1",
    );
    sql(
        &urls[0],
        "ALTER DATABASE postgres SET hnsw.scan_mem_multiplier = 1",
    );
    let search = SearchBy::Hnsw { ef_search: 1 };
    let index = world
        .open(&urls, search, 1_500, settings(1))
        .expect("opened");
    let error = index
        .nearest(&queries, &[1_500], &|_| ())
        .expect_err("cut short");
    let error = told(&error);
    assert!(
        error.contains("`hnsw.max_scan_tuples` is too low"),
        "{error}"
    );
}
