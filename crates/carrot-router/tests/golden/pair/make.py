#!/usr/bin/env python3
"""Makes the files of this folder: two small RoBERTas with random weights, in Hugging Face layout, and what they say of a few prompts by a
forward pass written in NumPy (nets/tests/golden/make.py), in float64, independent of any deep-learning library.

    performance/, cost/   2 layers, 4 heads, width 16, 13 outputs without names; a token for each byte
    expected.json         the prompts; of each the number of its tokens without <s> and </s>, whether it is truncated, and both outputs

    pip install numpy==2.4.6 safetensors==0.8.0 tokenizers==0.23.3
    python3 make.py
    python3 make.py CHECKPOINT      # prints the largest difference from what transformers computed

A CHECKPOINT is a RoBERTa for sequence classification with an expected.json beside it that has `prompts`, `max_length` and the logits
`logits_single`, as transformers computed them one prompt at a time. On one of width 64 and 13 outputs, the difference was 3e-7.
"""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

HERE = Path(__file__).resolve().parent
DIM, WIDE, N_LAYERS, N_LLMS = 16, 32, 2, 13
# The first two rows of the table of positions are never a token's, so that a prompt has at most 78 tokens, <s> and </s> among them.
N_POSITIONS = 80

# BERT's forward pass in NumPy, which is RoBERTa's too.
spec = importlib.util.spec_from_file_location("bert", HERE.parents[3] / "nets/tests/golden/make.py")
bert = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bert)

# One letter; accents, Chinese and a sign of four bytes; line breaks; the longest that is read to its end, and one that is truncated.
PROMPTS = [
    "a",
    "so so",
    "Which planet is the largest?",
    "Zwölf Boxkämpfer 你好 \U0001f980",
    "def add(a, b):\n    return a + b\n",
    "  What is 12 * 12?\tA. 122 B. 144",
    "WHY? WHY? WHY?",
    "x" * 76,
    "Explain entropy in one sentence, and then once more for a child of five years. " * 3,
]


def outputs(ids, weights, config):
    """The classifier's outputs for the tokens of one prompt: BERT's layers, with positions that begin behind that of the padding."""
    encoder = {name.removeprefix("roberta."): w for name, w in weights.items()}
    positions = "embeddings.position_embeddings.weight"
    encoder[positions] = encoder[positions][config["pad_token_id"] + 1 :]
    first = bert.encode(ids, encoder, config)[0]
    return bert.linear(np.tanh(bert.linear(first, weights, "classifier.dense")), weights, "classifier.out_proj")


def read(folder):
    weights = {name: w.astype(np.float64) for name, w in load_file(folder / "model.safetensors").items()}
    return Tokenizer.from_file(str(folder / "tokenizer.json")), weights, json.loads((folder / "config.json").read_text())


def tokenizer():
    """A token for each byte, by the letters that stand for bytes in byte-level BPE."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *letters, "<mask>"]
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, [], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    return tokenizer


def make_network(folder, problem_type, random, spread, bias):
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer().save(str(folder / "tokenizer.json"), pretty=False)
    n_tokens = tokenizer().get_vocab_size()
    labels = [f"LABEL_{i}" for i in range(N_LLMS)]
    config = {
        "architectures": ["RobertaForSequenceClassification"], "model_type": "roberta", "problem_type": problem_type,
        "vocab_size": n_tokens, "hidden_size": DIM, "num_hidden_layers": N_LAYERS, "num_attention_heads": 4, "intermediate_size": WIDE,
        "hidden_act": "gelu", "max_position_embeddings": N_POSITIONS, "type_vocab_size": 1, "layer_norm_eps": 1e-5,
        "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1, "initializer_range": 0.02,
        "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2,
        "id2label": {str(i): label for i, label in enumerate(labels)}, "label2id": {label: i for i, label in enumerate(labels)},
    }
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    weights = {}

    def add(name, *shape, mean=0.0, deviation=0.5):
        weights[name] = random.normal(mean, deviation, shape).astype(np.float32)

    def add_linear(name, n_out, n_in):
        add(f"{name}.weight", n_out, n_in)
        add(f"{name}.bias", n_out)

    def add_norm(name):
        add(f"{name}.weight", DIM, mean=1.0, deviation=0.1)
        add(f"{name}.bias", DIM, deviation=0.1)

    for table, n_rows in (("word", n_tokens), ("position", N_POSITIONS), ("token_type", 1)):
        add(f"roberta.embeddings.{table}_embeddings.weight", n_rows, DIM)
    add_norm("roberta.embeddings.LayerNorm")
    for i in range(N_LAYERS):
        layer = f"roberta.encoder.layer.{i}"
        for name in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            add_linear(f"{layer}.{name}", DIM, DIM)
        add_norm(f"{layer}.attention.output.LayerNorm")
        add_linear(f"{layer}.intermediate.dense", WIDE, DIM)
        add_linear(f"{layer}.output.dense", DIM, WIDE)
        add_norm(f"{layer}.output.LayerNorm")
    add_linear("classifier.dense", DIM, DIM)
    add("classifier.out_proj.weight", N_LLMS, DIM, deviation=spread)
    add("classifier.out_proj.bias", N_LLMS, mean=bias, deviation=spread)
    save_file(weights, folder / "model.safetensors")


def expected(folder, prompts, max_length):
    """The outputs of a network for prompts, one at a time."""
    tokenizer, weights, config = read(folder)
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length)
    return np.stack([outputs(tokenizer.encode(prompt).ids, weights, config) for prompt in prompts])


def main():
    if len(sys.argv) > 1:
        folder = Path(sys.argv[1])
        theirs = json.loads((folder / "expected.json").read_text())
        ours = expected(folder, theirs["prompts"], theirs["max_length"])
        print("largest difference:", np.abs(ours - np.array(theirs["logits_single"])).max())
        return
    random = np.random.default_rng(7)
    make_network(HERE / "performance", "multi_label_classification", random, 0.5, 0.5)
    # Thousands of tokens, a few of them fewer than none.
    make_network(HERE / "cost", "regression", random, 0.1, 0.3)
    max_length = N_POSITIONS - 2
    n_tokens = [len(prompt.encode()) for prompt in PROMPTS]
    (HERE / "expected.json").write_text(json.dumps({
        "prompts": PROMPTS,
        "n_tokens": n_tokens,
        "is_truncated": [n + 2 > max_length for n in n_tokens],
        "score_logits": expected(HERE / "performance", PROMPTS, max_length).round(9).tolist(),
        "thousands_of_tokens": expected(HERE / "cost", PROMPTS, max_length).round(9).tolist(),
    }, indent=1) + "\n")


if __name__ == "__main__":
    main()
