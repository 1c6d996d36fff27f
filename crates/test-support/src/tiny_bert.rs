use std::{fs, path::Path};

/// Copies the sentence model of the tests of `encoder`, a BERT with a window of 16 tokens, into a folder.
///
/// # Panics
/// When it cannot be copied.
pub fn copy_tiny_bert(to: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../encoder/tests/golden/tiny-bert");
    fs::create_dir_all(to.join("1_Pooling")).expect("made");
    for name in [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "modules.json",
        "sentence_bert_config.json",
        "1_Pooling/config.json",
    ] {
        fs::copy(from.join(name), to.join(name)).expect(name);
    }
}
