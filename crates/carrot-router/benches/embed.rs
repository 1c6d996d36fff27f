//! What an embedder takes for a list of prompts; `scripts/bench_embed.py` makes the list and compares with Python's libraries.
//!
//! ```text
//! cargo bench -p carrot-router --profile dev --bench embed -- MODEL FOLDER
//! ```
//!
//! MODEL is the folder of a static embedder or of a sentence-transformers model, and FOLDER holds `prompts.json`, a list of texts. Each line of
//! standard input asks for one run over all of them, which is answered by a line of JSON with its seconds; the first one has been preceded
//! by a run over a few prompts. RAYON_NUM_THREADS sets the number of threads. The last run's vectors go to `FOLDER/ours.f32`, little-endian, prompt after prompt.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::{error::Error, fs, io, path::Path, time::Instant};

use encoder::{ModelFiles, PromptEmbedder, SentenceEmbedder};
use static_embeddings::{StaticEmbedder, StaticFiles};

fn main() -> Result<(), Box<dyn Error>> {
    // cargo itself says `--bench`.
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let [model, folder] = &args[..] else {
        return Err("expected MODEL FOLDER".into());
    };
    let folder = Path::new(folder);
    let prompts: Vec<String> = serde_json::from_slice(&fs::read(folder.join("prompts.json"))?)?;
    let start = Instant::now();
    let embedder = open(Path::new(model))?;
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

fn open(folder: &Path) -> Result<Box<dyn PromptEmbedder>, Box<dyn Error>> {
    Ok(match StaticFiles::find(folder)? {
        Some(files) => Box::new(StaticEmbedder::load(&files)?),
        None => Box::new(SentenceEmbedder::load(&ModelFiles::in_folder(folder)?)?),
    })
}
