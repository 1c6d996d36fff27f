//! Broken files: any answer will do but a panic.

use encoder::PromptEmbedder;
use serde_json::json;
use test_support::try_mutations;

use crate::tiny::Folder;

/// Loads a model and embeds with it after each change to one of its files.
fn check(file: &str, prepare: impl Fn(&Folder)) {
    let folder = Folder::new();
    prepare(&folder);
    folder.load().unwrap();
    let prompts = [
        "",
        "so long. Zwölf 你",
        "a b c d e f g h i j k l m n o p q r s",
    ];
    try_mutations(&[folder.read(file)], |bytes| {
        folder.write(file, &bytes);
        if let Ok(embedder) = folder.load() {
            _ = embedder.embed(&prompts.map(str::to_owned), &|_| ());
        }
    });
}

#[test]
fn mutations_of_weights() {
    check("model.safetensors", |_| ());
}

#[test]
fn mutations_of_tokenizer_json() {
    check("tokenizer.json", |_| ());
}

#[test]
fn mutations_of_config_json() {
    check("config.json", |_| ());
}

#[test]
fn mutations_of_modules_json() {
    check("modules.json", |_| ());
}

#[test]
fn mutations_of_pooling() {
    check("1_Pooling/config.json", |folder| {
        folder.write_json(
            "1_Pooling/config.json",
            &json!({"embedding_dimension": 16, "pooling_mode": ["mean", "lasttoken"], "include_prompt": true}),
        );
    });
}

#[test]
fn mutations_of_sentence_bert_config() {
    check("sentence_bert_config.json", |folder| {
        folder.set("sentence_bert_config.json", "do_lower_case", json!(true));
    });
}

#[test]
fn mutations_of_config_sentence_transformers() {
    check("config_sentence_transformers.json", |folder| {
        folder.write_json(
            "config_sentence_transformers.json",
            &json!({"prompts": {"query": "so: "}, "default_prompt_name": "query", "truncate_dim": 9}),
        );
    });
}

#[test]
fn mutations_of_tokenizer_config() {
    check("tokenizer_config.json", |folder| {
        folder.write_json(
            "tokenizer_config.json",
            &json!({"model_max_length": 12, "do_lower_case": false, "truncation_side": "left", "unk_token": {"content": "[UNK]"}}),
        );
    });
}

#[test]
fn mutations_of_a_vocabulary() {
    check("vocab.txt", |folder| {
        let tokenizer: serde_json::Value =
            serde_json::from_slice(&folder.read("tokenizer.json")).unwrap();
        let vocabulary = tokenizer["model"]["vocab"].as_object().unwrap();
        let mut tokens: Vec<_> = vocabulary.iter().collect();
        tokens.sort_by_key(|(_, id)| id.as_u64());
        let lines: String = tokens
            .iter()
            .map(|(token, _)| format!("{token}\n"))
            .collect();
        folder.write("vocab.txt", lines.as_bytes());
        folder.remove("tokenizer.json");
    });
}

#[test]
fn mutations_of_an_index_of_weights() {
    check("model.safetensors.index.json", |folder| {
        let bytes = folder.read("model.safetensors");
        folder.remove("model.safetensors");
        folder.write("model-1.safetensors", &bytes);
        folder.write_json(
            "model.safetensors.index.json",
            &json!({"metadata": {"total_size": 3}, "weight_map": {"a": "model-1.safetensors"}}),
        );
    });
}
