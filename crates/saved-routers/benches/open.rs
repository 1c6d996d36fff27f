//! What it takes to open a KNN router that was kept, of RouterBench's size, in time and memory, and its first decisions.
//!
//! ```text
//! cargo bench -p saved-routers --profile dev
//! ```
//!
//! Vectors and targets are random, once in float32 and once in float16. Each folder is opened in a process of its own, whose memory the system tells
//! (on Linux): anonymous memory is the program's own, the rest are pages of the file, which the system may drop and shares between processes.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::{
    error::Error,
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use dataset::{CostKind, CostRule, ModelInfo, Precision, Quantity};
use ndarray::Array2;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use routers::{Backend, Target, UnitRows};
use saved_routers::{
    Contents, Embedder, EmbeddingFormat, FORMAT_VERSION, KnnParts, KnnTarget, Model, NewFolder,
    Record, SavedRouter,
};

const N_ROWS: usize = 30_968;
const DIM: usize = 1_536;
const N_MODELS: usize = 11;
/// Of the score and of output tokens.
const KS: [usize; 2] = [64, 256];
const N_OPENS: usize = 5;
const N_QUERIES: usize = 51;

fn main() -> Result<(), Box<dyn Error>> {
    // cargo itself says `--bench`.
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    if let Some(folder) = args.next() {
        return open(Path::new(&folder));
    }
    println!(
        "{N_ROWS} x {DIM}, {N_MODELS} LLMs, two targets; medians of {N_OPENS} and {N_QUERIES}"
    );
    let folder = tempfile::tempdir()?;
    for format in [EmbeddingFormat::F32, EmbeddingFormat::F16] {
        let place = folder.path().join("router");
        write(&place, format)?;
        println!("{format:?}");
        let status = Command::new(std::env::current_exe()?)
            .arg(&place)
            .status()?;
        if !status.success() {
            return Err("the process that opens the folder failed".into());
        }
    }
    Ok(())
}

fn open(folder: &Path) -> Result<(), Box<dyn Error>> {
    let first = memory();
    let mut opens = Vec::new();
    let mut router = None;
    for _ in 0..N_OPENS {
        drop(router.take());
        let start = Instant::now();
        router = Some(SavedRouter::open(folder)?);
        opens.push(start.elapsed());
    }
    let opened = memory();
    let Some(Model::Knn(knn)) = router.map(|router| router.model) else {
        return Err("no nearest neighbors".into());
    };
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut queries = Vec::new();
    for _ in 0..N_QUERIES {
        let query = Array2::from_shape_simple_fn((1, DIM), || rng.random_range(-1.0..1.0));
        let start = Instant::now();
        std::hint::black_box(knn.predict(query.view(), &|_| ())?);
        queries.push(start.elapsed());
    }
    println!(
        "  open {:.1} ms, one query {:.2} ms",
        median(opens),
        median(queries)
    );
    println!(
        "  before       {first}\n  opened       {opened}\n  in the end   {}",
        memory()
    );
    Ok(())
}

/// Resident memory in MiB: anonymous, of files, and the highest of both so far.
fn memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mebibytes = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kibibytes.map_or_else(|| "unknown".to_owned(), |n| format!("{} MiB", n / 1024))
    };
    let [anonymous, file, peak] = ["RssAnon:", "RssFile:", "VmHWM:"].map(mebibytes);
    format!("anonymous {anonymous}, of files {file}, peak of both {peak}")
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    1e3 * times[times.len() / 2].as_secs_f64()
}

fn write(place: &Path, format: EmbeddingFormat) -> Result<(), Box<dyn Error>> {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut random =
        |shape| Array2::from_shape_simple_fn(shape, || rng.random_range(-1.0_f32..1.0));
    let vectors = UnitRows::new(random((N_ROWS, DIM)))?;
    let quantities = [Quantity::Score, Quantity::OutputTokens];
    let targets = quantities.map(|quantity| Target {
        name: format!("{quantity:?}"),
        values: random((N_ROWS, N_MODELS)).mapv(f32::abs),
    });
    let folder = NewFolder::create(place)?;
    folder.write_knn(&KnnParts {
        embeddings: &vectors.into(),
        targets: &targets,
        format,
    })?;
    let models = (0..N_MODELS).map(|i| ModelInfo {
        name: format!("llm-{i}"),
        price: None,
        cost_rule: CostRule::InputAndOutputTokens,
    });
    let targets = quantities.into_iter().zip(KS);
    folder.commit(&Record {
        format_version: FORMAT_VERSION,
        router: "carrot-knn".to_owned(),
        dataset: "made-up".to_owned(),
        train_sha256: String::new(),
        models: models.collect(),
        cost_kind: CostKind::OutputTokens,
        pair: None,
        embedder: Some(Embedder {
            name: "made-up".to_owned(),
            model: None,
            sha256: None,
            server: None,
            dim: DIM,
            truncate: None,
            precision: Precision::F32,
            license: None,
        }),
        token_lines: None,
        base: None,
        contents: Contents::Knn {
            embeddings: format,
            backend: Backend::Gemm,
            targets: targets
                .map(|(quantity, n_neighbors)| KnnTarget {
                    quantity,
                    n_neighbors,
                    prior_values: None,
                })
                .collect(),
        },
        config: serde_json::Value::Null,
        results: serde_json::Value::Null,
        made_by: "a bench".to_owned(),
        files: Vec::new(),
    })?;
    Ok(())
}
