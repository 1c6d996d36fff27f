use dataset::{
    PartHashes, PromptsNeeded, TaskGain, WORTH_FORMAT_VERSION, WorthCounts, WorthEstimate,
    WorthFit, WorthPoint, WorthRecord, WorthSettings, WorthTrade, WorthVerdict,
};

/// A made-up record of a data set on which routing is worth it: two points of accuracy, on seven worths and two tasks.
///
/// A test that needs more states only that, as with [`crate::dataset_info`].
pub fn worth_record(dataset: &str, parts: PartHashes) -> WorthRecord {
    let estimate = |estimate: f64| WorthEstimate {
        estimate,
        standard_error: 0.005,
        low: estimate - 0.01,
        high: estimate + 0.01,
    };
    let names = [(1, "low"), (3, "middle"), (5, "high")];
    let point = |i: usize| {
        let worth_usd = 0.002 * 200_f64.powf(i as f64 / 6.0);
        let gain = estimate(0.02 + 0.001 * (i as f64 - 3.0));
        WorthPoint {
            worth_usd,
            name: names
                .iter()
                .find(|(at, _)| *at == i)
                .map(|(_, name)| (*name).to_owned()),
            best_single: if i < 2 { "cheap" } else { "owner/dear" }.to_owned(),
            moved_share: 0.25,
            band_low: gain.estimate - 0.015,
            band_high: gain.estimate + 0.015,
            usd_per_1k: gain.scaled(1000.0 * worth_usd),
            gain,
        }
    };
    let task = |task: &str, n_prompts, gain| TaskGain {
        task: task.to_owned(),
        n_prompts,
        gain: estimate(gain),
    };
    let trade = |saving: f64, score_gain: f64| WorthTrade {
        reference: Some("owner/dear".to_owned()),
        saving: estimate(saving),
        score_gain: estimate(score_gain),
        usd_per_1k: 2.0 * (1.0 - saving),
        reference_usd_per_1k: 2.0,
        score: 0.7 + score_gain,
        reference_score: 0.7,
    };
    WorthRecord {
        format_version: WORTH_FORMAT_VERSION,
        dataset: dataset.to_owned(),
        router: "carrot-blend".to_owned(),
        embedder: Some("minilm".to_owned()),
        made_by: "a test".to_owned(),
        parts,
        verdict: WorthVerdict::WorthIt,
        sentence: "Route: this is a made-up record.".to_owned(),
        best_single: "owner/dear".to_owned(),
        gain: estimate(0.02),
        p_gain: 0.0001,
        p_loss: 0.9999,
        curve: (0..7).map(point).collect(),
        tasks: vec![task("mathematics", 600, 0.03), task("writing", 400, 0.005)],
        equal_quality: Some(trade(0.31, 0.001)),
        equal_cost: Some(trade(0.02, 0.015)),
        null: None,
        prompts_needed: Some(PromptsNeeded {
            at_least: 0.01,
            n_prompts: Some(2_400),
            power: 0.8,
        }),
        evidence: None,
        fits: (0..5)
            .map(|fold| WorthFit {
                repeat: 0,
                fold,
                g: if fold == 2 { 0.0 } else { 0.75 },
                judged: true,
            })
            .collect(),
        counts: WorthCounts {
            n_prompts: 1_000,
            n_judged: 1_000,
            n_models: 2,
            known_scores: 1.0,
            n_equal_prompts: 4,
        },
        settings: WorthSettings {
            n_folds: 5,
            n_repeats: 1,
            seed: 42,
            level: 0.95,
            n_resamples: 10_000,
            group: None,
            time: None,
            embed_usd_per_1k: 0.0,
        },
        notes: vec!["Every prompt is judged by a router that was not fitted on it.".to_owned()],
    }
}
