use std::{fs, path::Path};

use dataset::Truncate;
use encoder::{DeviceChoice, Error as Refused, PredictParams, ProblemType};
use nets::{Error, RobertaModel};
use serde_json::{Value, json};
use tch::{Device, Kind, Tensor};
use test_support::try_mutations;

use crate::tiny::{
    MASKED, base, base_weights, classifier, labels, load, max_difference, predict, prompts,
};

const KIND: ProblemType = ProblemType::MultiLabelClassification;

fn from_base(folder: &Path) -> Result<RobertaModel, Error> {
    RobertaModel::from_base(folder, &labels(3), KIND, 7, DeviceChoice::Cpu)
}

/// Changes the weights of a classifier's folder and gives what loading says.
fn with_weights(change: impl FnOnce(&mut Vec<(String, Tensor)>)) -> Result<RobertaModel, Error> {
    let folder = classifier();
    let path = folder.path().join("model.safetensors");
    let mut weights = Tensor::read_safetensors(&path).unwrap();
    change(&mut weights);
    Tensor::write_safetensors(&weights, &path).unwrap();
    load(folder.path())
}

fn position(weights: &[(String, Tensor)], name: &str) -> usize {
    weights.iter().position(|(found, _)| found == name).unwrap()
}

fn zeros(shape: &[i64]) -> Tensor {
    Tensor::zeros(shape, (Kind::Float, Device::Cpu))
}

#[test]
fn missing_extra_and_misshaped_tensors_are_refused() {
    let name = "roberta.encoder.layer.1.output.dense.weight";
    let error = with_weights(|weights| {
        let _ = weights.remove(position(weights, name));
    });
    let error = error.unwrap_err().to_string();
    assert!(
        error.ends_with(&format!("has no weight `{name}`")),
        "{error}"
    );

    let error = with_weights(|weights| {
        weights.push((
            "roberta.encoder.layer.2.output.dense.weight".to_owned(),
            zeros(&[16, 32]),
        ))
    });
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("holds a weight `encoder.layer.2.output.dense.weight`"),
        "{error}"
    );

    let error = with_weights(|weights| {
        let at = position(weights, name);
        weights[at].1 = zeros(&[16, 31]);
    });
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("has shape [16, 31], expected [16, 32]"),
        "{error}"
    );

    // More outputs than config.json has labels.
    let error = with_weights(|weights| {
        let at = position(weights, "classifier.out_proj.weight");
        weights[at].1 = zeros(&[4, 16]);
    });
    let error = error.unwrap_err().to_string();
    assert!(error.contains("weight `classifier.out_proj."), "{error}");
}

#[test]
fn other_names_of_the_same_weights_are_read() {
    let folder = classifier();
    let expected = predict(&load(folder.path()).unwrap(), &prompts(9));
    let older = with_weights(|weights| {
        for (name, _) in weights.iter_mut() {
            *name = name
                .replace("LayerNorm.weight", "LayerNorm.gamma")
                .replace("LayerNorm.bias", "LayerNorm.beta");
        }
        // What old versions of transformers wrote besides.
        weights.push((
            "roberta.embeddings.position_ids".to_owned(),
            Tensor::arange(40, (Kind::Int64, Device::Cpu)).view([1, 40]),
        ));
        weights.push(("roberta.pooler.dense.weight".to_owned(), zeros(&[16, 16])));
    });
    assert_eq!(predict(&older.unwrap(), &prompts(9)), expected);

    let without_prefix = with_weights(|weights| {
        for (name, _) in weights.iter_mut() {
            *name = name.trim_start_matches("roberta.").to_owned();
        }
    });
    assert_eq!(predict(&without_prefix.unwrap(), &prompts(9)), expected);

    let half = with_weights(|weights| {
        for (_, weight) in weights.iter_mut() {
            *weight = weight.to_kind(Kind::Half);
        }
    });
    // Half precision keeps 11 bits.
    assert!(max_difference(&predict(&half.unwrap(), &prompts(9)), &expected) < 1e-3);
}

#[test]
fn broken_weights_are_refused() {
    let folder = classifier();
    let path = folder.path().join("model.safetensors");
    let whole = fs::read(&path).unwrap();
    let mut other_length = whole.clone();
    other_length[0] ^= 0xff;
    for bytes in [
        b"no weights".to_vec(),
        Vec::new(),
        whole[..whole.len() / 2].to_vec(),
        other_length,
    ] {
        fs::write(&path, bytes).unwrap();
        let error = load(folder.path()).unwrap_err();
        assert!(
            matches!(error, Error::Model(Refused::Weights { .. })),
            "{error}"
        );
    }
}

#[test]
fn a_pickle_is_never_read() {
    for folder in [classifier(), base()] {
        let weights = folder.path().join("model.safetensors");
        fs::rename(weights, folder.path().join("pytorch_model.bin")).unwrap();
        for outcome in [load(folder.path()), from_base(folder.path())] {
            let error = outcome.unwrap_err();
            assert!(
                matches!(error, Error::Model(Refused::OnlyPickle { .. })),
                "{error}"
            );
        }
    }
}

#[test]
fn a_folder_without_a_file_is_refused() {
    for (file, expected) in [
        ("config.json", "has no `config.json`"),
        ("model.safetensors", "has no `model.safetensors`"),
        (
            "vocab.json",
            "has no `tokenizer.json (nor vocab.json with merges.txt)`",
        ),
        (
            "merges.txt",
            "has no `tokenizer.json (nor vocab.json with merges.txt)`",
        ),
    ] {
        let folder = base();
        fs::remove_file(folder.path().join(file)).unwrap();
        let error = from_base(folder.path()).unwrap_err().to_string();
        assert!(error.ends_with(expected), "{error}");
    }
}

#[test]
fn a_base_model_is_no_classifier() {
    let error = load(base().path()).unwrap_err().to_string();
    assert!(
        error.contains("has no weight `classifier.dense.weight`"),
        "{error}"
    );
}

#[test]
fn bad_keys_and_tokens_are_refused() {
    for (file, from, to, expected) in [
        (
            "config.json",
            r#""roberta""#,
            r#""bert""#,
            "is `bert`, supported: `roberta`",
        ),
        (
            "config.json",
            r#""multi_label_classification""#,
            r#""single_label_classification""#,
            "`problem_type` in",
        ),
        (
            "config.json",
            r#""1": "llm 1""#,
            r#""3": "llm 1""#,
            "without a gap",
        ),
        (
            "config.json",
            r#""1": "llm 1""#,
            r#""1": 5"#,
            "without a gap",
        ),
        (
            "config.json",
            r#""vocab_size": 261"#,
            r#""vocab_size": 260"#,
            "the number of tokens is 261",
        ),
        (
            "config.json",
            r#""pad_token_id": 1"#,
            r#""pad_token_id": 400"#,
            "`pad_token_id` is 400",
        ),
        (
            "config.json",
            r#""hidden_size": 16"#,
            r#""hidden_size": "16""#,
            "as JSON",
        ),
        (
            "tokenizer.json",
            r#""BPE""#,
            r#""BPEE""#,
            "cannot read a tokenizer from",
        ),
    ] {
        let folder = classifier();
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from} {text}");
        fs::write(&path, text.replace(from, to)).unwrap();
        let error = load(folder.path()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}, expected {expected}");
    }
    let folder = base();
    fs::write(folder.path().join("vocab.json"), r#"{"a": 0}"#).unwrap();
    let error = from_base(folder.path()).unwrap_err();
    assert!(
        matches!(error, Error::Model(Refused::Tokenizer { .. })),
        "{error}"
    );
}

#[test]
fn bad_labels_are_refused() {
    let folder = base();
    for (labels, expected) in [
        (vec![], "at least one label"),
        (vec!["a".to_owned(), "a".to_owned()], "the same name"),
    ] {
        let error = RobertaModel::from_base(folder.path(), &labels, KIND, 7, DeviceChoice::Cpu)
            .unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn a_device_that_is_not_there_is_refused() {
    let error =
        RobertaModel::from_folder(classifier().path(), DeviceChoice::Cuda(4_096)).unwrap_err();
    assert!(
        matches!(error, Error::Model(Refused::NoDevice { .. })),
        "{error}"
    );
}

#[test]
fn a_base_model_keeps_its_weights_under_a_new_head() {
    let folder = base();
    let saved = tempfile::tempdir().unwrap();
    from_base(folder.path())
        .unwrap()
        .save(saved.path(), "")
        .unwrap();
    let found = Tensor::read_safetensors(saved.path().join("model.safetensors")).unwrap();
    for (name, weight) in base_weights()
        .iter()
        .filter(|(name, _)| !name.starts_with("lm_head"))
    {
        assert_eq!(found[position(&found, name)].1, *weight, "{name}");
    }
}

#[test]
fn outputs_without_names_are_numbered() {
    let folder = classifier();
    let path = folder.path().join("config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let object = config.as_object_mut().unwrap();
    object.remove("id2label");
    object.insert("num_labels".to_owned(), json!(3));
    fs::write(&path, config.to_string()).unwrap();
    let model = load(folder.path()).unwrap();
    assert_eq!(model.labels(), ["LABEL_0", "LABEL_1", "LABEL_2"]);
    for n_labels in [json!(0), json!(2), json!(4), json!(u64::MAX), json!(-1)] {
        config["num_labels"] = n_labels;
        fs::write(&path, config.to_string()).unwrap();
        assert!(load(folder.path()).is_err(), "{config}");
    }
}

#[test]
fn weights_in_several_files_are_read() {
    let folder = classifier();
    let expected = predict(&load(folder.path()).unwrap(), &prompts(9));
    let path = folder.path().join("model.safetensors");
    let weights = Tensor::read_safetensors(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let mut files = serde_json::Map::new();
    for (shard_idx, shard) in weights.chunks(weights.len() / 2 + 1).enumerate() {
        let file = format!("model-{shard_idx}.safetensors");
        Tensor::write_safetensors(shard, folder.path().join(&file)).unwrap();
        files.extend(shard.iter().map(|(name, _)| (name.clone(), json!(file))));
    }
    assert_eq!(files.len(), weights.len());
    let index = json!({"weight_map": files}).to_string();
    fs::write(folder.path().join("model.safetensors.index.json"), index).unwrap();
    assert_eq!(
        predict(&load(folder.path()).unwrap(), &prompts(9)),
        expected
    );
    let further = encoder::RobertaParts::further(folder.path()).unwrap();
    assert_eq!(further, ["model-0.safetensors", "model-1.safetensors"]);
}

#[test]
fn long_prompts_lose_the_part_that_is_asked_for() {
    let folder = classifier();
    let params = PredictParams {
        max_tokens: 6,
        ..MASKED
    };
    let outputs = |truncate, prompt: &str| {
        let mut model = load(folder.path()).unwrap();
        model.set_truncate(truncate);
        model
            .predict(&[prompt.to_owned()], &params, &|_| ())
            .unwrap()
    };
    for (truncate, rest) in [
        (None, "abcd"),
        (Some(Truncate::Right), "abcd"),
        (Some(Truncate::Left), "fghi"),
        (Some(Truncate::Middle), "abhi"),
    ] {
        let cut = outputs(truncate, "abcdefghi");
        assert_eq!(cut.is_truncated, [true]);
        assert_eq!(cut.values, outputs(truncate, rest).values, "{truncate:?}");
    }
}

#[test]
fn mutations_of_a_classifiers_files() {
    for file in ["model.safetensors", "config.json", "tokenizer.json"] {
        let folder = classifier();
        let path = folder.path().join(file);
        try_mutations(&[fs::read(&path).unwrap()], |bytes| {
            fs::write(&path, bytes).unwrap();
            if let Ok(model) = load(folder.path()) {
                _ = model.predict(&prompts(4), &MASKED, &|_| ());
            }
        });
    }
}

#[test]
fn mutations_of_an_old_tokenizers_files() {
    for file in ["vocab.json", "merges.txt", "tokenizer_config.json"] {
        let folder = base();
        let path = folder.path().join(file);
        if !path.exists() {
            fs::write(
                &path,
                r#"{"add_prefix_space": true, "truncation_side": "left"}"#,
            )
            .unwrap();
        }
        try_mutations(&[fs::read(&path).unwrap()], |bytes| {
            fs::write(&path, bytes).unwrap();
            if let Ok(model) = from_base(folder.path()) {
                _ = model.predict(&prompts(4), &MASKED, &|_| ());
            }
        });
    }
}
