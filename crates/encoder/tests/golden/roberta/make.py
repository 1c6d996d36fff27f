#!/usr/bin/env python3
"""Makes the files of this folder and ../minilm-l6/transformers.npy with transformers and PyTorch.

    performance/   a random RoBERTa (2 layers, 4 heads, width 16) that classifies, and its expected.json
    cost/          the same as a regression

expected.json has a model's outputs for a dozen prompts, padded with and without an attention mask and one by one, and five steps of AdamW.

    python3 -m venv --system-site-packages venv        # Debian's python3-torch 1.13.1; any PyTorch will do
    venv/bin/pip install transformers==4.44.2 'numpy<2'
    venv/bin/python make.py ../../../../../models/all-MiniLM-L6-v2
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors.numpy import load_file, save_file
from tokenizers import ByteLevelBPETokenizer
from transformers import (
    BertConfig,
    BertModel,
    BertTokenizerFast,
    RobertaConfig,
    RobertaForSequenceClassification,
    RobertaTokenizerFast,
    get_linear_schedule_with_warmup,
)

HERE = Path(__file__).resolve().parent
MAX_TOKENS = 24
N_LABELS = 3
# An empty text; accents, Chinese, an emoji with a joiner; line breaks; several that must be cut off.
PROMPTS = [
    "Which planet is the largest?",
    "Which of these planets is the largest: Mars, Venus, Earth or Jupiter? Say why.",
    "",
    "a",
    "naïve café – 你好 😀 \u200d x",
    "def add(a, b):\n    return a + b\n\n\tprint(add(1, 2))",
    "What is the integral of x^2 from 0 to 3?\nA. 3\nB. 6\nC. 9\nD. 27\nAnswer:",
    "very long " * 40,
    "Why?",
    "The largest planet is the fifth from the sun.",
    "  two spaces  at both ends  ",
    "Write a joke about a planet that is not the largest.",
]


def write_tokenizer(folder):
    bpe = ByteLevelBPETokenizer()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    bpe.train_from_iterator(PROMPTS, vocab_size=300, min_frequency=2, special_tokens=special, show_progress=False)
    folder.mkdir(parents=True, exist_ok=True)
    bpe.save_model(str(folder))
    tokenizer = RobertaTokenizerFast(str(folder / "vocab.json"), str(folder / "merges.txt"))
    tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    return tokenizer


def make(folder, problem_type, seed):
    torch.manual_seed(seed)
    tokenizer = write_tokenizer(folder)
    config = RobertaConfig(
        vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=32, max_position_embeddings=40,
        type_vocab_size=1, layer_norm_eps=1e-5, num_labels=N_LABELS, problem_type=problem_type, pad_token_id=1, bos_token_id=0, eos_token_id=2,
    )
    config.architectures = ["RobertaForSequenceClassification"]
    model = RobertaForSequenceClassification(config)
    with torch.no_grad():
        # The initial weights are so small that outputs would hardly depend on the prompt.
        for name, weight in model.named_parameters():
            if "LayerNorm" not in name:
                weight.normal_(0, 0.3)
    (folder / "config.json").write_text(config.to_json_string())
    save_file({name: w.detach().numpy() for name, w in model.named_parameters()}, folder / "model.safetensors", {"format": "pt"})

    inputs = tokenizer(PROMPTS, truncation=True, max_length=MAX_TOKENS, padding="longest", return_tensors="pt")
    # What transformers itself reads from the folder must be the same, or the folder is not in its layout.
    again = RobertaForSequenceClassification(RobertaConfig.from_json_file(str(folder / "config.json")))
    again.load_state_dict({name: torch.from_numpy(w) for name, w in load_file(folder / "model.safetensors").items()})
    model.eval()
    again.eval()
    with torch.no_grad():
        with_mask = model(**inputs).logits
        assert torch.equal(with_mask, again(**inputs).logits)
        without_mask = model(inputs["input_ids"]).logits
        single = [model(**tokenizer(prompt, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")).logits[0] for prompt in PROMPTS]
    labels = torch.from_numpy(np.random.default_rng(seed).random((len(PROMPTS), N_LABELS), dtype=np.float32))
    expected = {
        "made_with": f"transformers {transformers.__version__}, torch {torch.__version__}, CPU float32",
        "prompts": PROMPTS,
        "max_length": MAX_TOKENS,
        "logits_with_mask": with_mask.tolist(),
        "logits_single": torch.stack(single).tolist(),
        "logits_without_mask": without_mask.tolist(),
        "labels": labels.tolist(),
        "training": train(again, inputs, labels),
    }
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


def train(model, inputs, labels):
    """AdamW of lr 1e-3, decay .01 except for biases and LayerNorm, linear warm-up 2 of 5, gradient norm clipped to 1, no dropout."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    model.train()
    is_plain = lambda name: name.endswith("bias") or "LayerNorm" in name
    groups = [
        {"params": [w for name, w in model.named_parameters() if not is_plain(name)], "weight_decay": 0.01},
        {"params": [w for name, w in model.named_parameters() if is_plain(name)], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.999), eps=1e-8)
    schedule = get_linear_schedule_with_warmup(optimizer, 2, 5)
    steps = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = model(**inputs, labels=labels).loss
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        steps.append({"lr": schedule.get_last_lr()[0], "loss": loss.item(), "grad_norm_before_clip": norm.item()})
        optimizer.step()
        schedule.step()
    model.eval()
    with torch.no_grad():
        return {"steps": steps, "logits_after": model(**inputs).logits.tolist()}


def minilm(folder):
    """Mean-pooled, normalized vectors of ../prompts.json, as sentence-transformers makes them."""
    prompts = json.loads((HERE.parent / "prompts.json").read_text())
    model = BertModel(BertConfig.from_json_file(str(folder / "config.json")))
    weights = {name: torch.from_numpy(w) for name, w in load_file(folder / "model.safetensors").items()}
    model.load_state_dict(weights, strict=False)
    missing = set(dict(model.named_parameters())) - set(weights)
    assert not missing, missing
    model.eval()
    tokenizer = BertTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), do_lower_case=True)
    max_tokens = json.loads((folder / "sentence_bert_config.json").read_text())["max_seq_length"]
    rows = []
    with torch.no_grad():
        for prompt in prompts:
            inputs = tokenizer(prompt, truncation=True, max_length=max_tokens, return_tensors="pt")
            mean = model(**inputs).last_hidden_state[0].mean(0)
            rows.append((mean / mean.norm()).numpy())
    np.save(HERE.parent / "minilm-l6/transformers.npy", np.stack(rows))


make(HERE / "performance", "multi_label_classification", 0)
make(HERE / "cost", "regression", 1)
minilm(Path(sys.argv[1]))
