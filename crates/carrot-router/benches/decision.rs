//! A whole decision (split, embed, neighbors, choose) on a saved router:
//! `cargo bench -p carrot-router --profile dev --bench decision -- models/open-llm/carrot-knn`.
//!
//! Times depend on the router; without one named, it says so and ends.
#![expect(clippy::print_stdout, reason = "a bench's result")]

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use carrot_router::CarrotRouter;
use nets::DeviceChoice;

const N_RUNS: usize = 101;

fn main() -> Result<(), Box<carrot_router::Error>> {
    let folder = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let Some(folder) = folder else {
        println!("decision: name the folder of a saved router to time it");
        return Ok(());
    };
    // A bench starts in its crate's folder, where neither this path nor the embedder's means what it meant.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder: PathBuf = root.join(folder);
    let start = Instant::now();
    let router = CarrotRouter::open(&folder, DeviceChoice::Cpu)?;
    let opened = start.elapsed();
    println!(
        "open: {:.0} ms, {} LLMs, {}",
        ms(opened),
        router.models().len(),
        router.describe()
    );
    for n_words in [5, 62, 250] {
        // One token to a word, and words that differ.
        let words = ["the", "cat", "sat", "on", "a", "red", "mat", "and", "slept"];
        let prompt: Vec<&str> = words.iter().copied().cycle().take(n_words).collect();
        let prompt = prompt.join(" ");
        let mut seconds: Vec<Duration> = Vec::new();
        let mut n_tokens = 0;
        for _ in 0..N_RUNS {
            let start = Instant::now();
            let decision = router.explain(&prompt, 0.3)?;
            seconds.push(start.elapsed());
            n_tokens = decision.models[0].input_tokens;
        }
        seconds.sort_unstable();
        println!(
            "decide on {n_tokens:>3} tokens: median {:.1} ms, 9 in 10 under {:.1} ms",
            ms(seconds[N_RUNS / 2]),
            ms(seconds[N_RUNS * 9 / 10])
        );
    }
    Ok(())
}

fn ms(duration: Duration) -> f64 {
    1e3 * duration.as_secs_f64()
}
