"""A transformer over the history: one token an experiment, each attending to itself and what came before.

Vaswani et al. 2017, Attention is all you need, NeurIPS; as a meta-learned policy: Melo 2022, Transformers are
meta-reinforcement learners, ICML. No positions are added: experiments are exchangeable given their world, and what
is left of the budget tells how far an episode is.
"""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from meta_learner.specialists.features import Featuriser, Tokens
from meta_learner.specialists.network import Layout, Specialist, perceptron, token_width, whole


@dataclass(frozen=True)
class Options:
    """width: of a token; heads of the attention; layers of blocks."""

    width: int = 64
    heads: int = 2
    layers: int = 2


class Transformer(Specialist):
    """Blocks of causal attention, normalised before (Xiong et al. 2020)."""

    family = "transformer"

    def __init__(self, featuriser: Featuriser, layout: Layout, options: Options) -> None:
        super().__init__(featuriser, layout, options)
        self.enter = nn.Linear(token_width(featuriser), options.width)
        self.blocks = nn.ModuleList(_Block(options.width, options.heads) for _ in range(options.layers))
        self.leave = nn.LayerNorm(options.width)

    def encode(self, tokens: Tokens) -> Tensor:
        x = self.enter(whole(tokens))
        for block in self.blocks:
            x = block(x)
        out: Tensor = self.leave(x)
        return out


class _Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm, self.ask, self.give = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.each = nn.Sequential(nn.LayerNorm(width), perceptron(width, 2 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        rows, steps, width = x.shape
        split = self.ask(self.norm(x)).reshape(rows, steps, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        found = scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.give(found.transpose(1, 2).reshape(rows, steps, width))
        out: Tensor = x + self.each(x)
        return out
