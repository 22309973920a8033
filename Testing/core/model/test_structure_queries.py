"""Queries look where their region is, and texts and images meet in one space."""

from __future__ import annotations

import pytest
import torch
from einops import rearrange

from RegionReportLib.model.config import ModelConfig
from RegionReportLib.model.structure_queries import StructureQueries, TextSide, place_waves
from RegionReportLib.model.tokenizer import ReportTokenizer


@pytest.fixture
def queries(toy_config: ModelConfig) -> StructureQueries:
    torch.manual_seed(0)
    return StructureQueries(toy_config.structure, 6, 6).eval()


def test_the_tokens_are_the_query_and_the_patches_that_it_looked_at_most(queries: StructureQueries) -> None:
    patches, masks = torch.randn(2, 6, 4, 4), torch.rand(6, 2, 8, 8)
    caught = []
    queries.layers[-1].register_forward_hook(lambda _module, _inputs, out: caught.append(out))
    seen = queries(patches, masks)
    asked, looked_at, attention = caught[0]
    assert seen.tokens.shape == (6, 3, 8)
    assert torch.equal(seen.tokens[:, 0], asked)
    for region in range(6):
        order = sorted(range(32), key=lambda n: -float(attention[region, n].detach()))
        assert torch.equal(seen.tokens[region, 1:], looked_at[order[:2]])


def test_embeddings_have_length_one_and_differ_between_regions(queries: StructureQueries) -> None:
    seen = queries(torch.randn(2, 6, 4, 4), torch.rand(6, 2, 8, 8))
    assert torch.allclose(seen.embedding.norm(dim=1), torch.ones(6))
    likeness = seen.embedding @ seen.embedding.T - torch.eye(6)
    assert (likeness < 0.999).all()


def test_a_mask_draws_the_look_of_its_region(queries: StructureQueries) -> None:
    patches, masks = torch.randn(2, 6, 4, 4), torch.zeros(6, 2, 8, 8)
    masks[0, 1, :4, 4:] = 1
    inside = torch.zeros(2, 4, 4)
    inside[1, :2, 2:] = 1
    share = [
        float(rearrange(queries(patches, m).attention[0], "(d h w) -> d h w", d=2, h=4)[inside > 0].sum())
        for m in (torch.zeros_like(masks), masks)
    ]
    assert share[1] > 1.5 * share[0]


def test_patches_know_their_place() -> None:
    waves = place_waves((3, 4, 5), torch.zeros(1))
    assert waves.shape == (60, 36)
    assert len({tuple(row) for row in waves.tolist()}) == 60


def test_a_text_means_the_same_alone_and_beside_a_longer_one(toy_config: ModelConfig) -> None:
    torch.manual_seed(0)
    words = ReportTokenizer.train(["No pleural effusion. Nodule in the right lung."])
    settings = {**toy_config.structure.text.settings, "vocab_size": words.size}
    text = type(toy_config.structure.text)(settings)
    side = TextSide(type(toy_config.structure)(width=8, heads=2, embedding=6, text=text, text_tokens=12), words).eval()
    alone = side(["Nodule."])
    beside = side(["Nodule.", "No pleural effusion in the right lung."])
    assert torch.allclose(alone[0], beside[0], atol=1e-6)
    assert torch.allclose(beside.norm(dim=1), torch.ones(2))
    assert not torch.allclose(beside[0], beside[1], atol=1e-3)
    assert torch.isfinite(side([""])).all()
    # What is cut away cannot change the vector.
    long = "right " * 12
    assert torch.allclose(side([long + "lung"]), side([long + "pleural effusion"]))
