use crate::{Bench, Hub, expect_success};

/// Checks a program on a gated data set of the hub, `owner/name`: without a token it says where to accept the license and which
/// variable to set, and writes nothing; with the token it succeeds.
///
/// # Panics
/// If the program does otherwise.
pub fn check_gated(bench: Bench, hub: Hub, repo: &str, args: &[&str]) {
    const TOKEN: &str = "hf_good";
    let hub = hub.gate(&format!("datasets/{repo}"), TOKEN);
    let bench = bench.hub(&hub.url());
    let page = format!("{}/datasets/{repo}", hub.url());
    let message = bench.refuse(args, 1, &page);
    assert!(message.contains("HF_TOKEN"), "{message}");
    expect_success(&bench.var("HF_TOKEN", TOKEN).run(args));
}
