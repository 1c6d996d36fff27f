#!/usr/bin/env python3
"""Makes the files of this folder: the vectors of a few texts by sentence-transformers itself, for folders in the layouts of its versions 2 to 6.

    cases.json      the folders, each as what differs from a base in this crate's golden files; `folder` below builds them, and so does the test
    expected.json   for each case the vectors, scaled to length 1; or none, where sentence-transformers refuses the folder
    *.safetensors   weights of a Dense and a LayerNorm module

    pip install sentence-transformers==6.2.0 transformers==5.24.0 tokenizers==0.23.3 torch==2.15.0 safetensors==0.8.0 numpy==2.4.6
    python3 make.py
"""

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from sentence_transformers import SentenceTransformer

HERE = Path(__file__).resolve().parent
GOLDEN = HERE.parent

OLD, BASE, ST = "sentence_transformers.models.", "sentence_transformers.base.modules.", "sentence_transformers.sentence_transformer.modules."
NEW_TRANSFORMER = {"transformer_task": "feature-extraction", "module_output_name": "token_embeddings",
                   "modality_config": {"text": {"method": "forward", "method_output_name": "last_hidden_state"}}}
FLAGS = ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken")


def modules(*steps):
    return [{"idx": i, "name": str(i), "path": path, "type": kind} for i, (kind, path) in enumerate(steps)]


def old_modules(*more, encoder=""):
    return modules((OLD + "Transformer", encoder), (OLD + "Pooling", "1_Pooling"), *more)


NEW_MODULES = modules((BASE + "transformer.Transformer", ""), (ST + "pooling.Pooling", "1_Pooling"), (BASE + "normalize.Normalize", "2_Normalize"))


def flags(*on):
    return {"word_embedding_dimension": 16} | {f"pooling_mode_{flag}": flag in on for flag in FLAGS}


def case(name, modules=old_modules(), pooling=flags("mean_tokens"), sentence={"max_seq_length": 16, "do_lower_case": False}, base="tiny-bert", **rest):
    write = {"modules.json": modules, "1_Pooling/config.json": pooling, "sentence_bert_config.json": sentence} | rest.pop("write", {})
    return {"name": name, "base": base, "write": {k: v for k, v in write.items() if v is not None}} | rest


def new_case(name, pooling, **rest):
    tokenizer = {"tokenizer_config.json": {"model_max_length": 12, "tokenizer_class": "BertTokenizer"}}
    return case(name, NEW_MODULES, {"embedding_dimension": 16, **pooling}, NEW_TRANSFORMER, **{"write": tokenizer} | rest)


PROMPTS = {"config_sentence_transformers.json": {"prompts": {"query": "so: ", "passage": "p: "}, "default_prompt_name": "query"}}
CASES = [
    case("2.x"),
    *(case(f"2.x {flag}", pooling=flags(flag)) for flag in FLAGS),
    case("2.x several modes in one", pooling=flags("lasttoken", "mean_tokens", "cls_token")),
    case("2.x all flags false", pooling=flags()),
    case("2.x no flags", pooling={"word_embedding_dimension": 16}),
    case("2.x 0_Transformer", old_modules(encoder="0_Transformer"), encoder="0_Transformer"),
    case("2.x sentence_roberta_config", sentence=None, write={"sentence_roberta_config.json": {"max_seq_length": 7}}),
    case("2.x Dropout", old_modules((OLD + "Dropout", "2_Dropout")), write={"2_Dropout/config.json": {"dropout": 0.5}}),
    *(case(f"2.x Dense {activation}", old_modules((OLD + "Dense", "2_Dense"), (OLD + "Normalize", "3_Normalize")),
           write={"2_Dense/config.json": {"in_features": 16, "out_features": 12, "bias": True, "activation_function": f"torch.nn.modules.{activation}"}},
           copy={"2_Dense/model.safetensors": "dense.safetensors"})
      for activation in ("activation.Tanh", "linear.Identity", "activation.ReLU", "activation.GELU", "activation.Sigmoid")),
    case("2.x Dense of two modes", old_modules((OLD + "Normalize", "2_Normalize"), (OLD + "Dense", "3_Dense")), flags("cls_token", "max_tokens"),
         write={"3_Dense/config.json": {"in_features": 32, "out_features": 12, "bias": False, "activation_function": "torch.nn.modules.activation.Tanh"}},
         copy={"3_Dense/model.safetensors": "wide-dense.safetensors"}),
    case("2.x LayerNorm", old_modules((OLD + "LayerNorm", "2_LayerNorm")), write={"2_LayerNorm/config.json": {"dimension": 16}},
         copy={"2_LayerNorm/model.safetensors": "layer-norm.safetensors"}),
    case("3.x prompts", write=PROMPTS),
    case("3.x prompts without a default", write={"config_sentence_transformers.json": {"prompts": {"query": "so: "}, "default_prompt_name": None}}),
    case("5.x default prompt that is not given", write={"config_sentence_transformers.json": {"prompts": {}, "default_prompt_name": "document"}}),
    case("3.x truncate_dim", old_modules((OLD + "Normalize", "2_Normalize")), write={"config_sentence_transformers.json": {"truncate_dim": 5}}),
    *(case(f"3.x prompt not pooled, {flag}", pooling=flags(flag) | {"include_prompt": False}, write=PROMPTS) for flag in FLAGS),
    new_case("5.4 mean", {"pooling_mode": "mean", "include_prompt": True}),
    new_case("5.4 cls", {"pooling_mode": "cls"}),
    new_case("5.4 two modes", {"pooling_mode": ["weightedmean", "max"]}),
    new_case("5.4 no mode", {}),
    new_case("5.4 Normalize with a config", {"pooling_mode": "mean"},
             write={"2_Normalize/config.json": {"module_input_name": "sentence_embedding", "module_output_name": "sentence_embedding"}}),
    new_case("5.4 no length anywhere", {"pooling_mode": "mean"}, write={}),
    new_case("5.4 length by another name", {"pooling_mode": "mean"}, write={"tokenizer_config.json": {"max_len": 9}}),
    new_case("5.4 length that means none", {"pooling_mode": "mean"}, write={"tokenizer_config.json": {"model_max_length": 10**30}}),
    new_case("5.4 length in processor_kwargs", {"pooling_mode": "mean"},
             write={"sentence_bert_config.json": NEW_TRANSFORMER | {"processor_kwargs": {"model_max_length": 10}}}),
    new_case("5.4 cut on the left", {"pooling_mode": "mean"}, write={"tokenizer_config.json": {"model_max_length": 12, "truncation_side": "left"}}),
    case("no modules.json", None, None, None, write={"tokenizer_config.json": {"model_max_length": 512}}),
    case("no modules.json but the other files", None),
    case("max_seq_length null", sentence={"max_seq_length": None}),
    case("defaults of BertConfig", drop=["layer_norm_eps", "type_vocab_size", "pad_token_id", "hidden_act"]),
    case("sharded", n_shards=3),
    case("float16", dtype="float16"),
    case("bfloat16", dtype="bfloat16", config={"torch_dtype": "bfloat16"}),
    case("vocab.txt", tokenizer="vocab.txt", write={"tokenizer_config.json": {"do_lower_case": True}}),
    case("vocab.txt alone", tokenizer="vocab.txt"),
    case("vocab.txt cased", tokenizer="vocab.txt", write={"tokenizer_config.json": {"do_lower_case": False}}),
    case("vocab.txt accents", tokenizer="vocab.txt", write={"tokenizer_config.json": {"strip_accents": False, "tokenize_chinese_chars": False}}),
    case("cased", write={"tokenizer_config.json": {"do_lower_case": False, "tokenizer_class": "BertTokenizer"}}),
    case("cased by no class", write={"tokenizer_config.json": {"do_lower_case": False}}),
    case("cased, lowercased first", sentence={"max_seq_length": 16, "do_lower_case": True}, write={"tokenizer_config.json": {"do_lower_case": False}}),
    case("tokenizer.json decides", write={"tokenizer_config.json": {"do_lower_case": False, "tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]"}}),
    case("a cased tokenizer.json alone", cased=True),
    case("a cased tokenizer.json with settings", cased=True, write={"tokenizer_config.json": {"tokenizer_class": "BertTokenizer"}}),
    case("a cased tokenizer.json with another's settings", cased=True, write={"tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]"}}),
    case("accents kept", write={"tokenizer_config.json": {"strip_accents": False, "tokenizer_class": "BertTokenizer"}}),
    case("roberta", base="roberta/performance", write={"tokenizer_config.json": {"model_max_length": 30}}),
    case("xlm-roberta", base="roberta/performance", config={"model_type": "xlm-roberta"},
         write={"tokenizer_config.json": {"model_max_length": 30, "tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<pad>"}}),
]


def folder(case, path):
    """Builds a case's folder."""
    base, encoder = GOLDEN / case["base"], path / case.get("encoder", "")
    encoder.mkdir(parents=True)
    config = json.loads((base / "config.json").read_text()) | case.get("config", {})
    for key in case.get("drop", []):
        config.pop(key, None)
    (encoder / "config.json").write_text(json.dumps(config))
    if case.get("tokenizer") == "vocab.txt":
        vocab = json.loads((base / "tokenizer.json").read_text())["model"]["vocab"]
        (encoder / "vocab.txt").write_text("\n".join(sorted(vocab, key=vocab.get)) + "\n")
    else:
        shutil.copy(base / "tokenizer.json", encoder)
    if case.get("cased"):
        tokenizer = json.loads((encoder / "tokenizer.json").read_text())
        tokenizer["normalizer"]["lowercase"] = False
        (encoder / "tokenizer.json").write_text(json.dumps(tokenizer))
    weights = load_file(base / "model.safetensors")
    if "dtype" in case:
        from safetensors.torch import save_file as save_torch
        kind = getattr(torch, case["dtype"])
        save_torch({name: torch.from_numpy(w).to(kind) for name, w in weights.items()}, encoder / "model.safetensors", {"format": "pt"})
    elif "n_shards" in case:
        n, files = case["n_shards"], {}
        for i in range(n):
            file = f"model-{i + 1:05}-of-{n:05}.safetensors"
            part = dict(sorted(weights.items())[i::n])
            save_file(part, encoder / file, {"format": "pt"})
            files |= dict.fromkeys(part, file)
        (encoder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": files}))
    else:
        save_file(weights, encoder / "model.safetensors", {"format": "pt"})
    for file, value in case["write"].items():
        # The transformer's own files lie where the encoder does.
        target = (encoder if file.startswith(("sentence_", "tokenizer_")) else path) / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(value))
    for file, source in case.get("copy", {}).items():
        target = path / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / source, target)


def main():
    random = np.random.default_rng(1)
    draw = lambda *shape: random.normal(0, 0.4, shape).astype(np.float32)
    save_file({"linear.weight": draw(12, 16), "linear.bias": draw(12)}, HERE / "dense.safetensors", {"format": "pt"})
    save_file({"linear.weight": draw(12, 32)}, HERE / "wide-dense.safetensors", {"format": "pt"})
    save_file({"norm.weight": draw(16), "norm.bias": draw(16)}, HERE / "layer-norm.safetensors", {"format": "pt"})
    prompts = json.loads((GOLDEN / "prompts.json").read_text())
    expected = {}
    for case in CASES:
        with tempfile.TemporaryDirectory() as root:
            path = Path(root) / "model"
            folder(case, path)
            # Half precision is widened here, as Transformers did up to version 4; version 5 computes in it.
            model = SentenceTransformer(str(path), device="cpu", model_kwargs={"dtype": "float32"}, local_files_only=True)
            model.to(torch.float64)
            vectors = model.encode(prompts, batch_size=1).astype(np.float64)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        expected[case["name"]] = [[round(x, 7) for x in row] for row in vectors.tolist()]
        print(f"{case['name']:<40} length {model.max_seq_length}, {vectors.shape[1]} values, first {vectors[2][0]:.5f}")
    (HERE / "cases.json").write_text("[\n" + ",\n".join(json.dumps(case) for case in CASES) + "\n]\n")
    rows = [f"{json.dumps(name)}: {json.dumps(rows)}" for name, rows in expected.items()]
    (HERE / "expected.json").write_text("{\n" + ",\n".join(rows) + "\n}\n")


main()
