//! The figure of embeddings.

use super::*;

/// Writes embeddings of both parts.
pub(crate) fn write_embeddings(
    dir: &DatasetDir,
    embedder: &str,
    value: impl Fn(usize, usize) -> f32,
) {
    for (part, offset) in [(Part::Train, 0), (Part::Test, N_PROMPTS)] {
        let split = PartTable::read(&dir.split(part)).expect("read");
        let embeddings = Embeddings {
            values: Array2::from_shape_fn((N_PROMPTS, 8), |(i, axis)| value(offset + i, axis)),
            ids: split.ids,
            meta: EmbeddingsMeta {
                embedder: embedder.to_owned(),
                embedder_sha256: None,
                server: None,
                split_sha256: None,
                truncate: None,
                precision: Precision::F32,
                n_truncated: None,
            },
        };
        embeddings
            .write(&dir.embeddings(embedder, part))
            .expect("embeddings are written");
    }
}

#[test]
fn the_dimensions_of_embeddings_are_drawn_when_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    // No predictions are needed.
    let dir = write(&data, "made-up", &MODELS[..2], &[]);
    // Three directions of the eight have variance, a third each.
    write_embeddings(&dir, "flat", |i, axis| match axis {
        0..3 if i % 3 == axis => 1.0 - 2.0 * (i / 3 % 2) as f32,
        _ => 0.0,
    });
    write_embeddings(&dir, "constant", |_, axis| axis as f32);
    let output = plots(folder.path(), &["--figure", "embedding_dim"]);
    let stdout = check_ok(&output);
    let expected = files_of("embedding_dim-flat");
    assert_eq!(stdout.lines().collect::<Vec<_>>(), expected);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("skipping `made-up/embedding_dim-constant`"),
        "{stderr}"
    );

    let rows = cells(&folder.path().join(&expected[3]));
    let values = |quantity: &str| -> Vec<(usize, f64)> {
        rows.iter()
            .filter(|row| row[0] == quantity)
            .map(|row| {
                (
                    row[1].parse().expect("a count"),
                    row[2].parse().expect("a number"),
                )
            })
            .collect()
    };
    let shares = values("pca_cumulative_share");
    assert_eq!(shares.len(), 8);
    for (n, share) in &shares[..3] {
        assert!((share - *n as f64 / 3.0).abs() < 0.01, "{n}: {share}");
    }
    assert_eq!(values("pca_dimensions"), [(3, 0.9), (3, 0.95), (3, 0.99)]);
    let errors: Vec<usize> = values("isomap_error").iter().map(|row| row.0).collect();
    assert_eq!(errors, [0, 2, 5, 10, 20, 50]);
    let svg = fs::read_to_string(folder.path().join(&expected[0])).expect("written");
    for text in [
        "made-up, flat: 400 prompts, 8 dimensions",
        "PCA, cumulative",
        "99% in 3",
        "Isomap, 400 prompts",
    ] {
        assert!(svg.contains(text), "the figure lacks `{text}`");
    }
    assert!(!svg.contains("NaN") && !svg.contains("inf"));

    for (args, message) in [
        (
            &["--figure", "embedding_dim", "--embedding", "nowhere"][..],
            "the data set has no embeddings of that name; it has constant, flat",
        ),
        (
            &["--figure", "embedding_dim", "--embedding", "constant"],
            "none of the requested figures and tables could be made",
        ),
        (
            &["--figure", "embedding_dim", "--dataset", "elsewhere"],
            "data set `elsewhere`",
        ),
    ] {
        let output = plots(folder.path(), args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains(message), "{stderr}");
    }
}
