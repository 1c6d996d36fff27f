//! A whole decision (split, embed, predict, choose) on saved routers, side by side:
//! `cargo bench -p carrot-router --profile dev --bench decision -- models/open-llm/carrot-knn models/open-llm/carrot-blend`.
//!
//! Decisions of the routers take turns, so that what else the machine does slows all of them; ratios are of medians to the first router's. Times
//! depend on the routers; without one named, it says so and ends.
#![expect(clippy::print_stdout, reason = "a bench's result")]

use std::{
    path::Path,
    time::{Duration, Instant},
};

use carrot_router::CarrotRouter;
use encoder::DeviceChoice;

const N_RUNS: usize = 101;

fn main() -> Result<(), Box<dyn std::error::Error>> {
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
    for folder in &folders {
        let start = Instant::now();
        let router = CarrotRouter::open(&root.join(folder), DeviceChoice::Cpu)?;
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

fn ms(duration: Duration) -> f64 {
    1e3 * duration.as_secs_f64()
}
