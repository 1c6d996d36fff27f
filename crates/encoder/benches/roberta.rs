//! What a RoBERTa classifier takes to predict on the CPU; `scripts/bench_routers.py roberta` makes its folder and compares with transformers.
//!
//! ```text
//! cargo bench -p encoder --profile dev --bench roberta -- FOLDER THREADS RUNS
//! ```
//!
//! FOLDER holds a classifier in Hugging Face layout and `prompts.json`, a list of texts. They are predicted for together, as often as RUNS says.
//! A line of JSON goes to stdout, and the outputs to `FOLDER/ours.f32`, little-endian, prompt after prompt.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::{error::Error, fs, path::Path, time::Instant};

use encoder::{Classifier, Padding, PredictParams, RobertaClassifier};

fn main() -> Result<(), Box<dyn Error>> {
    // cargo itself says `--bench`.
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let [folder, n_threads, n_runs] = &args[..] else {
        return Err("expected FOLDER THREADS RUNS".into());
    };
    let folder = Path::new(folder);
    rayon::ThreadPoolBuilder::new()
        .num_threads(n_threads.parse()?)
        .build_global()?;
    let prompts: Vec<String> = serde_json::from_slice(&fs::read(folder.join("prompts.json"))?)?;
    let start = Instant::now();
    let model = RobertaClassifier::from_folder(folder)?;
    let load = start.elapsed().as_secs_f64();
    let params = PredictParams {
        max_tokens: model.max_tokens(),
        padding: Padding::Masked,
    };
    let mut seconds = Vec::new();
    for _ in 0..n_runs.parse()? {
        let start = Instant::now();
        let predicted = model.predict(&prompts, &params, &|_| ())?;
        seconds.push(start.elapsed().as_secs_f64());
        let values = predicted.values.iter();
        let bytes: Vec<u8> = values.flat_map(|value| value.to_le_bytes()).collect();
        fs::write(folder.join("ours.f32"), bytes)?;
    }
    println!(
        "{}",
        serde_json::json!({ "load": load, "seconds": seconds })
    );
    Ok(())
}
