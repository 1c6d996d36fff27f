//! Which of two orders the outputs of a released pair of networks have, decided by prompts whose scores are known; for maintainers.
//!
//! ```text
//! cargo run -p gen-sprout                                    # data/sprout/test.parquet
//! hf download CARROT-LLM-Routing/Performance --local-dir models/Performance
//! cargo run -p carrot-router --example label_order -- models/Performance data/sprout/test.parquet 200
//! ```
//!
//! The result belongs into `label-order` and `label-order-evidence` of configs/carrot-router.toml.

use std::{env, path::Path};

use anyhow::{Context as _, bail};
use carrot_router::compare_label_orders;
use cli_support::print_text;
use dataset::PartTable;
use encoder::DeviceChoice;

/// Prompts that are scored where no number is given.
const N_PROMPTS: usize = 200;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let (network, part, n_prompts) = match &args[..] {
        [network, part] => (network, part, N_PROMPTS),
        [network, part, n] => (
            network,
            part,
            n.parse().context("the third argument is not a number")?,
        ),
        _ => bail!(
            "expected the folder of the network for scores, the test part of SPROUT, and perhaps a number of prompts"
        ),
    };
    let orders = orders()?;
    let [first, second] = [&orders[0], &orders[1]].map(Vec::as_slice);
    let part = PartTable::read(Path::new(part))?;
    let evidence = compare_label_orders(
        Path::new(network),
        [first, second],
        &part,
        n_prompts,
        DeviceChoice::Auto,
    )?;
    let verdict = match evidence.decided() {
        Some(0) => "`label-order` is right",
        Some(_) => "`other-label-order` is right",
        None => "undecided: score more prompts",
    };
    print_text(&format!(
        "{} prompts: the log-likelihood of their scores differs by {:.4} on average, standard error {:.4}, z {:.1}\n{verdict}\n",
        evidence.n_prompts,
        evidence.mean,
        evidence.standard_error,
        evidence.z()
    ))?;
    Ok(())
}

/// The two orders in question.
fn orders() -> anyhow::Result<[Vec<String>; 2]> {
    let config: toml::Table = include_str!("../../../configs/carrot-router.toml").parse()?;
    let list = |key: &str| {
        let names = config["pair"][0][key].as_array();
        let names = names.with_context(|| format!("no `{key}` in configs/carrot-router.toml"))?;
        let name = |name: &toml::Value| name.as_str().map(str::to_owned);
        let names: Option<Vec<String>> = names.iter().map(name).collect();
        names.with_context(|| format!("`{key}` is no list of names"))
    };
    Ok([list("label-order")?, list("other-label-order")?])
}
