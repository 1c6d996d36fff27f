//! Loads and builds an index of a folder's rows, searches in it and in memory, and tells what each took.
//!
//!     cargo run -p pg-neighbors --example index_bench FOLDER DIM K ADDRESS...      as scripts/bench_index.py runs it
//!
//! A folder holds little-endian matrices, row after row: float16 `rows.f16` and float32 `queries.f32`, none of which is among the rows. The exact
//! neighbors of the queries are left in it, `exact.u32`.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::{
    collections::HashSet,
    error::Error,
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use half::f16;
use ndarray::{Array2, ArrayView2, Axis, s};
use pg_neighbors::{
    BuildOptions, Hnsw, IndexAddress, IndexSpec, PgNeighbors, SearchSettings, build,
};
use routers::{Backend, HalfRows, InMemory, Neighbors, UnitRows};
use serde_json::{Value, json};

/// Scores and token counts of 18 LLMs.
const N_VALUES: usize = 36;
const N_CLIENTS: usize = 8;
const RECALL: f64 = 0.95;
/// Rows by which recall is measured when an index is built.
const N_RECALL_QUERIES: usize = 1_000;
/// As of `carrot-router index`.
const GRAPH: Hnsw = Hnsw {
    m: 16,
    ef_construction: 64,
};
/// Queries of a search in memory: one by one it takes long.
const N_ALONE: usize = 200;
const BATCH: usize = 512;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [folder, dim, k, urls @ ..] = &args[..] else {
        return Err("expected FOLDER DIM K ADDRESS...".into());
    };
    let (folder, dim, k): (&Path, usize, usize) = (folder.as_ref(), dim.parse()?, k.parse()?);
    let rows = read_rows(&folder.join("rows.f16"), dim)?;
    let queries = read_queries(&folder.join("queries.f32"), dim)?;
    let addresses: Vec<IndexAddress> = urls
        .iter()
        .map(|it| it.parse())
        .collect::<Result<_, pg_neighbors::Error>>()?;
    let values = Array2::from_shape_fn((rows.n_rows(), N_VALUES), |(row, i)| {
        ((row * 31 + i * 17) % 101) as f32 / 101.0
    });
    let (index, built) = build_index(&addresses, &rows, values.view(), k)?;

    let memory = InMemory::new(rows, values, Backend::Gemm)?;
    let exact = search_in_memory(&memory, &queries, k)?;
    fs::write(
        folder.join("exact.u32"),
        exact
            .ids
            .iter()
            .flat_map(|id| id.to_le_bytes())
            .collect::<Vec<u8>>(),
    )?;
    // Once without counting: pages and connections are warm then, as they are in a service.
    timed(&index, &queries, k, N_CLIENTS)?;
    let (one, found) = timed(&index, &queries, k, 1)?;
    let (many, _) = timed(&index, &queries, k, N_CLIENTS)?;
    println!(
        "{}",
        json!({
            "n-rows": memory.n_rows(), "dim": dim, "k": k, "n-queries": queries.nrows(), "n-shards": index.n_shards(), "built": built,
            "recall-of-queries": recall(&exact.ids, &found, k), "1-client": one, "8-clients": many,
            "in-memory": exact.report,
        })
    );
    Ok(())
}

fn read_rows(path: &Path, dim: usize) -> Result<HalfRows, Box<dyn Error>> {
    let halves: Vec<f16> = fs::read(path)?
        .chunks_exact(2)
        .map(|it| f16::from_le_bytes([it[0], it[1]]))
        .collect();
    let n_rows = halves.len() / dim;
    Ok(HalfRows::new(Arc::new(halves), (n_rows, dim))?)
}

fn read_queries(path: &Path, dim: usize) -> Result<Array2<f32>, Box<dyn Error>> {
    let values: Vec<f32> = fs::read(path)?
        .chunks_exact(4)
        .map(|it| f32::from_le_bytes([it[0], it[1], it[2], it[3]]))
        .collect();
    Ok(Array2::from_shape_vec((values.len() / dim, dim), values)?)
}

/// Step by step, so that each can be timed: an index that is complete is not built again.
fn build_index(
    addresses: &[IndexAddress],
    rows: &HalfRows,
    values: ArrayView2<'_, f32>,
    k: usize,
) -> Result<(PgNeighbors, Value), Box<dyn Error>> {
    let spec = IndexSpec {
        fit: "be0c".repeat(16),
        dim: rows.dim(),
        n_values: values.ncols(),
    };
    let step = |hnsw, n_recall_queries| {
        let options = BuildOptions {
            hnsw,
            k,
            recall: RECALL,
            n_recall_queries,
            seed: 42,
        };
        let start = Instant::now();
        let built = build(addresses, &spec, rows, values, &options, &|_| ())?;
        Ok::<_, Box<dyn Error>>((start.elapsed().as_secs_f64(), built))
    };
    let (load, loaded) = step(None, 0)?;
    let (graph, _) = step(Some(GRAPH), 0)?;
    let (measure, built) = step(Some(GRAPH), N_RECALL_QUERIES)?;
    let settings = SearchSettings {
        min_shards: addresses.len(),
        timeout: Duration::from_secs(60),
        n_connections: N_CLIENTS,
    };
    let index = PgNeighbors::open(addresses, &spec, built.search, k, &settings)?;
    let report = json!({
        "n-sent": loaded.n_sent, "load-seconds": load, "graph-seconds": graph, "recall-seconds": measure,
        "search": format!("{:?}", built.search), "recall": built.recall,
    });
    Ok((index, report))
}

struct Exact {
    /// The neighbors of each query.
    ids: Vec<u32>,
    report: Value,
}

fn search_in_memory(
    memory: &InMemory,
    queries: &Array2<f32>,
    k: usize,
) -> Result<Exact, Box<dyn Error>> {
    let mut ids = Vec::new();
    let mut batches = Vec::new();
    for batch in queries.axis_chunks_iter(Axis(0), BATCH) {
        let unit = UnitRows::new(batch.to_owned())?;
        let start = Instant::now();
        let found = memory.nearest(&unit, &[k], &|_| ())?;
        batches.push(start.elapsed().as_secs_f64() / batch.nrows() as f64);
        for query in 0..batch.nrows() {
            ids.extend((0..k).map(|i| found.row_id(query, i) as u32));
        }
    }
    let some = queries
        .slice(s![..queries.nrows().min(N_ALONE), ..])
        .to_owned();
    let (alone, _) = timed(memory, &some, k, 1)?;
    Ok(Exact {
        ids,
        report: json!({ "1-client": alone, "seconds-a-query-in-batches": batches.iter().sum::<f64>() / batches.len() as f64 }),
    })
}

/// Each query by itself, by so many clients at once: what it took, and the ids that were found.
fn timed(
    neighbors: &dyn Neighbors,
    queries: &Array2<f32>,
    k: usize,
    n_clients: usize,
) -> Result<(Value, Vec<u32>), Box<dyn Error>> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..n_clients {
            scope.spawn(|| {
                loop {
                    let query = next.fetch_add(1, Ordering::Relaxed);
                    if query >= queries.nrows() {
                        break;
                    }
                    let one = queries.slice(s![query..=query, ..]).to_owned();
                    let started = Instant::now();
                    let unit = UnitRows::new(one).expect("queries are finite");
                    let found = neighbors.nearest(&unit, &[k], &|_| ()).expect("found");
                    let seconds = started.elapsed().as_secs_f64();
                    let ids: Vec<u32> = (0..k).map(|i| found.row_id(0, i) as u32).collect();
                    let mut done = done.lock().expect("no client panics holding it");
                    done.push((query, seconds, ids));
                }
            });
        }
    });
    let wall = start.elapsed().as_secs_f64();
    let mut done = done.into_inner()?;
    done.sort_unstable_by_key(|it| it.0);
    let mut seconds: Vec<f64> = done.iter().map(|it| it.1).collect();
    seconds.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| 1e3 * seconds[((seconds.len() - 1) as f64 * share) as usize];
    let report = json!({ "p50-ms": at(0.5), "p99-ms": at(0.99), "queries-a-second": seconds.len() as f64 / wall });
    Ok((report, done.into_iter().flat_map(|it| it.2).collect()))
}

fn recall(exact: &[u32], found: &[u32], k: usize) -> f64 {
    let shares = exact.chunks_exact(k).zip(found.chunks_exact(k));
    let n_found: usize = shares
        .map(|(exact, found)| {
            let found: HashSet<&u32> = found.iter().collect();
            exact.iter().filter(|id| found.contains(id)).count()
        })
        .sum();
    n_found as f64 / exact.len() as f64
}
