"""From the state in which the language model writes `<box>` to boxes in the scan.

After MedRG / uMedGround (arXiv 2404.06798 v3): the state becomes a query, a two-way transformer lets it read the 3D
features (the decoder of Segment Anything, arXiv 2304.02643 §A, without its masks), and each box comes as several
hypotheses whose dispersion is its uncertainty. Other than there, one `<box>` gives several slots with an existence
score each, so that a sentence may have no place, one or several; which slot answers for which lesion is settled by
matching in training. The loss is in `train/box_losses.py`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor, nn

from ..imaging.box import Box
from .box_frame import BoxFrame


@dataclass(frozen=True, slots=True)
class BoxHeadConfig:
    """Sizes: `state_width` of the language model, `feature_width` of the 3D features, `width` within the decoder.

    `width` must divide by six, for three axes of sine and cosine, and by `heads`.
    """

    state_width: int
    feature_width: int
    width: int = 96
    heads: int = 4
    blocks: int = 2
    slots: int = 4
    hypotheses: int = 3

    def __post_init__(self) -> None:
        if self.width % 6 or self.width % self.heads:
            raise ValueError(f"width must divide by 6 and by {self.heads} heads, got {self.width}")
        if min(self.slots, self.hypotheses, self.blocks) < 1:
            raise ValueError(f"slots, hypotheses and blocks must be positive, got {self}")


@dataclass(frozen=True, slots=True, eq=False)
class BoxGuesses:
    """What the head says for N states: unit boxes `(N, S, M, 6)` and, as logits, whether a slot holds a lesion
    `(N, S)` and which of its M hypotheses is best `(N, S, M)`."""

    boxes: Tensor
    existence: Tensor
    choice: Tensor


@dataclass(frozen=True, slots=True)
class FoundBox:
    """A box in the patient, the chance 0..1 that it holds what the sentence says, and how far the hypotheses differ."""

    box: Box
    existence: float
    dispersion_mm: float


class BoxHead(nn.Module):
    """Reads boxes for states of `<box>` out of 3D features."""

    def __init__(self, config: BoxHeadConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.query = nn.Sequential(
            nn.Linear(config.state_width, config.state_width), nn.ReLU(), nn.Linear(config.state_width, width)
        )
        self.slot = nn.Parameter(torch.randn(config.slots, width) * width**-0.5)
        self.features = nn.Linear(config.feature_width, width)
        self.blocks = nn.ModuleList(TwoWayBlock(width, config.heads) for _ in range(config.blocks))
        self.last_look = nn.MultiheadAttention(width, config.heads, batch_first=True)
        self.norm = nn.LayerNorm(width)
        self.boxes = nn.ModuleList(mlp(width, 6) for _ in range(config.hypotheses))
        self.existence = mlp(width, 1)
        self.choice = mlp(width, config.hypotheses)

    def forward(self, states: Tensor, features: Tensor, owner: Tensor) -> BoxGuesses:
        """Return guesses for states `(N, E)` in features `(B, C, D, H, W)`; `owner` `(N,)` names each state's study."""
        query = self.query(states)
        slots = rearrange(query, "n w -> n 1 w") + self.slot  # (N, S, W)
        place = rearrange(sine_place(features.shape[2:], self.config.width, features), "d h w c -> 1 (d h w) c")
        image = self.features(rearrange(features, "b c d h w -> b (d h w) c"))[owner]  # (N, DHW, W)
        tokens = torch.cat((rearrange(query, "n w -> n 1 w"), slots), dim=1)  # (N, 1+S, W)
        for block in self.blocks:
            tokens, image = block(tokens, image, place)
        tokens = self.norm(tokens + self.last_look(tokens, image + place, image, need_weights=False)[0])
        slots = tokens[:, 1:]
        boxes = torch.stack([head(slots) for head in self.boxes], dim=2).sigmoid()  # (N, S, M, 6)
        return BoxGuesses(boxes, self.existence(slots)[..., 0], self.choice(slots))


class TwoWayBlock(nn.Module):
    """Tokens look at each other and at the image, then the image looks at the tokens."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.among = nn.MultiheadAttention(width, heads, batch_first=True)
        self.to_image = nn.MultiheadAttention(width, heads, batch_first=True)
        self.think = mlp(width, width)
        self.to_tokens = nn.MultiheadAttention(width, heads, batch_first=True)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(4))

    def forward(self, tokens: Tensor, image: Tensor, place: Tensor) -> tuple[Tensor, Tensor]:
        """Return tokens `(N, T, W)` and image `(N, P, W)` after one exchange; `place` `(1, P, W)` is where."""
        tokens = self.norms[0](tokens + self.among(tokens, tokens, tokens, need_weights=False)[0])
        tokens = self.norms[1](tokens + self.to_image(tokens, image + place, image, need_weights=False)[0])
        tokens = self.norms[2](tokens + self.think(tokens))
        image = self.norms[3](image + self.to_tokens(image + place, tokens, tokens, need_weights=False)[0])
        return tokens, image


def mlp(width: int, out: int) -> nn.Sequential:
    """Return a perceptron with one hidden layer of the same width."""
    return nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, out))


def sine_place(size_dhw: tuple[int, ...], width: int, like: Tensor) -> Tensor:
    """Return sines and cosines `(D, H, W, width)` of the place of each feature, a third of the width for each axis.

    Places are fractions 0..1 of the input, so that they mean the same at any size.
    """
    count = width // 6
    rate = math.pi * 2.0 ** torch.linspace(0, math.log2(32.0), count, device=like.device)  # half a turn to 16 turns
    parts = []
    for axis, n in enumerate(size_dhw):
        at = (torch.arange(n, device=like.device) + 0.5) / n
        angle = at[:, None] * rate  # (n, count)
        wave = torch.cat((angle.sin(), angle.cos()), dim=1)
        shape = [1, 1, 1, 2 * count]
        shape[axis] = n
        parts.append(wave.reshape(shape).expand(*size_dhw, 2 * count))
    return torch.cat(parts, dim=-1).to(like.dtype)


def read_boxes(guesses: BoxGuesses, frame: BoxFrame, threshold: float = 0.5) -> tuple[tuple[FoundBox, ...], ...]:
    """Return for each state the boxes of the slots whose existence reaches `threshold`, surest first.

    The box of a slot is its hypothesis with the best choice score; the dispersion is over all of them.
    """
    units = guesses.boxes.detach().double().cpu().numpy()
    chances = guesses.existence.detach().double().sigmoid().cpu().numpy()
    best = guesses.choice.detach().argmax(dim=-1).cpu().numpy()
    out = []
    for n in range(len(units)):
        order = sorted(range(units.shape[1]), key=lambda s: -float(chances[n, s]))
        out.append(
            tuple(
                FoundBox(frame.to_box(units[n, s, best[n, s]]), float(chances[n, s]), frame.dispersion_mm(units[n, s]))
                for s in order
                if chances[n, s] >= threshold
            )
        )
    return tuple(out)
