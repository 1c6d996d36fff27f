//! What an embedder takes for a list of prompts; `scripts/bench_embed.py` makes the list and compares with Python's libraries.
//!
//! ```text
//! cargo bench -p carrot-router --profile dev --bench embed -- MODEL FOLDER [f32|bf16]
//! ```
//!
//! MODEL is the folder of a static embedder or of a sentence-transformers model, and FOLDER holds `prompts.json`, a list of texts. Each line of
//! standard input asks for one run over all of them, which is answered by a line of JSON with its seconds; the first one has been preceded
//! by a run over a few prompts. bf16 needs `--features torch`. RAYON_NUM_THREADS sets the number of threads. The last run's vectors go to `FOLDER/ours.f32`, little-endian, prompt after prompt.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::{error::Error, fs, io, path::Path, time::Instant};

use dataset::Precision;
#[cfg(not(feature = "torch"))]
use encoder::load_embedder;
use encoder::{DeviceChoice, ModelFiles, PromptEmbedder, Runtime};
#[cfg(feature = "torch")]
use nets::load_embedder;
use static_embeddings::{StaticEmbedder, StaticFiles};

fn main() -> Result<(), Box<dyn Error>> {
    // cargo itself says `--bench`.
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let (model, folder, precision) = match &args[..] {
        [model, folder] => (model, folder, Precision::F32),
        [model, folder, name] => {
            let precision = Precision::named(name).ok_or("expected f32 or bf16")?;
            (model, folder, precision)
        }
        _ => return Err("expected MODEL FOLDER [f32|bf16]".into()),
    };
    let folder = Path::new(folder);
    let prompts: Vec<String> = serde_json::from_slice(&fs::read(folder.join("prompts.json"))?)?;
    let start = Instant::now();
    let embedder = open(Path::new(model), precision)?;
    let load = start.elapsed().as_secs_f64();
    embedder.embed(&prompts[..prompts.len().min(8)], &|_| ())?;
    println!("{}", serde_json::json!({ "load": load }));
    let mut vectors = None;
    for line in io::stdin().lines() {
        line?;
        let start = Instant::now();
        vectors = Some(embedder.embed(&prompts, &|_| ())?.values);
        let seconds = start.elapsed().as_secs_f64();
        println!("{}", serde_json::json!({ "seconds": seconds }));
    }
    let values = vectors.iter().flatten();
    let bytes: Vec<u8> = values.flat_map(|value| value.to_le_bytes()).collect();
    fs::write(folder.join("ours.f32"), bytes)?;
    Ok(())
}

fn open(folder: &Path, precision: Precision) -> Result<Box<dyn PromptEmbedder>, Box<dyn Error>> {
    Ok(match StaticFiles::find(folder)? {
        Some(files) => Box::new(StaticEmbedder::load(&files)?),
        None => {
            let runtime = Runtime {
                device: DeviceChoice::Cpu,
                precision,
            };
            load_embedder(&ModelFiles::in_folder(folder)?, None, runtime)?
        }
    })
}
