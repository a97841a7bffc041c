"""The network: attention along both axes of a table, equivariant in both; score = greedy's + a residual from 0.

Which designs are alike depends on what all hypotheses say of them, and which hypotheses are alike on what they say of
all designs: attention along one axis adds up its logits over the other and is the same all along it (tied attention:
Rao et al. 2021, MSA Transformer), a covariance under the belief where it runs over hypotheses, which count by their
weight. Vaswani et al. 2017, Attention is all you need; Ho et al. 2019, Axial attention; Lee et al. 2019, Set
Transformer.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from meta_learner.experimenter.features import CELL, DESIGN, HYPOTHESIS, WHOLE, Table

Judge = Callable[[Table], tuple[Tensor, Tensor]]
"""An ``Experimenter``, or what stands for it: table → logits [rows, designs] and value [rows]."""


@dataclass(frozen=True)
class Shape:
    """The network's size."""

    width: int = 32
    heads: int = 4
    layers: int = 2
    sharpness: float = 10.0  # of greedy's scores, whose best is 1, as logits


class Experimenter(nn.Module):
    """Table → logits [rows, designs], -inf where a design is not allowed, and value [rows]. mixed: attention and layers
    in bfloat16 (Micikevicius et al. 2018, Mixed precision training); what is added up to scores stays as it was."""

    def __init__(self, shape: Shape | None = None) -> None:
        super().__init__()
        self.shape, self.mixed = shape or Shape(), False
        width = self.shape.width
        self.cell, self.hypothesis = nn.Linear(CELL, width), nn.Linear(HYPOTHESIS, width, bias=False)
        self.design, self.whole = nn.Linear(DESIGN, width, bias=False), nn.Linear(WHOLE, width, bias=False)
        self.blocks = nn.ModuleList(_Block(width, self.shape.heads) for _ in range(self.shape.layers))
        self.leave = nn.Sequential(
            nn.LayerNorm(2 * width), nn.Linear(2 * width, 2 * width), nn.GELU(), nn.Linear(2 * width, width), nn.GELU()
        )
        self.residual, self.worth = nn.Linear(width, 1), nn.Linear(width, 1)
        for head in (self.residual, self.worth):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    def forward(self, table: Table) -> tuple[Tensor, Tensor]:
        with torch.autocast(table.cell.device.type, torch.bfloat16, enabled=self.mixed):
            residual, value = self._found(table)
        logits = self.shape.sharpness * table.gain + residual.float()
        return logits.masked_fill(~table.allowed, -torch.inf), value.float()

    def _found(self, table: Table) -> tuple[Tensor, Tensor]:
        """Residual [rows, designs] and value [rows]."""
        of_design = self.design(table.design) + self.whole(table.whole)[:, None]  # [rows, designs, width]
        x = self.cell(table.cell) + self.hypothesis(table.hypothesis)[:, None] + of_design[:, :, None]
        weight = table.log_weight.softmax(-1)
        share = table.allowed / table.allowed.sum(-1, keepdim=True).clamp_min(1)
        for block in self.blocks:
            x = block(x, weight, share)
        pooled = (weight[:, None, None] @ x)[:, :, 0]
        found = self.leave(torch.cat([pooled, of_design], dim=-1))
        return self.residual(found)[..., 0], self.worth((share[:, None] @ found)[:, 0])[:, 0]


class _Block(nn.Module):
    """Attention over hypotheses, over designs, and a layer of its own each cell."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.over_hypotheses, self.over_designs = _Tied(width, heads), _Tied(width, heads)
        self.each = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x: Tensor, weight: Tensor, share: Tensor) -> Tensor:
        x = x + self.over_hypotheses(x.transpose(1, 2), weight, share).transpose(1, 2)
        x = x + self.over_designs(x, share, weight)
        out: Tensor = x + self.each(x)
        return out


class _Tied(nn.Module):
    """Along the items of x [rows, items, others, width]: item i attends to j by log share_j + Σ_o weight_o q_io · k_jo,
    shares [rows, items] and weights [rows, others] adding up to 1."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm, self.ask, self.give = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor, share: Tensor, weight: Tensor) -> Tensor:
        rows, items, others, width = x.shape
        each = width // self.heads
        split = self.ask(self.norm(x)).reshape(rows, items, others, 3, self.heads, each)
        query, key, value = split.permute(3, 0, 4, 1, 2, 5)  # [rows, heads, items, others, each]
        query = query * weight[:, None, None, :, None]
        query, key, value = (part.reshape(rows, self.heads, items, others * each) for part in (query, key, value))
        bias = share.clamp_min(1e-12).log()[:, None, None]
        found = scaled_dot_product_attention(query, key, value, attn_mask=bias, scale=1.0 / math.sqrt(each))
        wide = found.reshape(rows, self.heads, items, others, each).permute(0, 2, 3, 1, 4)
        out: Tensor = self.give(wide.reshape(rows, items, others, width))
        return out
