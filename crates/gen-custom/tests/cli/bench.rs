use dataset::{DatasetInfo, PartTable};
use test_support::Bench;

const PRICES: &str = "[models.small]\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 2\n\
                      [models.\"org/large\"]\ninput_usd_per_mtok = 10\noutput_usd_per_mtok = 30\n";

/// A folder with a price list.
pub(crate) fn bench() -> Bench {
    let bench = Bench::new(env!("CARGO_BIN_EXE_gen-custom"));
    bench.write("prices.toml", PRICES);
    bench
}

/// What every run here is given: a table, the price list and a name.
pub(crate) fn usual(input: &str) -> [&str; 6] {
    [
        "--input",
        input,
        "--prices",
        "prices.toml",
        "--name",
        "mine",
    ]
}

/// Runs on a table that has to be accepted, and reads the data set `mine`.
pub(crate) fn make(
    bench: &Bench,
    input: &str,
    extra: &[&str],
) -> (DatasetInfo, PartTable, PartTable) {
    bench.succeed(&[&usual(input)[..], &["--force"], extra].concat());
    bench.read("mine")
}

/// A run on `t.csv` that embeds with a server's model.
pub(crate) fn embed_with(model: &str) -> [&str; 8] {
    [
        "--input",
        "t.csv",
        "--name",
        "mine",
        "--embedder",
        "openai",
        "--embedding-model",
        model,
    ]
}
