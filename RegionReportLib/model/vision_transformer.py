"""The 3D vision transformer of RadFM and Reg2RG, for volumes and (smaller) for masks.

The names of its parts are those of the published state dict, which is why sequences are indexed and not named.
Not here: what is done with the tokens.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 (the name all torch code uses)
from einops import rearrange
from torch import Tensor, nn

from .reg2rg_config import EncoderConfig, Size

# Tokens that go through the wide layer of a block at once: enough to keep a processor busy.
_PIECE = 256


def position_rows(used: int, table: int) -> list[int]:
    """Return the table rows of `used` positions: a small image takes evenly spread rows of a table for a large one."""
    if not 0 < used <= table:
        raise ValueError(f"1 to {table} positions fit the table, got {used}")
    return [(i + 1) * (table // used) - 1 for i in range(used)]


class PositionCode(nn.Module):
    """A learned code of the place of a patch: its row, column and depth codes side by side."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        height, width, depth = config.tables
        self.row_embed = nn.Embedding(height, config.dim // 3)
        self.col_embed = nn.Embedding(width, config.dim // 3)
        self.dep_embed = nn.Embedding(depth, config.dim // 3)

    def forward(self, grid: Size) -> Tensor:
        """Return the code `(1, h·w·d, dim)` of all places of a grid of patches (h, w, d)."""
        h, w, d = grid
        rows, cols, deps = (
            table.weight[position_rows(n, table.num_embeddings)]
            for table, n in zip((self.row_embed, self.col_embed, self.dep_embed), grid, strict=True)
        )
        code = torch.cat(
            (
                rows[:, None, None].expand(h, w, d, -1),
                cols[None, :, None].expand(h, w, d, -1),
                deps[None, None, :].expand(h, w, d, -1),
            ),
            dim=-1,
        )
        return rearrange(code, "h w d c -> 1 (h w d) c")


class Attention(nn.Module):
    """Self-attention over all tokens; query, key and value come from one matrix without bias."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.heads, self.dropout = config.heads, config.dropout
        self.to_qkv = nn.Linear(config.dim, 3 * config.inner_dim, bias=False)
        self.to_out = nn.Sequential(nn.Linear(config.inner_dim, config.dim), nn.Dropout(config.dropout))

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens `(n, t, dim)` to `(n, t, dim)`."""
        q, k, v = rearrange(self.to_qkv(x), "n t (three h c) -> three n h t c", three=3, h=self.heads)
        seen = F.scaled_dot_product_attention(q, k, v, dropout_p=self.dropout if self.training else 0.0)
        out: Tensor = self.to_out(rearrange(seen, "n h t c -> n t (h c)"))
        return out


class FeedForward(nn.Module):
    """Two linear layers with an exact GELU between."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(config.dim, config.mlp_dim),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.mlp_dim, config.dim),
            nn.Dropout(config.dropout),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens `(n, t, dim)` to `(n, t, dim)`; on a processor a piece at a time, for the wide part is large."""
        if x.is_cuda:
            whole: Tensor = self.net(x)
            return whole
        return torch.cat([self.net(some) for some in torch.split(x, _PIECE, 1)], dim=1)


class Branch(nn.Module):
    """What is added to the tokens: a norm, then `fn`."""

    def __init__(self, dim: int, fn: nn.Module) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.fn = fn

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens `(n, t, dim)` to what is added to them."""
        out: Tensor = self.fn(self.norm(x))
        return out


class Block(nn.ModuleList):
    """An attention branch and a feed-forward branch, each added to its input."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__((Branch(config.dim, Attention(config)), Branch(config.dim, FeedForward(config))))

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens `(n, t, dim)` to `(n, t, dim)`."""
        for branch in self:
            x = x + branch(x)
        return x


class Blocks(nn.Module):
    """The blocks one after another; no norm at the end."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Block(config) for _ in range(config.depth))

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens `(n, t, dim)` to `(n, t, dim)`."""
        for block in self.layers:
            x = block(x)
        return x


class VisionTransformer(nn.Module):
    """Volumes `(n, c, H, W, D)` to tokens `(n, t, dim)`, height slowest and depth fastest."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.to_patch_embedding = nn.Sequential(
            nn.Identity(),  # index 0 is the cutting into patches, which has no weights
            nn.LayerNorm(config.patch_dim),
            nn.Linear(config.patch_dim, config.dim),
            nn.LayerNorm(config.dim),
        )
        self.pos_embedding = PositionCode(config)
        self.dropout = nn.Dropout(config.dropout)
        self.transformer = Blocks(config)

    def forward(self, volumes: Tensor) -> Tensor:
        """Map volumes to tokens; one channel stands for all of them being equal."""
        tokens = self.patch_tokens(volumes)  # (n, h·w·d, dim)
        tokens = tokens + self.pos_embedding(self.grid_of(volumes))
        out: Tensor = self.transformer(self.dropout(tokens))
        return out

    def grid_of(self, volumes: Tensor) -> Size:
        """Return how many patches fit along height, width and depth; ValueError if they do not fit exactly."""
        sizes, patch = volumes.shape[-3:], self.config.patch
        if volumes.shape[-4] not in (1, self.config.channels) or any(n % p for n, p in zip(sizes, patch, strict=True)):
            raise ValueError(
                f"volumes must be (n, 1 or {self.config.channels}, H, W, D) in whole patches of {patch}, "
                f"got {tuple(volumes.shape)}"
            )
        h, w, d = (n // p for n, p in zip(sizes, patch, strict=True))
        return h, w, d

    def patch_tokens(self, volumes: Tensor) -> Tensor:
        """Map volumes `(n, c, H, W, D)` to patch tokens `(n, t, dim)` without their places.

        One row of patches at a time: cut into patches and normed, a volume is needed twice more, a row of it hardly.
        """
        _, w, d = self.grid_of(volumes)
        _, norm, linear, last = self.to_patch_embedding
        assert isinstance(norm, nn.LayerNorm)
        assert isinstance(linear, nn.Linear)
        fold = volumes.shape[1] != self.config.channels
        weight, bias = _folded(norm, linear, self.config.channels) if fold else (linear.weight, linear.bias)
        rows = []
        for row in torch.split(volumes, self.config.patch[0], dim=-3):
            patches = rearrange(row, "n c a (w b) (d e) -> n (w d) (a b e c)", w=w, d=d)
            patches = F.layer_norm(patches, patches.shape[-1:], eps=norm.eps) if fold else norm(patches)
            rows.append(F.linear(patches, weight, bias))  # (n, w·d, dim)
        tokens: Tensor = last(torch.cat(rows, dim=1))
        return tokens


def _folded(norm: nn.LayerNorm, linear: nn.Linear, channels: int) -> tuple[Tensor, Tensor]:
    """Return weight and bias that do for one channel what `linear(norm(patches))` does for equal channels.

    Equal channels have the mean and deviation of one of them, so the norm's and the linear layer's weights fold into
    one matrix a third as wide: a third of the work and of the memory.
    """
    weight, scale = linear.weight.view(len(linear.weight), -1, channels), norm.weight.view(-1, channels)
    folded = weight[..., 0] * scale[:, 0]
    for c in range(1, channels):
        folded.addcmul_(weight[..., c], scale[:, c])
    return folded, torch.addmv(linear.bias, linear.weight, norm.bias)
