#!/usr/bin/env python3
"""Writes pytorch.json: forward, loss, gradients and three steps of Adam of the MF router, by PyTorch's autograd and torch.optim.Adam.

    pip install numpy==2.4.6 torch==2.13.0
    python3 make.py

The cases have a size below, at and beyond the 32 lanes of our dot products, and a weight decay that three steps show; one has logits beyond 30,
where the logarithm of a sigmoid would lose its digits. No noise: each step is on all rows, so that it is a matter of arithmetic.
"""

import json
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F


class MatrixFactorization(nn.Module):
    def __init__(self, text_dim, dim):
        super().__init__()
        self.model = nn.Embedding(1, dim)
        self.projection = nn.Linear(text_dim, dim, bias=False)
        self.classifier = nn.Linear(dim, 1, bias=False)

    def forward(self, x):
        return self.classifier(F.normalize(self.model.weight, dim=1) * self.projection(x)).squeeze(1)


def numbers(tensor):
    """Float32 values in as few digits as name them."""
    if tensor.dim() > 1:
        return [numbers(row) for row in tensor]
    return [float(str(value)) for value in tensor.detach().numpy()]


def weights(net, pick):
    return {"projection": numbers(pick(net.projection.weight)), "model": numbers(pick(net.model.weight)[0]),
            "classifier": numbers(pick(net.classifier.weight)[0])}


def case(name, n_rows, text_dim, dim, scale, learning_rate, weight_decay):
    torch.manual_seed(0)
    net = MatrixFactorization(text_dim, dim)
    x = scale * torch.randn(n_rows, text_dim)
    y = (torch.rand(n_rows) < 0.6).float()
    made = {"name": name, "embeddings": numbers(x), "labels": numbers(y), "learning-rate": learning_rate, "weight-decay": weight_decay,
            "weights": weights(net, lambda w: w), "logits": numbers(net(x))}
    adam = torch.optim.Adam(net.parameters(), lr=learning_rate, weight_decay=weight_decay)
    made["losses"] = []
    for step in range(3):
        loss = F.binary_cross_entropy_with_logits(net(x), y)
        adam.zero_grad()
        loss.backward()
        if step == 0:
            made["gradients"] = weights(net, lambda w: w.grad)
        adam.step()
        made["losses"].append(loss.item())
    made["after"] = weights(net, lambda w: w)
    return made


def main():
    cases = [
        case("small", 6, 7, 5, 1.0, 3e-4, 1e-5),
        case("lanes", 16, 32, 8, 1.0, 1e-2, 0.3),
        case("large-logits", 9, 41, 6, 400.0, 1e-2, 0.0),
    ]
    assert max(abs(z) for z in cases[2]["logits"]) > 30
    path = Path(__file__).resolve().parent / "pytorch.json"
    path.write_text(json.dumps({"torch": torch.__version__.split("+")[0], "cases": cases}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
