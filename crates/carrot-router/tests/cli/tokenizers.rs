use std::{fs, path::Path};

use crate::{
    bench::{Tiny, assert_refused, number, stderr},
    networks::{PAIR, pair},
};

/// Puts a tokenizer of words and letters into an LLM's folder.
pub(crate) fn give(bench: &Tiny, llm: &str) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../encoder/tests/golden/tiny-bert/tokenizer.json");
    let folder = bench.path().join("tokenizers").join(llm);
    fs::create_dir_all(&folder).expect("made");
    fs::copy(from, folder.join("tokenizer.json")).expect("copied");
}

#[test]
fn an_llms_own_tokenizer_counts_where_it_is_available() {
    let bench = pair();
    give(&bench, "owner/dear");
    let args = ["so so", "--mu", "0", "--tokenizers", "tokenizers"];
    let args = [&args, &PAIR[..]].concat();
    let counts = || -> Vec<f64> {
        let decision = bench.decisions(&args, "").remove(0);
        let models = decision["models"].as_array().expect("a list");
        models
            .iter()
            .map(|model| number(model, "input_tokens"))
            .collect()
    };
    // Two words, or five bytes by the network's tokenizer.
    assert_eq!(counts(), [2.0, 5.0, 5.0]);
    let output = bench.route(&args, "");
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output);
    let part = "the tokenizers of `owner/dear` under `tokenizers`, and for each of the other 2 by the tokenizer of the network `perf`";
    assert_eq!(
        text.matches(part).count(),
        2,
        "in the log and below the table: {text}"
    );
    for llm in ["cheap", "free"] {
        give(&bench, llm);
    }
    assert_eq!(counts(), [2.0; 3]);
    let output = bench.route(&args, "");
    assert!(stderr(&output).contains("each LLM's own tokenizer under `tokenizers`"));

    fs::write(bench.path().join("tokenizers/cheap/tokenizer.json"), "{}").expect("written");
    assert_refused(
        &bench.route(&args, ""),
        1,
        "tokenizers/cheap/tokenizer.json",
    );
    fs::remove_dir_all(bench.path().join("tokenizers")).expect("removed");
    let part = "has no tokenizer for any of the 3 LLMs; for the first one, it would be `tokenizers/owner/dear/tokenizer.json`";
    assert_refused(&bench.route(&args, ""), 1, part);
}
