#!/usr/bin/env python3
"""Makes examples/data/sample.pt, the checkpoint that ./run, the examples and the README convert.

A small language model as a training run leaves it behind: its state dict with tied embeddings,
the optimiser's state, and the run's settings. Needs PyTorch:

    tools/make_venv.sh build/venv
    build/venv/bin/python tools/make_sample.py
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

OUTPUT = Path(__file__).resolve().parent.parent / "examples" / "data" / "sample.pt"
VOCABULARY, WIDTH, HEADS = 96, 32, 4


class Block(nn.Module):
    """One transformer block: attention and a feed-forward net, each behind a norm."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(WIDTH)
        self.attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.norm2 = nn.LayerNorm(WIDTH)
        self.feed_forward = nn.Sequential(nn.Linear(WIDTH, 64), nn.GELU(), nn.Linear(64, WIDTH))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        normed = self.norm1(x)
        x = x + self.attention(normed, normed, normed, need_weights=False)[0]
        return x + self.feed_forward(self.norm2(x))


class TinyLanguageModel(nn.Module):
    """Token embedding, one block, and a head whose weight is the embedding's."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        self.block = Block()
        self.head = nn.Linear(WIDTH, VOCABULARY, bias=False)
        self.head.weight = self.embedding.weight
        self.register_buffer("positions", torch.arange(16))
        self.register_buffer("causal_mask", torch.ones(16, 16, dtype=torch.bool).tril())
        self.register_buffer("adapter", torch.randn(4, WIDTH).to(torch.bfloat16))
        self.register_buffer("quantised", torch.randn(8, WIDTH).to(torch.float8_e4m3fn))
        self.register_buffer("scale", torch.tensor(0.5, dtype=torch.float16))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.head(self.block(self.embedding(tokens)))


def train(model: TinyLanguageModel, steps: int) -> torch.optim.Optimizer:
    """A few steps on random tokens, so that the optimiser has state to save."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for _ in range(steps):
        tokens = torch.randint(VOCABULARY, (2, 16))
        loss = nn.functional.cross_entropy(model(tokens).flatten(0, 1), tokens.roll(-1, 1).flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return optimizer


def main() -> None:
    torch.manual_seed(20)
    model = TinyLanguageModel()
    optimizer = train(model, steps=3)
    checkpoint = {
        "epoch": 1,
        "global_step": 3,
        "state_dict": model.state_dict(),
        "optimizer_states": [optimizer.state_dict()],
        "hyper_parameters": {"lr": 0.05, "vocabulary": VOCABULARY, "tied": True, "name": "tiny"},
    }
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    torch.save(checkpoint, OUTPUT)
    print(f"{OUTPUT}: {OUTPUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
