#!/usr/bin/env python3
"""Makes the folders of this folder with model2vec itself, and the vectors that it gives a few texts with them.

    <case>/          a model as `StaticModel.save_pretrained` writes it, or in the layout of sentence-transformers
    texts.json       the texts
    expected.json    for each case the texts' vectors by `StaticModel.encode(texts, max_length=None)`, scaled to length 1
    reduced.json     what `model2vec.distill` makes of vectors.npy, the vectors of all tokens but the first five and the last: principal
                     components, signs and weights

    pip install model2vec[distill]==0.10.0 tokenizers==0.23.3 safetensors==0.8.0 numpy==2.4.6
    python3 make.py
"""

import json
import shutil
from pathlib import Path

import numpy as np
from model2vec import StaticModel
from model2vec.distill.inference import apply_pca, compute_weights
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

HERE = Path(__file__).resolve().parent
DIM = 6
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = [chr(c) for c in range(ord("a"), ord("z") + 1)]
WORDS = SPECIAL + list("!?.,-[]'$0123456789") + LETTERS + ["##" + c for c in LETTERS if c not in "qxz"] + ["the", "##ing", "##er", "what", "is", "router",
    "rout", "price", "of", "an", "answer", "zwolf", "дом", "##ом", "д", "日", "本", "##𝕏", "한", "ᄒ", "##ᅡ", "##ᆫ", "é", "[unused0]"]
TEXTS = ["", " ", "the router", "The price of an ANSWER is $12.50!", "routing, routers' Zwölf", "quizzing xylophones", "日本 and дом-Дом", "한국 of 한",
    "[SEP] the [MASK] answer", "\t\u0000\ufffdwhat\u200d is\u00ad\u3000it?", "the " * 700 + "answer", "İstanbul é e\u0301", "a" * 101, "ab" * 50, "no𝕏 𝕏"]


def word_piece():
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.enable_padding(length=20)
    tokenizer.enable_truncation(16)
    return tokenizer


def unigram():
    pieces = [("<unk>", 0.0), ("▁", -3.0), ("▁the", -2.0), ("▁router", -2.5), ("r", -4.0), ("▁an", -3.0), ("s", -4.0), ("w", -4.0), ("e", -4.1), ("日", -5.0)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return tokenizer


def unit(vectors):
    vectors = vectors.astype(np.float64)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(norms == 0, 1, norms)


def main():
    rng = np.random.default_rng(3)
    expected = {}

    def keep(name, tokenizer, vectors, **rest):
        folder = HERE / name
        shutil.rmtree(folder, ignore_errors=True)
        StaticModel(vectors, tokenizer, normalize=True, **rest).save_pretrained(folder)
        (folder / "README.md").unlink(missing_ok=True)
        expect(name)

    def expect(name):
        model = StaticModel.from_pretrained(HERE / name)
        expected[name] = unit(model.encode(TEXTS, max_length=None)).tolist()

    tokenizer = word_piece()
    n = tokenizer.get_vocab_size()
    vectors = rng.standard_normal((n, DIM)).astype(np.float32)
    keep("plain", tokenizer, vectors)
    keep("half", tokenizer, vectors.astype(np.float16), max_length=None)
    keep("bytes", tokenizer, np.clip(np.rint(vectors * 40), -127, 127).astype(np.int8))
    rows = rng.integers(0, 20, n)
    keep("quantized", tokenizer, vectors[:20], weights=rng.uniform(0.1, 1, n), token_mapping=rows)
    keep("weighted", tokenizer, vectors, weights=rng.uniform(0.1, 1, n).astype(np.float32))
    pieces = unigram()
    keep("unigram", pieces, rng.standard_normal((pieces.get_vocab_size(), DIM)).astype(np.float32))

    nested = HERE / "nested"
    shutil.rmtree(nested, ignore_errors=True)
    inner = nested / "0_StaticEmbedding"
    inner.mkdir(parents=True)
    save_file({"embedding.weight": vectors}, inner / "model.safetensors", {"format": "pt"})
    tokenizer.save(str(inner / "tokenizer.json"), pretty=False)
    (nested / "config_sentence_transformers.json").write_text('{"similarity_fn_name": "cosine"}\n')
    modules = [{"idx": 0, "name": "0", "path": "0_StaticEmbedding", "type": "sentence_transformers.sentence_transformer.modules.static_embedding.StaticEmbedding"}]
    (nested / "modules.json").write_text(json.dumps(modules, indent=2) + "\n")
    expect("nested")

    of_network = rng.standard_normal((n - len(SPECIAL) - 1, 12)).astype(np.float32) @ np.diag(np.arange(12, 0, -1)).astype(np.float32)
    np.save(HERE / "vectors.npy", of_network)
    reduced = apply_pca(of_network, DIM) * compute_weights(len(of_network), 1e-3)[:, None]
    (HERE / "reduced.json").write_text(json.dumps(reduced.tolist()) + "\n")
    (HERE / "texts.json").write_text(json.dumps(TEXTS, indent=1) + "\n")
    (HERE / "expected.json").write_text(json.dumps(expected) + "\n")


main()
