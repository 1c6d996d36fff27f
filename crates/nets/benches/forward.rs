//! A sentence embedder by the crate `encoder` beside the same by libtorch, both on this CPU:
//!
//! ```text
//! cargo bench -p nets --profile dev --bench forward -- MODEL [PROMPTS.json]
//! ```
//!
//! MODEL is a sentence-transformers folder. Single prompts of several lengths take turns, each on one core and on all, so that what else the machine
//! does slows both. With PROMPTS.json, a list of texts, those are embedded together too, on all cores.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::{error::Error, fs, path::Path, time::Instant};

use encoder::{DeviceChoice, ModelFiles, PromptEmbedder, Runtime};
use rayon::{ThreadPool, ThreadPoolBuilder};

const N_RUNS: usize = 51;
const N_WORDS: [usize; 4] = [6, 60, 149, 254];

fn main() -> Result<(), Box<dyn Error>> {
    // cargo itself says `--bench`.
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let Some(model) = args.first() else {
        println!("forward: name the folder of a sentence-transformers model");
        return Ok(());
    };
    // A bench starts in its crate's folder.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let files = ModelFiles::in_folder(&root.join(model))?;
    let start = Instant::now();
    let ours = encoder::SentenceEmbedder::load(&files)?;
    println!("ours loads in {:.0} ms", ms(start));
    let start = Instant::now();
    let libtorch = nets::SentenceEmbedder::load(&files, Runtime::f32_on(DeviceChoice::Cpu))?;
    println!("libtorch's loads in {:.0} ms", ms(start));

    let n_cores = std::thread::available_parallelism()?.get();
    for n_threads in [1, n_cores] {
        let pool = ThreadPoolBuilder::new().num_threads(n_threads).build()?;
        let embed = |embedder: &dyn PromptEmbedder, prompts: &[String]| {
            tch::set_num_threads(n_threads as i32);
            timed(&pool, embedder, prompts)
        };
        println!("{n_threads} threads:");
        for n_words in N_WORDS {
            // One token to a word.
            let words = ["the", "cat", "sat", "on", "a", "red", "mat", "and", "slept"];
            let words = words.iter().copied().cycle().take(n_words);
            let prompt = [words.collect::<Vec<&str>>().join(" ")];
            let mut all = [Vec::new(), Vec::new()];
            let mut difference = 0_f32;
            for _ in 0..N_RUNS {
                let (vector, of_ours) = embed(&ours, &prompt)?;
                let (other, of_libtorch) = embed(&libtorch, &prompt)?;
                let differences = vector.iter().zip(&other).map(|(a, b)| (a - b).abs());
                difference = differences.fold(difference, f32::max);
                all[0].push(of_ours);
                all[1].push(of_libtorch);
            }
            let [ours, libtorch] = all.map(median);
            println!(
                "  {:>3} tokens: ours {ours:.2} ms, libtorch {libtorch:.2} ms, {:.2} times; largest difference {difference:.1e}",
                n_words + 2,
                ours / libtorch
            );
        }
    }
    if let Some(path) = args.get(1) {
        let prompts: Vec<String> = serde_json::from_slice(&fs::read(root.join(path))?)?;
        let pool = ThreadPoolBuilder::new().num_threads(n_cores).build()?;
        tch::set_num_threads(n_cores as i32);
        for (name, embedder) in [
            ("ours", &ours as &dyn PromptEmbedder),
            ("libtorch", &libtorch),
        ] {
            let (_, ms) = timed(&pool, embedder, &prompts)?;
            let n = prompts.len();
            println!(
                "{name}: {n} prompts in {:.1} s, {:.1} a second",
                ms / 1e3,
                1e3 * n as f64 / ms
            );
        }
    }
    Ok(())
}

/// The first prompt's vector, and the milliseconds that all take.
fn timed(
    pool: &ThreadPool,
    embedder: &dyn PromptEmbedder,
    prompts: &[String],
) -> encoder::Result<(Vec<f32>, f64)> {
    let start = Instant::now();
    let embedded = pool.install(|| embedder.embed(prompts, &|_| ()))?;
    Ok((embedded.values.row(0).to_vec(), ms(start)))
}

fn ms(start: Instant) -> f64 {
    1e3 * start.elapsed().as_secs_f64()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}
