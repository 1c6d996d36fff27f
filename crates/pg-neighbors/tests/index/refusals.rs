//! What is refused when an index is opened.

use pg_neighbors::{Error, IndexSpec, PgNeighbors, SearchBy};
use test_support::Postgres;

use crate::world::{EXACT, GRAPH, World, addresses, settings, sql, told};

#[test]
fn an_index_that_is_not_the_routers_is_refused() {
    let shard = Postgres::start();
    let urls = [shard.url()];
    let world = World::new(300, 1);
    let open = |spec: &IndexSpec, k| {
        let found = PgNeighbors::open(&addresses(&urls), spec, SearchBy::AllRows, k, &settings(1));
        found.map_err(|error| (told(&error), error)).err()
    };
    // Nothing there at all.
    let (text, error) = open(&world.spec(), 8).expect("no extension");
    assert!(matches!(error, Error::Pgvector { .. }), "{text}");
    assert!(
        text.contains("has no pgvector, expected pgvector 0.8.0 or later"),
        "{text}"
    );
    sql(&urls[0], "CREATE EXTENSION vector");
    let (text, error) = open(&world.spec(), 8).expect("no index");
    assert!(matches!(error, Error::NoIndex { .. }), "{text}");

    world.build(&urls, &EXACT).expect("built");
    assert!(open(&world.spec(), 8).is_none(), "it is good");
    let spec = |edit: fn(&mut IndexSpec)| {
        let mut spec = world.spec();
        edit(&mut spec);
        spec
    };
    for (spec, k, expected) in [
        (spec(|it| it.dim = 47), 8, "has dimension 48, expected 47"),
        (
            spec(|it| it.n_values = 5),
            8,
            "has values a row 6, expected 5",
        ),
        (
            spec(|it| it.fit = "f".repeat(64)),
            8,
            "holds no index of this router's fit `ffff",
        ),
        // Of 300 rows one is zero, which nobody is near to.
        (
            world.spec(),
            300,
            "has 299 rows with a vector, expected at least 300",
        ),
    ] {
        let (text, _) = open(&spec, k).expect(expected);
        assert!(text.contains(expected), "{text}");
    }
    // It names what there is.
    let (text, _) = open(&spec(|it| it.fit = "f".repeat(64)), 8).expect("another fit");
    assert!(text.contains("it has those of `0123456789abcdef"), "{text}");

    for (change, back, expected) in [
        (
            "UPDATE pg_extension SET extversion = '0.7.4' WHERE extname = 'vector'",
            "UPDATE pg_extension SET extversion = '0.8.5' WHERE extname = 'vector'",
            "has pgvector 0.7.4, expected pgvector 0.8.0 or later",
        ),
        (
            "UPDATE carrot_indexes SET format = 2",
            "UPDATE carrot_indexes SET format = 1",
            "has format 2, expected 1",
        ),
        (
            "UPDATE carrot_indexes SET n_loaded = 200",
            "UPDATE carrot_indexes SET n_loaded = 300",
            "is not complete: 200 of 300 rows were looked at",
        ),
        (
            "UPDATE carrot_indexes SET is_ready = false",
            "UPDATE carrot_indexes SET is_ready = true",
            "were looked at, and it was not built",
        ),
        (
            "UPDATE carrot_indexes SET n_shards = 2",
            "UPDATE carrot_indexes SET n_shards = 1",
            "has shards in all 2, expected 1",
        ),
        (
            "ALTER TABLE carrot_0123456789abcdef ALTER v TYPE vector(48)",
            "ALTER TABLE carrot_0123456789abcdef ALTER v TYPE halfvec(48)",
            "has vectors of type vector(48), expected halfvec(48)",
        ),
        (
            "ALTER TABLE carrot_0123456789abcdef RENAME TO away",
            "ALTER TABLE away RENAME TO carrot_0123456789abcdef",
            "has lost the table `carrot_0123456789abcdef`",
        ),
    ] {
        sql(&urls[0], change);
        let (text, _) = open(&world.spec(), 8).expect(change);
        assert!(text.contains(expected), "{text}");
        sql(&urls[0], back);
        assert!(open(&world.spec(), 8).is_none(), "{back}");
    }
    // No graph was built.
    let search = SearchBy::Hnsw { ef_search: 100 };
    let error = world
        .open(&urls, search, 8, settings(1))
        .expect_err("no graph");
    assert!(told(&error).contains("has lost the HNSW index"), "{error}");
}

#[test]
fn shards_that_do_not_make_one_index_are_refused() {
    let shards = [Postgres::start(), Postgres::start()];
    let urls = shards.each_ref().map(Postgres::url);
    let world = World::new(300, 1);
    world.build(&urls, &GRAPH).expect("built");
    let refused = |urls: &[String], min_shards| {
        let error = world.open(urls, SearchBy::AllRows, 8, settings(min_shards));
        told(&error.expect_err("refused"))
    };
    let twice = [urls[0].clone(), urls[0].clone()];
    assert!(refused(&twice, 2).contains("are both shard 0 (from 0) of 2"));
    assert!(refused(&urls[..1], 1).contains("has shards in all 2, expected 1"));
    assert!(refused(&urls, 3).contains("3 shards have to answer, but there are 2"));
    assert!(refused(&urls, 0).contains("0 shards have to answer"));
    assert!(refused(&[], 1).contains("no address"));
}

#[test]
fn a_refused_user_is_told_so_without_the_password() {
    let shard = Postgres::start();
    let world = World::new(10, 1);
    let wrong = shard.url().replace(Postgres::PASSWORD, "wrong-secret-8");
    let urls = [wrong];
    for error in [
        world
            .open(&urls, SearchBy::AllRows, 8, settings(1))
            .expect_err("refused"),
        world.build(&urls, &EXACT).expect_err("refused"),
    ] {
        let text = told(&error);
        assert!(!text.contains("wrong-secret-8"), "{text}");
        assert!(text.contains("authentication failed"), "{text}");
    }
    // Nobody there.
    let mut shard = shard;
    shard.kill();
    let urls = [shard.url()];
    let error = world
        .open(&urls, SearchBy::AllRows, 8, settings(1))
        .expect_err("away");
    let text = told(&error);
    let name = format!("`127.0.0.1:{}/postgres`", shard.port());
    assert!(
        text.contains("cannot connect to") && text.contains(&name),
        "{text}"
    );
}
