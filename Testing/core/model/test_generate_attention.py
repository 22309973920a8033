"""Attention to a shared beginning equals attention to a copy of it in every row."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional

from RegionReportLib.model.generate_attention import attend, can_share
from RegionReportLib.model.generate_cache import Beginning, Shared, mark_shared

ROWS, HEADS, GROUPS, WIDTH = 3, 4, 2, 8


@pytest.mark.parametrize(("places", "kind"), [(1, "none"), (1, "bool"), (5, "bool"), (5, "float")])
def test_it_finds_what_plain_attention_finds_in_copies(places: int, kind: str) -> None:
    torch.manual_seed(0)
    first = tuple(torch.randn(1, GROUPS, 6, WIDTH) for _ in range(2))
    query = torch.randn(ROWS, HEADS, places, WIDTH)
    key, value = (torch.randn(ROWS, GROUPS, 5, WIDTH) for _ in range(2))
    sees = torch.rand(ROWS, 1, places, 11) > 0.3
    sees[..., 0] = True
    mask = {"none": None, "bool": sees, "float": torch.zeros(sees.shape).masked_fill(~sees, -1e9)}[kind]
    keys, values = (
        torch.cat((f.expand(ROWS, -1, -1, -1), own), dim=2) for f, own in zip(first, (key, value), strict=True)
    )
    copied = (x.repeat_interleave(HEADS // GROUPS, dim=1) for x in (keys, values))
    expected = functional.scaled_dot_product_attention(query, *copied, attn_mask=mask)
    mark_shared(key, Shared(6, (Beginning(first[0][0], first[1][0], 0, ROWS),)))
    found, _ = attend(None, query, key, value, mask, scaling=WIDTH**-0.5)
    assert torch.allclose(found, expected.transpose(1, 2), atol=1e-5)


@pytest.mark.parametrize(
    ("family", "way", "may"),
    [("llama", "sdpa", True), ("qwen2", "sdpa", True), ("llama", "eager", False), ("gemma2", "sdpa", False)],
)
def test_only_plain_attention_is_replaced(family: str, way: str, may: bool) -> None:
    config = SimpleNamespace(model_type=family, _attn_implementation=way)
    assert can_share(SimpleNamespace(config=config)) is may
