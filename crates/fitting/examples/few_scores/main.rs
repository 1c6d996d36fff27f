//! How routing fares when one LLM has few scores, and on logs of one answer per prompt; JSON on stdout, for scripts/long/few_scores.py.
//!
//!     cargo run -p fitting --example few_scores -- DATA_DIR DATASET EMBEDDER ROUTER few SHARE N_LLMS N_DRAWS
//!     cargo run -p fitting --example few_scores -- DATA_DIR DATASET EMBEDDER ROUTER log N_DRAWS
//!
//! The data set is one of a gen-* program, with embeddings.
#![expect(clippy::print_stdout, reason = "an example prints its figures")]

mod measure;

use std::{error::Error, path::Path};

use dataset::{DatasetDir, DatasetInfo, Embeddings, EqualPrompts, Part, PartTable};
use fitting::Learner;

use self::measure::{Few, Tables, few_scores, one_per_prompt};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let [data_dir, dataset, embedder, router, task @ ..] = &args[..] else {
        return Err("expected DATA_DIR DATASET EMBEDDER ROUTER, and few or log".into());
    };
    let learner = Learner::of_router(router).ok_or("no router of that name is fitted here")?;
    let tables = read(Path::new(data_dir), dataset, embedder)?;
    let found = match task {
        ["few", share, n_llms, n_draws] => {
            let few = Few {
                share: share.parse()?,
                n_llms: n_llms.parse()?,
                n_draws: n_draws.parse()?,
            };
            few_scores(&tables, learner, &few)?
        }
        ["log", n_draws] => one_per_prompt(&tables, learner, n_draws.parse()?)?,
        _ => return Err("expected few SHARE N_LLMS N_DRAWS, or log N_DRAWS".into()),
    };
    println!("{found:#}");
    Ok(())
}

fn read(data_dir: &Path, dataset: &str, embedder: &str) -> Result<Tables, Box<dyn Error>> {
    let dir = DatasetDir::existing(data_dir, dataset)?;
    let info = DatasetInfo::read(&dir.info())?;
    let table = |part| PartTable::read_part(&dir, &info, part);
    let embeddings = |part| Embeddings::read(&dir.embeddings(embedder, part));
    let train = table(Part::Train)?;
    Ok(Tables {
        groups: EqualPrompts::groups(&train.prompts),
        train,
        test: table(Part::Test)?,
        train_embeddings: embeddings(Part::Train)?.values,
        test_embeddings: embeddings(Part::Test)?.values,
        info,
    })
}
