//! The LLM that should answer a prompt, in a program of one's own.
//!
//! ```text
//! cargo run -p carrot-router --example route -- models/sprout/carrot-knn 0.3 "Explain entropy in one sentence."
//! ```

use std::{env, path::Path};

use anyhow::{Context as _, bail};
use carrot_router::{CarrotRouter, DeviceChoice};
use cli_support::print_text;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [folder, mu, prompt] = &args[..] else {
        bail!("expected the folder of a router, the weight of cost and a prompt");
    };
    let mu = mu.parse().context("the weight of cost is not a number")?;
    print_text(&choose(Path::new(folder), prompt, mu)?)
}

/// Opens a router and asks it once. A service opens it once and asks it from every thread.
pub(crate) fn choose(folder: &Path, prompt: &str, mu: f64) -> carrot_router::Result<String> {
    let router = CarrotRouter::open(folder, DeviceChoice::Cpu)?;
    let decision = router.explain(prompt, mu)?;
    let chosen = &decision.models[decision.selected_idx];
    Ok(format!(
        "{}: score {:.2}, ${:.6}",
        chosen.name, chosen.score, chosen.cost_usd
    ))
}
