"""The network: attention along both axes of a table, equivariant in both; score = greedy's + a residual from 0.

A hypothesis is attended to in proportion to its weight (log w is added to its key's logit), as an expectation over the
belief would have it. Vaswani et al. 2017, Attention is all you need; Ho et al. 2019, Axial attention; Lee et al. 2019,
Set Transformer.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from meta_learner.experimenter.features import CELL, DESIGN, HYPOTHESIS, WHOLE, Table


@dataclass(frozen=True)
class Shape:
    """The network's size."""

    width: int = 32
    heads: int = 2
    layers: int = 2
    sharpness: float = 10.0  # of greedy's scores, whose best is 1, as logits


class Experimenter(nn.Module):
    """Table → logits [rows, designs], -inf where a design is not allowed, and value [rows]."""

    def __init__(self, shape: Shape | None = None) -> None:
        super().__init__()
        self.shape = shape or Shape()
        width = self.shape.width
        self.enter = nn.Linear(CELL + HYPOTHESIS + DESIGN + WHOLE, width)
        self.blocks = nn.ModuleList(_Block(width, self.shape.heads) for _ in range(self.shape.layers))
        self.leave = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.GELU())
        self.residual, self.worth = nn.Linear(width, 1), nn.Linear(width, 1)
        for head in (self.residual, self.worth):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    def forward(self, table: Table) -> tuple[Tensor, Tensor]:
        rows, designs, hypotheses, _ = table.cell.shape
        wide = (rows, designs, hypotheses, -1)
        parts = [
            table.cell,
            table.hypothesis[:, None].expand(wide),
            table.design[:, :, None].expand(wide),
            table.whole[:, None, None].expand(wide),
        ]
        x = self.enter(torch.cat(parts, dim=-1))
        closed = torch.where(table.allowed, 0.0, -1e9)  # a design that cannot be had is not attended to
        for block in self.blocks:
            x = block(x, table.log_weight, closed)
        of_design = self.leave((table.log_weight.softmax(-1)[:, None, :, None] * x).sum(2))  # [rows, designs, width]
        logits = self.shape.sharpness * table.gain + self.residual(of_design)[..., 0]
        share = table.allowed / table.allowed.sum(-1, keepdim=True).clamp_min(1)
        value = self.worth((share[..., None] * of_design).sum(1))[:, 0]
        return logits.masked_fill(~table.allowed, -torch.inf), value


class _Block(nn.Module):
    """Attention over hypotheses within a design, over designs within a hypothesis, and a layer of its own each cell."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.over_hypotheses, self.over_designs = _Attention(width, heads), _Attention(width, heads)
        self.each = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x: Tensor, log_weight: Tensor, closed: Tensor) -> Tensor:
        x = x + self.over_hypotheses(x, log_weight)
        x = x + self.over_designs(x.transpose(1, 2), closed).transpose(1, 2)
        out: Tensor = x + self.each(x)
        return out


class _Attention(nn.Module):
    """Along the third axis of x [rows, others, items, width]; bias [rows, items] on the items attended to."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm, self.ask, self.give = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        rows, others, items, width = x.shape
        split = self.ask(self.norm(x)).reshape(rows * others, items, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        mask = bias[:, None].expand(rows, others, items).reshape(rows * others, 1, 1, items)
        found = scaled_dot_product_attention(query, key, value, attn_mask=mask.to(x.dtype))
        out: Tensor = self.give(found.transpose(1, 2).reshape(rows, others, items, width))
        return out
