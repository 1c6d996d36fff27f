#!/usr/bin/env python3
"""Makes the files of this folder: sentence vectors by a forward pass of BERT written in NumPy, in float64, apart from any deep-learning library.

    tiny-bert/   a random BERT (2 layers, 4 heads, width 16) with its tokenizer, and the vectors of a few texts in two settings
    minilm-l6/   the vectors of a few texts by all-MiniLM-L6-v2, which scripts/minilm.sh brings

    pip install numpy==2.4.6 safetensors==0.8.0 tokenizers==0.23.3
    python3 make.py ../../../../models/all-MiniLM-L6-v2

The largest difference from the vectors of Transformers, which roberta/make.py wrote, is printed.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

HERE = Path(__file__).resolve().parent
erf = np.vectorize(math.erf, otypes=[np.float64])

# An empty text; accents, Chinese, a sign without a token; line breaks; one text that must be cut off and one just short of it.
PROMPTS = [
    "",
    "a",
    "Which planet is the largest?",
    "Zwölf Boxkämpfer jagen Viktor quer über den Sylter Deich. 你好，世界 \U0001f980",
    "def add(a, b):\n    return a + b\n\n\tprint(add(1, 2))",
    "What is the integral of x^2 from 0 to 3?\nA. 3\nB. 6\nC. 9\nD. 27\nAnswer:",
    "very long " * 300,
    "so long " * 100,
]


def layer_norm(x, weights, name, eps):
    x = x - x.mean(-1, keepdims=True)
    return x / np.sqrt((x**2).mean(-1, keepdims=True) + eps) * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def linear(x, weights, name):
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def gelu(x):
    return x * 0.5 * (1 + erf(x / math.sqrt(2)))


def gelu_tanh(x):
    return x * 0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def encode(ids, weights, config):
    """The last layer's vectors of one text, (tokens, dim)."""
    eps, n_heads = config["layer_norm_eps"], config["num_attention_heads"]
    activation = {"gelu": gelu, "gelu_new": gelu_tanh}[config["hidden_act"]]
    x = weights["embeddings.word_embeddings.weight"][ids]
    x = x + weights["embeddings.position_embeddings.weight"][: len(ids)] + weights["embeddings.token_type_embeddings.weight"][0]
    x = layer_norm(x, weights, "embeddings.LayerNorm", eps)
    for i in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{i}"
        heads = []
        query, key, value = (linear(x, weights, f"{layer}.attention.self.{name}") for name in ("query", "key", "value"))
        for q, k, v in zip(*(np.split(m, n_heads, axis=1) for m in (query, key, value))):
            scores = q @ k.T / math.sqrt(q.shape[1])
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            heads.append(scores / scores.sum(-1, keepdims=True) @ v)
        mixed = linear(np.concatenate(heads, axis=1), weights, f"{layer}.attention.output.dense")
        x = layer_norm(x + mixed, weights, f"{layer}.attention.output.LayerNorm", eps)
        wide = activation(linear(x, weights, f"{layer}.intermediate.dense"))
        x = layer_norm(x + linear(wide, weights, f"{layer}.output.dense"), weights, f"{layer}.output.LayerNorm", eps)
    return x


def embed(prompts, folder, config_name="config.json", pool=lambda x: x.mean(0)):
    config = json.loads((folder / config_name).read_text())
    weights = {name.removeprefix("bert."): w.astype(np.float64) for name, w in load_file(folder / "model.safetensors").items()}
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(json.loads((folder / "sentence_bert_config.json").read_text())["max_seq_length"])
    rows = [pool(encode(tokenizer.encode(prompt).ids, weights, config)) for prompt in prompts]
    return np.stack([row / np.linalg.norm(row) for row in rows]).astype(np.float32)


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1) + "\n")


def make_tiny_bert(folder):
    folder.mkdir(parents=True, exist_ok=True)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "long", "very", "so", *letters, *("##" + c for c in letters), *"?.:^+(),="]
    vocab = {word: i for i, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    # As in all-MiniLM-L6-v2: a truncation and a padding that are not those of the model.
    tokenizer.enable_truncation(5)
    tokenizer.enable_padding(length=8)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)

    dim, wide, n_layers, n_positions = 16, 32, 2, 24
    config = {"model_type": "bert", "vocab_size": len(vocab), "hidden_size": dim, "num_hidden_layers": n_layers, "num_attention_heads": 4,
              "intermediate_size": wide, "hidden_act": "gelu", "max_position_embeddings": n_positions, "type_vocab_size": 2, "layer_norm_eps": 1e-12}
    write_json(folder / "config.json", config)
    write_json(folder / "config-gelu-new.json", config | {"hidden_act": "gelu_new"})
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": 16, "do_lower_case": False})
    steps = [("Transformer", ""), ("Pooling", "1_Pooling")]
    write_json(folder / "modules.json", [{"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"} for i, (kind, path) in enumerate(steps)])
    modes = ("cls_token", "mean_tokens", "max_tokens")
    for mode in modes:
        name = {"mean_tokens": "1_Pooling/config.json"}.get(mode, f"pooling-{mode}.json")
        write_json(folder / name, {"word_embedding_dimension": dim} | {f"pooling_mode_{m}": m == mode for m in modes})

    random = np.random.default_rng(0)
    shapes = {"embeddings.word_embeddings.weight": (len(vocab), dim), "embeddings.position_embeddings.weight": (n_positions, dim),
              "embeddings.token_type_embeddings.weight": (2, dim), "pooler.dense.weight": (dim, dim), "pooler.dense.bias": (dim,)}
    norms = ["embeddings.LayerNorm"]
    for i in range(n_layers):
        layer = f"encoder.layer.{i}"
        squares = [f"{layer}.attention.{name}" for name in ("self.query", "self.key", "self.value", "output.dense")]
        for name, (n_out, n_in) in [(name, (dim, dim)) for name in squares] + [
                (f"{layer}.intermediate.dense", (wide, dim)), (f"{layer}.output.dense", (dim, wide))]:
            shapes |= {f"{name}.weight": (n_out, n_in), f"{name}.bias": (n_out,)}
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
    for name in norms:
        shapes |= {f"{name}.weight": (dim,), f"{name}.bias": (dim,)}
    # The prefix that a model with a head has in front of its encoder's names.
    save_file({f"bert.{name}": random.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}, folder / "model.safetensors")


def main():
    minilm = Path(sys.argv[1])
    tiny = HERE / "tiny-bert"
    make_tiny_bert(tiny)
    write_json(HERE / "prompts.json", PROMPTS)
    np.save(tiny / "mean-gelu.npy", embed(PROMPTS, tiny))
    np.save(tiny / "cls-gelu-new.npy", embed(PROMPTS, tiny, "config-gelu-new.json", lambda x: x[0]))
    (HERE / "minilm-l6").mkdir(exist_ok=True)
    np.save(HERE / "minilm-l6/embeddings.npy", embed(PROMPTS, minilm))
    by_transformers = np.load(HERE / "minilm-l6/transformers.npy")
    found = np.load(HERE / "minilm-l6/embeddings.npy")
    print(f"largest difference from Transformers over {len(found)} prompts: {abs(found - by_transformers).max():.1e}")


main()
