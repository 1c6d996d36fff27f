//! Folders that are refused, each by the name of what is wrong.

use std::fs;

use encoder::ModelFiles;
use serde_json::{Value, json};
use test_support::{Weight, read_weights, write_weights};

use crate::tiny::{Folder, modules};

fn check(folder: &Folder, part: &str) {
    let error = folder.error();
    assert!(error.contains(part), "{error}, expected {part}");
}

#[test]
fn keys_that_would_make_other_vectors_are_named() {
    let transformer = "sentence_bert_config.json";
    let settings = "config_sentence_transformers.json";
    let pooling = "1_Pooling/config.json";
    for (file, key, value, part) in [
        (
            "config.json",
            "model_type",
            json!("mpnet"),
            "`model_type` in",
        ),
        (
            "config.json",
            "model_type",
            json!("modernbert"),
            "is `modernbert`, supported: `bert`, `roberta`",
        ),
        ("config.json", "model_type", Value::Null, "is `missing`"),
        ("config.json", "is_decoder", json!(true), "`is_decoder` in"),
        (
            "config.json",
            "layer_norm_eps",
            json!(-1e-5),
            "`layer_norm_eps` in",
        ),
        (
            transformer,
            "transformer_task",
            json!("fill-mask"),
            "`transformer_task` in",
        ),
        (
            transformer,
            "module_output_name",
            json!("sentence_embedding"),
            "`module_output_name` in",
        ),
        (
            transformer,
            "modality_config",
            json!({"message": {"method": "forward"}}),
            "`modality_config` in",
        ),
        (
            transformer,
            "processing_kwargs",
            json!({"text": {"max_length": 3}}),
            "`processing_kwargs` in",
        ),
        (
            transformer,
            "tokenizer_args",
            json!({"add_special_tokens": false}),
            "`add_special_tokens: false`",
        ),
        (
            transformer,
            "config_kwargs",
            json!({"num_hidden_layers": 1}),
            "`num_hidden_layers: 1`",
        ),
        (
            settings,
            "model_type",
            json!("SparseEncoder"),
            "is `SparseEncoder`",
        ),
        (
            settings,
            "default_prompt_name",
            json!("s2s"),
            "`default_prompt_name` in",
        ),
        (settings, "truncate_dim", json!(0), "`truncate_dim` in"),
        (
            pooling,
            "pooling_mode",
            json!("median"),
            "`pooling_mode` in",
        ),
        (
            pooling,
            "pooling_mode_median",
            json!(true),
            "`pooling_mode_median`",
        ),
    ] {
        let folder = Folder::new();
        folder.set(file, key, value);
        check(&folder, part);
    }
}

#[test]
fn lengths_without_room_for_a_text_are_refused() {
    for length in [json!(0), json!(1), json!(2), json!(-3)] {
        let folder = Folder::new();
        folder.set("sentence_bert_config.json", "max_seq_length", length);
        check(&folder, "`max_seq_length` in");
        check(&folder, "leaves no room for a text beside 2 special tokens");
    }
    let folder = Folder::new();
    folder.set("sentence_bert_config.json", "max_seq_length", Value::Null);
    folder.set("tokenizer_config.json", "model_max_length", json!(1));
    check(&folder, "`model_max_length` in");
}

#[test]
fn steps_that_are_not_known_are_named() {
    for class in [
        "CNN",
        "LSTM",
        "WeightedLayerPooling",
        "Asym",
        "Transformer",
        "Pooling",
    ] {
        let folder = Folder::new();
        let steps = [
            ("Transformer", ""),
            ("Pooling", "1_Pooling"),
            (class, "1_Pooling"),
        ];
        folder.write_json("modules.json", &modules(&steps));
        check(&folder, class);
        check(&folder, "`type` in");
    }
    for (steps, part) in [
        (modules(&[]), "a list that begins with a `Transformer`"),
        (
            modules(&[("Transformer", "")]),
            "a `Pooling` after the `Transformer`",
        ),
        (modules(&[("StaticEmbedding", "")]), "StaticEmbedding"),
        (
            json!([{"type": "custom_st.Transformer", "path": ""}]),
            "`custom_st.Transformer`",
        ),
    ] {
        let folder = Folder::new();
        folder.write_json("modules.json", &steps);
        check(&folder, part);
    }
}

#[test]
fn paths_that_lead_out_of_the_folder_are_refused() {
    for path in [
        "../1_Pooling",
        "1_Pooling/../..",
        "/etc",
        "C:\\x",
        "..\\x",
        "a:b",
    ] {
        let folder = Folder::new();
        let steps = [("Transformer", ""), ("Pooling", path)];
        folder.write_json("modules.json", &modules(&steps));
        check(&folder, "may not lie outside");
        assert!(ModelFiles::further(folder.path()).is_err(), "{path}");
        let folder = Folder::new();
        folder.remove("model.safetensors");
        let index = json!({"weight_map": {"a": format!("{path}/a.safetensors")}});
        folder.write_json("model.safetensors.index.json", &index);
        check(&folder, "may not lie outside");
    }
}

#[test]
fn dense_steps_that_do_not_fit_are_refused() {
    let steps = [
        ("Transformer", ""),
        ("Pooling", "1_Pooling"),
        ("Dense", "2_Dense"),
    ];
    let config = json!({"in_features": 16, "out_features": 3, "activation_function": "torch.nn.modules.activation.Tanh"});
    for (key, value, part) in [
        ("in_features", json!(15), "`in_features` in"),
        ("in_features", Value::Null, "`in_features` in"),
        ("out_features", json!(0), "`out_features` in"),
        ("out_features", json!(u64::MAX), "weight `linear.weight`"),
        (
            "activation_function",
            json!("os.system"),
            "`activation_function` in",
        ),
        (
            "activation_function",
            json!("torch.nn.modules.activation.Softmax"),
            "`activation_function` in",
        ),
        ("use_residual", json!(true), "`use_residual` in"),
        (
            "module_input_name",
            json!("token_embeddings"),
            "`module_input_name` in",
        ),
        ("bias", json!(true), "has no weight `linear.bias`"),
    ] {
        let folder = Folder::new();
        folder.write_json("modules.json", &modules(&steps));
        folder.write_json("2_Dense/config.json", &config);
        folder.set("2_Dense/config.json", key, value);
        let weight = Weight {
            name: "linear.weight".to_owned(),
            shape: vec![3, 16],
            values: vec![1.; 3 * 16],
        };
        let path = folder.file("2_Dense/model.safetensors");
        write_weights(&path, &[weight]);
        check(&folder, part);
    }
    let folder = Folder::new();
    folder.write_json("modules.json", &modules(&steps));
    folder.write_json("2_Dense/config.json", &config);
    folder.write("2_Dense/pytorch_model.bin", b"");
    check(&folder, "pickle `pytorch_model.bin` only");
}

#[test]
fn weights_in_other_forms_are_named() {
    for (file, part) in [
        ("pytorch_model.bin", "pickle `pytorch_model.bin` only"),
        (
            "pytorch_model.bin.index.json",
            "pickle `pytorch_model.bin.index.json` only",
        ),
        ("onnx/model.onnx", "only `onnx`"),
        ("tf_model.h5", "only `tf_model.h5`"),
        ("model-q8.gguf", "only `model-q8.gguf`"),
        ("model.fp16.safetensors", "only `model.fp16.safetensors`"),
    ] {
        let folder = Folder::new();
        folder.remove("model.safetensors");
        folder.write(file, b"");
        check(&folder, part);
    }
    let folder = Folder::new();
    folder.write_json("adapter_config.json", &json!({}));
    check(&folder, "has an adapter");
    let folder = Folder::new();
    folder.remove("tokenizer.json");
    check(&folder, "has no `tokenizer.json` (nor `vocab.txt`)");
}

#[test]
fn a_missing_shard_is_named() {
    let folder = Folder::new();
    folder.remove("model.safetensors");
    let index = json!({"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}});
    folder.write_json("model.safetensors.index.json", &index);
    check(
        &folder,
        "has no `model-00001-of-00002.safetensors, which model.safetensors.index.json names`",
    );
    let further = ModelFiles::further(folder.path()).unwrap();
    let shards = ["1", "2"].map(|i| format!("model-0000{i}-of-00002.safetensors"));
    assert!(
        shards.iter().all(|shard| further.contains(shard)),
        "{further:?}"
    );
}

#[test]
fn a_whole_set_of_numbered_files_needs_no_index() {
    for index in [None, Some(json!({"metadata": {}, "weight_map": {}}))] {
        let folder = Folder::new();
        let weights = folder.read("model.safetensors");
        folder.remove("model.safetensors");
        if let Some(index) = index {
            folder.write_json("model.safetensors.index.json", &index);
        }
        folder.write("model-00001-of-00001.safetensors", &weights);
        assert!(folder.load().is_ok());
        folder.write("model-00002-of-00003.safetensors", &weights);
        check(&folder, "only `model-00001-of-00001.safetensors`");
    }
}

#[test]
fn pooling_that_nothing_leads_to_is_refused_unless_it_is_the_mean() {
    let folder = Folder::new();
    folder.remove("modules.json");
    assert!(folder.load().is_ok());
    folder.set("1_Pooling/config.json", "pooling_mode", json!("cls"));
    check(&folder, "but no `modules.json`");
}

#[test]
fn weights_that_are_no_numbers_are_refused_before_any_work() {
    for (value, part) in [(f32::NAN, "not finite"), (f32::INFINITY, "not finite")] {
        let folder = Folder::new();
        let path = folder.file("model.safetensors");
        let mut weights = read_weights(&path);
        let name = "encoder.layer.1.output.dense.weight";
        let at = weights
            .iter()
            .position(|it| it.name.ends_with(name))
            .unwrap();
        weights[at].values[0] = value;
        write_weights(&path, &weights);
        check(&folder, part);
        check(&folder, name);
    }
    // Finite, but its results are not.
    let folder = Folder::new();
    let path = folder.file("model.safetensors");
    let mut weights = read_weights(&path);
    for weight in &mut weights {
        weight.values.fill(3e38);
    }
    write_weights(&path, &weights);
    check(&folder, "gives values that are not finite");
}

#[test]
fn other_files_under_a_models_names_are_told() {
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n";
    for file in [
        "model.safetensors",
        "tokenizer.json",
        "config.json",
        "modules.json",
        "1_Pooling/config.json",
        "sentence_bert_config.json",
    ] {
        let folder = Folder::new();
        folder.write(file, pointer);
        check(&folder, "Git LFS pointer");
        folder.write(file, b"<!DOCTYPE html><html>");
        check(&folder, "web page");
    }
}

#[test]
fn absurd_sizes_are_refused_before_memory_is_taken() {
    for key in [
        "vocab_size",
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "intermediate_size",
        "max_position_embeddings",
        "type_vocab_size",
    ] {
        for value in [
            json!(0),
            json!(1),
            json!(1 << 20),
            json!(1_u64 << 40),
            json!(u64::MAX),
            json!(-1),
            json!(1e300),
        ] {
            let folder = Folder::new();
            folder.set("config.json", key, value.clone());
            // One head is as good as four, and layers may be left out, as transformers does.
            let is_fine = match key {
                "num_attention_heads" => value == 1,
                "num_hidden_layers" => value == 0 || value == 1,
                _ => false,
            };
            assert_eq!(folder.load().is_ok(), is_fine, "{key} {value}");
        }
    }
    let folder = Folder::new();
    let text = fs::read_to_string(folder.file("config.json")).unwrap();
    folder.write("config.json", format!("\u{feff}{text}").as_bytes());
    assert!(folder.load().is_ok(), "a byte order mark");
}
