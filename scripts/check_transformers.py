#!/usr/bin/env python3
"""Prints what Python's transformers makes of a RoBERTa classifier's folder: a line of JSON per prompt, the outputs in the labels' order.

    pip install -r scripts/requirements-transformers.txt
    scripts/check_transformers.py FOLDER < prompts.txt           a prompt a line
    scripts/check_transformers.py FOLDER --expected FILE.json    {"prompts": [...], "outputs": [[...]]}: prints the largest difference

A folder that we wrote is to load without a complaint and to give our outputs; what transformers reports as missing or unexpected weights is an error here.
Exit status 1 if so, or if outputs differ by more than 1e-4.
"""

import argparse
import json
import sys

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

TOLERANCE = 1e-4


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--expected", help="a file with prompts and outputs to compare with")
    parser.add_argument("--max-tokens", type=int, default=512)
    args = parser.parse_args()

    model, info = AutoModelForSequenceClassification.from_pretrained(
        args.folder, output_loading_info=True, local_files_only=True
    )
    bad = {key: sorted(value) for key, value in info.items() if value}
    if bad:
        sys.exit(f"transformers complains of the weights: {bad}")
    model.eval()
    tokenizer = AutoTokenizer.from_pretrained(args.folder, local_files_only=True)
    max_tokens = min(args.max_tokens, model.config.max_position_embeddings - model.config.pad_token_id - 1)

    expected = json.load(open(args.expected, encoding="utf-8")) if args.expected else None
    prompts = expected["prompts"] if expected else sys.stdin.read().splitlines()
    worst = 0.0
    for row, prompt in enumerate(prompts):
        tokens = tokenizer(prompt, truncation=True, max_length=max_tokens, return_tensors="pt")
        with torch.no_grad():
            outputs = model(**tokens).logits[0]
        if expected:
            worst = max(worst, (outputs - torch.tensor(expected["outputs"][row])).abs().max().item())
        else:
            print(json.dumps({"prompt": prompt, "outputs": outputs.tolist()}, ensure_ascii=False))
    if expected:
        labels = [model.config.id2label[i] for i in range(model.config.num_labels)]
        print(json.dumps({"labels": labels, "problem_type": model.config.problem_type, "largest_difference": worst}))
        sys.exit(worst > TOLERANCE)


if __name__ == "__main__":
    main()
