use dataset::{CostKind, Precision};

use crate::bench::{Tiny, assert_refused};

/// A router that was fitted on embeddings in bfloat16.
fn bench() -> Tiny {
    Tiny::with(CostKind::OutputTokens, |record| {
        let embedder = record.embedder.as_mut().expect("there is one");
        embedder.precision = Precision::Bf16;
    })
}

/// As it was fitted, whatever the others do.
#[test]
fn a_router_in_bfloat16_embeds_in_bfloat16() {
    let [bf16, f32] = [bench(), Tiny::new(CostKind::OutputTokens)]
        .map(|bench| bench.decisions(&["--mu", "0", "very long"], ""));
    assert_eq!(bf16[0]["selected"], f32[0]["selected"]);
    // Each embedding leaves a fingerprint.
    let router = |bench: &Tiny| {
        let device = encoder::DeviceChoice::Cpu;
        carrot_router::CarrotRouter::open(&bench.router(), device).expect("opened")
    };
    let sketch = |bench: &Tiny| {
        router(bench)
            .explain("ab 1 ab 1 c", 0.)
            .expect("routed")
            .sketch
    };
    let f32 = Tiny::new(CostKind::OutputTokens);
    assert_ne!(sketch(&bench()), sketch(&f32));
}

#[test]
fn a_saved_router_knows_its_precision() {
    let bench = Tiny::new(CostKind::OutputTokens);
    let output = bench.route(&["--mu", "0", "--precision", "f32", "very long"], "");
    assert_refused(&output, 2, "--precision");
}
