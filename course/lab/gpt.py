"""A small GPT that can be read in one sitting: pre-norm blocks, RMSNorm, rotary positions, a gated MLP, an untied
head.

It keeps the contract of a transformers model: `model(input_ids=..., attention_mask=...).logits` is (B, T, V) and
position t predicts token t+1. At its default size it learns Python-like text in a second or two on one CPU thread.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class GPTConfig:
    vocab_size: int = 259
    width: int = 32  # features of one token; a multiple of 2 * heads
    layers: int = 1
    heads: int = 2
    seq_len: int = 64  # the longest input, in tokens
    mlp_width: int = 96
    dropout: float = 0.0
    zero_head: bool = True  # head at zero: every token equally likely, so the fresh loss is exactly ln(vocab_size)


@dataclass
class Output:
    logits: torch.Tensor  # (B, T, V)


class Linear(nn.Linear):
    def reset_parameters(self):
        """Left to GPT, which draws every weight from one generator and leaves the global one alone."""


class RMSNorm(nn.Module):
    """x / sqrt(mean(x^2) + eps) * weight over the last axis (Zhang & Sennrich 2019, arXiv 1910.07467)."""

    def __init__(self, width, eps=1e-5):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(width)), eps

    def forward(self, x):
        return F.rms_norm(x, self.weight.shape, self.weight, self.eps)


def rotary(seq_len, head_width, base=10_000.0):
    """cos and sin, each (seq_len, head_width), of the angles t * base^(-2i / head_width) (RoPE: Su et al. 2021, arXiv
    2104.09864).
    """
    frequencies = base ** (-torch.arange(0, head_width, 2) / head_width)
    angles = torch.outer(torch.arange(seq_len), frequencies).repeat(1, 2)
    return angles.cos(), angles.sin()


def rotate(x, cos, sin):
    """x (..., T, head_width), its halves taken as pairs and turned by the angle of their position."""
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-second, first], dim=-1) * sin


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.heads, self.dropout = config.heads, config.dropout
        self.qkv = Linear(config.width, 3 * config.width, bias=False)
        self.out = Linear(config.width, config.width, bias=False)

    def forward(self, x, cos, sin, allowed=None):
        """x (B, T, width); `allowed` (B, 1, T, T) bool says which keys a query may see, None means all up to itself."""
        batch, length, width = x.shape
        q, k, v = (
            self.qkv(x).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        )  # each (B, H, T, head_width)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        mixed = F.scaled_dot_product_attention(
            q, k, v, attn_mask=allowed, is_causal=allowed is None, dropout_p=self.dropout if self.training else 0.0
        )
        return self.out(mixed.transpose(1, 2).reshape(batch, length, width))


class MLP(nn.Module):
    """down(silu(gate(x)) * up(x)), the gated MLP of Llama (Shazeer 2020, arXiv 2002.05202)."""

    def __init__(self, config):
        super().__init__()
        self.gate_up = Linear(config.width, 2 * config.mlp_width, bias=False)
        self.down = Linear(config.mlp_width, config.width, bias=False)

    def forward(self, x):
        gate, up = self.gate_up(x).chunk(2, dim=-1)
        return self.down(F.silu(gate) * up)


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.norm1, self.attention = RMSNorm(config.width), Attention(config)
        self.norm2, self.mlp = RMSNorm(config.width), MLP(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x, cos, sin, allowed=None):
        x = x + self.dropout(self.attention(self.norm1(x), cos, sin, allowed))
        return x + self.dropout(self.mlp(self.norm2(x)))


class GPT(nn.Module):
    """`GPT(GPTConfig(...), generator)`; the weights come from `generator`, or from the global one if None."""

    def __init__(self, config: GPTConfig | None = None, generator: torch.Generator | None = None):
        super().__init__()
        self.config = config = config or GPTConfig()
        # A generator of its own also for the embedding, whose constructor would draw from the global one.
        self.embedding = nn.Embedding(
            config.vocab_size, config.width, _weight=torch.empty(config.vocab_size, config.width)
        )
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = RMSNorm(config.width)
        self.head = Linear(config.width, config.vocab_size, bias=False)
        cos, sin = rotary(config.seq_len, config.width // config.heads)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self.initialise(generator)

    @torch.no_grad()
    def initialise(self, generator=None):
        """N(0, 1/inputs) for matrices, N(0, 1) for the embedding, zero for what writes to the residual path and for a
        zero head.
        """
        for name, weight in self.named_parameters():
            if name.endswith(("out.weight", "down.weight")) or (name == "head.weight" and self.config.zero_head):
                weight.zero_()
            elif weight.ndim == 2:
                weight.normal_(
                    0.0, 1.0 if name.startswith("embedding") else weight.shape[1] ** -0.5, generator=generator
                )

    def forward(self, input_ids, attention_mask=None):
        """input_ids (B, T) int64, T <= seq_len; attention_mask (B, T), 0 where a token is padding. Returns
        Output(logits (B, T, V)).
        """
        length = input_ids.shape[1]
        if length > self.config.seq_len:
            raise ValueError(f"{length} tokens do not fit into a model of seq_len {self.config.seq_len}")
        allowed = None
        if attention_mask is not None and not attention_mask.all():
            seen = torch.ones(length, length, dtype=torch.bool, device=input_ids.device).tril()
            # Every query may see itself: a row of nothing but padding would be 0/0 otherwise.
            allowed = seen & attention_mask[:, None, None, :].bool() | torch.eye(
                length, dtype=torch.bool, device=input_ids.device
            )
        x = self.embedding(input_ids)
        for block in self.blocks:
            x = block(x, self.cos[:length], self.sin[:length], allowed)
        return Output(self.head(self.norm(x)))

    @torch.no_grad()
    def generate(
        self, input_ids, max_new_tokens: int, temperature: float = 1.0, top_k: int | None = None, generator=None
    ):
        """input_ids (B, T) with `max_new_tokens` sampled ids behind each row; only the last seq_len ids are read for
        the next.
        """
        for _ in range(max_new_tokens):
            logits = self(input_ids[:, -self.config.seq_len :]).logits[:, -1] / temperature
            if top_k is not None:
                logits = logits.masked_fill(logits < logits.topk(top_k).values[:, -1:], -torch.inf)
            chosen = torch.multinomial(logits.softmax(-1), 1, generator=generator)
            input_ids = torch.cat([input_ids, chosen], dim=1)
        return input_ids
