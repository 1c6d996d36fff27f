//! A whole decision (split, embed, predict, choose) on saved routers, side by side:
//!
//! ```text
//! cargo bench -p carrot-router --profile dev --bench decision -- models/open-llm/carrot-knn models/open-llm/carrot-blend
//! cargo bench -p carrot-router --profile dev --bench decision -- models/static-all-MiniLM-L6-v2 models/all-MiniLM-L6-v2
//! ```
//!
//! A folder that holds an embedder stands for a made-up KNN router on its embeddings: 14,234 rows (open-llm's train part) of random vectors, 18 LLMs,
//! scores by 64 neighbors and output tokens by 256. Decisions of the routers take turns, so that what else the machine does slows all of them;
//! ratios are of medians to the first router's.
#![expect(clippy::print_stdout, reason = "a bench's result")]

use std::{
    error::Error,
    path::Path,
    time::{Duration, Instant},
};

use carrot_router::{CarrotRouter, EmbeddingSource, Setup};
use dataset::{CostKind, CostRule, ModelInfo, Precision, Price, Quantity};
use encoder::{DeviceChoice, ModelFiles, PromptEmbedder as _, SentenceEmbedder};
use ndarray::Array2;
use routers::{Backend, Target, UnitRows};
use saved_routers::{
    Contents, Embedder, EmbeddingFormat, FORMAT_VERSION, KnnParts, KnnTarget, NewFolder, Record,
};
use static_embeddings::{StaticEmbedder, StaticFiles};

const N_RUNS: usize = 101;
const N_ROWS: usize = 14_234;
const N_MODELS: usize = 18;
/// Neighbors for the score and for output tokens.
const KS: [usize; 2] = [64, 256];

fn main() -> Result<(), Box<dyn Error>> {
    let folders: Vec<String> = (std::env::args().skip(1))
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    if folders.is_empty() {
        println!("decision: name the folders of saved routers to time them");
        return Ok(());
    }
    // A bench starts in its crate's folder, where neither these paths nor the embedder's mean what they meant.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut routers = Vec::new();
    let made_up = tempfile::tempdir()?;
    for (folder_idx, folder) in folders.iter().enumerate() {
        let path = root.join(folder);
        let place = match path.join("router.json").is_file() {
            true => path.clone(),
            false => {
                let place = made_up.path().join(folder_idx.to_string());
                make_up(&path, &place)?;
                place
            }
        };
        let source = match place == path {
            true => EmbeddingSource::Recorded,
            false => EmbeddingSource::Folder(&path),
        };
        let start = Instant::now();
        let router = CarrotRouter::open_saved(&place, source, &Setup::on(DeviceChoice::Cpu))?;
        println!(
            "{folder}: open {:.0} ms, {} LLMs, {}",
            ms(start.elapsed()),
            router.models().len(),
            router.describe()
        );
        routers.push(router);
    }
    for n_words in [5, 62, 250] {
        // One token to a word, and words that differ.
        let words = ["the", "cat", "sat", "on", "a", "red", "mat", "and", "slept"];
        let prompt: Vec<&str> = words.iter().copied().cycle().take(n_words).collect();
        let prompt = prompt.join(" ");
        let mut seconds: Vec<Vec<Duration>> = vec![Vec::new(); routers.len()];
        let mut n_tokens = 0;
        for _ in 0..N_RUNS {
            for (router, seconds) in routers.iter().zip(&mut seconds) {
                let start = Instant::now();
                let decision = router.explain(&prompt, 0.3)?;
                seconds.push(start.elapsed());
                n_tokens = decision.models[0].input_tokens;
            }
        }
        println!("decide on {n_tokens} tokens:");
        let mut first = None;
        for (folder, mut seconds) in folders.iter().zip(seconds) {
            seconds.sort_unstable();
            let median = ms(seconds[N_RUNS / 2]);
            let first = *first.get_or_insert(median);
            println!(
                "  {folder}: median {median:.2} ms, {:.2} times the first; 9 in 10 under {:.2} ms",
                median / first,
                ms(seconds[N_RUNS * 9 / 10])
            );
        }
    }
    Ok(())
}

/// Writes a KNN router on random vectors for the embedder in a folder.
fn make_up(embedder: &Path, place: &Path) -> Result<(), Box<dyn Error>> {
    let (sha256, dim) = match StaticFiles::find(embedder)? {
        Some(files) => (files.sha256()?, StaticEmbedder::load(&files)?.dim()),
        None => {
            let files = ModelFiles::in_folder(embedder)?;
            (files.sha256()?, SentenceEmbedder::load(&files)?.dim())
        }
    };
    // Digits of a sine: as good as random here, and the same each time.
    let mut n_drawn = 0_u32;
    let mut random = |shape| {
        Array2::from_shape_simple_fn(shape, || {
            n_drawn += 1;
            (f64::from(n_drawn).sin() * 43_758.545_3).fract() as f32
        })
    };
    let rows = UnitRows::new(random((N_ROWS, dim)))?;
    let quantities = [Quantity::Score, Quantity::OutputTokens];
    let targets = quantities.map(|quantity| Target {
        name: format!("{quantity:?}"),
        values: random((N_ROWS, N_MODELS)).mapv(f32::abs),
    });
    let folder = NewFolder::create(place)?;
    folder.write_knn(&KnnParts {
        embeddings: &rows.into(),
        targets: &targets,
        format: EmbeddingFormat::F32,
    })?;
    let models = (0..N_MODELS).map(|i| ModelInfo {
        name: format!("llm-{i}"),
        price: Some(Price {
            input_usd_per_mtok: 1.,
            output_usd_per_mtok: 3.,
            source: None,
        }),
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
            sha256: Some(sha256),
            server: None,
            dim,
            truncate: None,
            precision: Precision::F32,
            license: None,
        }),
        token_lines: None,
        base: None,
        contents: Contents::Knn {
            embeddings: EmbeddingFormat::F32,
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

fn ms(duration: Duration) -> f64 {
    1e3 * duration.as_secs_f64()
}
