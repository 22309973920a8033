"""Ours against what the original modules compute, stage by stage, at full size with weights from a formula."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from RegionReportLib.model.reg2rg import on_meta
from RegionReportLib.model.reg2rg_config import PUBLISHED
from RegionReportLib.model.reg2rg_embedding import VisualEmbedding
from RegionReportLib.model.reg2rg_features import FeatureCache, Features, encode
from RegionReportLib.model.reg2rg_inputs import prepare
from RegionReportLib.progress import finish

pytestmark = pytest.mark.slow


class Encoded:
    """The visual side with formula weights; each volume goes through it once."""

    def __init__(self, original: Any) -> None:
        self.original = original
        self.layer: VisualEmbedding = on_meta(PUBLISHED).embedding_layer.eval()
        names = [f"embedding_layer.{name}" for name in self.layer.state_dict()]
        shapes = {key: tuple(record["shape"]) for key, record in original.records["weights"].items()}
        assert set(names) == set(shapes)
        filled = OrderedDict(
            (key.removeprefix("embedding_layer."), torch.from_numpy(original.formula.parameter(original.salt, key, s)))
            for key, s in shapes.items()
        )
        self.layer.load_state_dict(filled, assign=True)
        self._textures: dict[str, dict[str, Tensor]] = {}

    @torch.inference_mode()
    def stages(self, case: str, inside: bool = False) -> dict[str, Tensor]:
        """Return what each part gave for `<name>:<sample>`, with the inside of the encoders if wished."""
        if case in self._textures:
            return self._textures[case]
        name, sample = case.split(":")
        formula, salt, layer = self.original.formula, self.original.salt, self.layer
        volume = torch.from_numpy(formula.volume(salt, name, int(sample)))[None, None]
        seen: dict[str, Tensor] = {}
        hooks = self._watch(seen, inside)
        # With the inside, three channels as the original had them; else one, which must give the same.
        seen["fc"] = layer.texture(volume.expand(-1, 3, -1, -1, -1) if inside else volume)
        if name != "image":
            seen["mask_fc"] = layer.geometry(torch.from_numpy(formula.mask(salt, name, int(sample)))[None])[0]
            seen["mask_pooled"] = seen["mask_encoder"].mean(dim=1)
        for hook in hooks:
            hook.remove()
        self._textures[case] = seen
        return seen

    def _watch(self, seen: dict[str, Tensor], inside: bool) -> list[Any]:
        layer = self.layer
        watched: dict[str, nn.Module] = {
            "vision_encoder": layer.vision_encoder,
            "mask_encoder": layer.mask_encoder,
            "perceiver": layer.perceiver,
        }
        if inside:
            for name, encoder in (("vision_encoder", layer.vision_encoder), ("mask_encoder", layer.mask_encoder)):
                watched[f"{name}.patch_embedding"] = encoder.to_patch_embedding[3]
                watched[f"{name}.position"] = encoder.pos_embedding
                for n, block in enumerate(encoder.transformer.layers):
                    watched[f"{name}.block{n}"] = block
                attention, mlp = encoder.transformer.layers[0]  # type: ignore[misc]
                watched[f"{name}.block0.attention_branch"] = attention
                watched[f"{name}.block0.mlp_branch"] = mlp
            for n, part in enumerate(layer.perceiver.layers):
                watched[f"perceiver.layer{n}"] = part
            attention, mlp = layer.perceiver.layers[0]  # type: ignore[misc]
            watched["perceiver.layer0.attention_branch"] = attention
            watched["perceiver.layer0.ff_branch"] = mlp
        return [
            module.register_forward_hook(lambda _m, _i, out, name=name: seen.__setitem__(name, out))
            for name, module in watched.items()
        ]

    def features(self, case: str) -> Tensor:
        """Return the tokens of a scan (32, E) or of a region (33, E)."""
        seen = self.stages(case)
        return torch.cat([seen[part].reshape(-1, 4096) for part in ("fc", "mask_fc") if part in seen])


@pytest.fixture(scope="module")
def encoded(original: Any) -> Encoded:
    return Encoded(original)


def test_the_formula_gives_the_recorded_weights_and_inputs(original: Any, encoded: Encoded) -> None:
    state = encoded.layer.state_dict()
    for key, record in original.records["weights"].items():
        value = state[key.removeprefix("embedding_layer.")].flatten()
        np.testing.assert_allclose(value[:4].tolist(), record["first4"], rtol=1e-7)
        assert value[-1].item() == pytest.approx(record["last"], rel=1e-7)
    for key, record in original.records["inputs"].items():
        kind, name, sample = key.split(":")
        make = original.formula.volume if kind == "input" else original.formula.mask
        assert float(make(original.salt, name, int(sample)).astype(np.float64).sum()) == pytest.approx(record["sum"])


@pytest.mark.parametrize(
    "case", ["lung:0", "image:0", "abdomen:0", "heart:0", "image:1", "trachea and bronchie:1", "lung:1"]
)
def test_every_stage_equals_the_original(case: str, original: Any, encoded: Encoded) -> None:
    records = original.records["stages"][case]
    seen = encoded.stages(case, inside=case in ("lung:0", "image:0"))
    assert set(records) <= set(seen)
    bad = {stage: original.misses(record, seen[stage]) for stage, record in records.items()}
    assert not {stage: missed for stage, missed in bad.items() if missed}


@pytest.mark.parametrize("name", ["one", "two"])
def test_assembled_prompts_equal_the_original(name: str, original: Any, encoded: Encoded) -> None:
    case = original.records["cases"][name]
    images = torch.stack([encoded.features(f"image:{b}") for b in range(case["batch"])])
    regions = [
        [encoded.features(f"{areas[str(j)]}:{b}") for j in range(len(areas))]
        for b, areas in enumerate(case["region2area"])
    ]
    with torch.inference_mode():
        out = encoded.layer(torch.tensor(case["ids"]), images, regions)
    assert original.misses(case["output"], out) == []


def test_the_way_from_files_to_embeddings_equals_the_original(original: Any, encoded: Encoded) -> None:
    recipe, chain = original.records["preprocess"], original.records["chain"]
    hu, masks = original.formula.ct(original.salt, "tiny", tuple(recipe["tiny"]["shape"]), recipe["recipe"])
    scan = finish(prepare(hu, [(name, masks[name]) for name in ("heart", "lung", "thyroid")]))
    assert list(scan.regions) == [chain["region2area"][str(j)] for j in range(2)]
    features: Features = finish(encode(encoded.layer, scan, FeatureCache(), batch=2))
    with torch.inference_mode():
        out = encoded.layer(torch.tensor(chain["ids"]), features.image[None], [list(features.regions.values())])
    assert original.misses(chain["output"], out) == []
