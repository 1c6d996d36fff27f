use std::{fs, path::Path};

/// Copies the static embedder of the tests of `static-embeddings`, token vectors of length 6, into a folder.
///
/// # Panics
/// When it cannot be copied.
pub fn copy_tiny_static(to: &Path) {
    let from =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../static-embeddings/tests/golden/plain");
    fs::create_dir_all(to).expect("made");
    for name in [
        "config.json",
        "model.safetensors",
        "modules.json",
        "tokenizer.json",
    ] {
        fs::copy(from.join(name), to.join(name)).expect(name);
    }
}
