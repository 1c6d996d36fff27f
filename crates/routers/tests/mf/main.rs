//! The router MF: parity with PyTorch, what it keeps of its training, what it refuses, and its settings.
#![expect(clippy::unwrap_used, reason = "tests")]

mod intercept;
mod pytorch;
mod refusals;
mod training;

use ndarray::{Array2, ArrayView2};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use routers::{Error, Mf, MfParams, MfReport};

/// As in configs/routers.toml, but for a smaller model on few rows.
pub(crate) fn params() -> MfParams {
    toml::from_str(
        r"
        dim = 8
        noise-std = 0.05
        n-epochs = 20
        batch-size = 16
        learning-rate = 3e-3
        weight-decay = 1e-5
        betas = [0.9, 0.999]
        epsilon = 1e-8
        validation-share = 0.1
        validate-every-steps = 10
        seed = 42
        ",
    )
    .unwrap()
}

pub(crate) fn fit(
    params: &MfParams,
    embeddings: ArrayView2<'_, f32>,
    labels: &[f32],
) -> Result<(Mf, MfReport), Error> {
    params.clone().check()?.fit(embeddings, labels, &|_| ())
}

/// Rows of 20 components; the label is what the first two say, but for every fifth row.
pub(crate) fn rows(n_rows: usize) -> (Array2<f32>, Vec<f32>) {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let embeddings = Array2::from_shape_simple_fn((n_rows, 20), || rng.random_range(-1_f32..1.));
    let labels = embeddings.rows().into_iter().enumerate().map(|(row, x)| {
        let is_small = x[0] + x[1] > 0.;
        f32::from(u8::from(is_small != (row % 5 == 0)))
    });
    let labels = labels.collect();
    (embeddings, labels)
}

#[test]
fn settings_are_read_as_they_are_written() {
    let text = toml::to_string(&params()).unwrap();
    assert_eq!(toml::from_str::<MfParams>(&text).unwrap(), params());
    assert!(toml::from_str::<MfParams>(&format!("{text}alpha = 0.1\n")).is_err());
    assert!(toml::from_str::<MfParams>(&text.replace("dim = 8\n", "")).is_err());
    assert!(!text.contains("intercept"), "{text}");
    let with = toml::from_str::<MfParams>(&format!("{text}intercept = true\n")).unwrap();
    assert!(with.intercept && !params().intercept);
}
