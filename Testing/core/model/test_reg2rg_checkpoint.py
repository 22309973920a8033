"""The published key layout: every key accounted for, both spellings, merged or not, safe, and only one copy."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from RegionReportLib.errors import InputRefused, NeedMissing
from RegionReportLib.model.reg2rg import Reg2RG, on_meta
from RegionReportLib.model.reg2rg_checkpoint import SHARED_KEY, WORDS_KEY, Placing, load, match
from RegionReportLib.model.reg2rg_config import (
    PUBLISHED,
    EncoderConfig,
    LanguageConfig,
    PerceiverConfig,
    Reg2RGConfig,
)
from RegionReportLib.progress import finish

STEM = "lang_model.base_model.model.model.layers"


def spec_shapes() -> dict[str, tuple[int, ...]]:
    """The language part of the published state dict, written down from its description."""
    shapes: dict[str, tuple[int, ...]] = {WORDS_KEY: (32000, 4096)}
    for n in range(32):
        own = f"{STEM}.{n}"
        for part in ("q_proj", "v_proj"):
            shapes[f"{own}.self_attn.{part}.base_layer.weight"] = (4096, 4096)
            shapes[f"{own}.self_attn.{part}.lora_A.default.weight"] = (8, 4096)
            shapes[f"{own}.self_attn.{part}.lora_B.default.weight"] = (4096, 8)
        for part in ("k_proj", "o_proj"):
            shapes[f"{own}.self_attn.{part}.weight"] = (4096, 4096)
        shapes[f"{own}.self_attn.rotary_emb.inv_freq"] = (64,)
        for part in ("gate_proj", "up_proj"):
            shapes[f"{own}.mlp.{part}.weight"] = (11008, 4096)
        shapes[f"{own}.mlp.down_proj.weight"] = (4096, 11008)
        for part in ("input_layernorm", "post_attention_layernorm"):
            shapes[f"{own}.{part}.weight"] = (4096,)
    return shapes | {
        "lang_model.base_model.model.model.norm.weight": (4096,),
        "lang_model.base_model.model.lm_head.weight": (32000, 4096),
    }


def test_the_full_network_has_exactly_the_published_keys_and_shapes(original: Any) -> None:
    visual = {key: tuple(record["shape"]) for key, record in original.records["weights"].items()}
    published = visual | spec_shapes()
    assert (len(visual), len(spec_shapes()), len(published)) == (259, 451, 710)
    model = on_meta(PUBLISHED)
    ours = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    assert ours == {key: shape for key, shape in published.items() if not key.endswith("inv_freq")}
    keys = match(dict.fromkeys(published), PUBLISHED)
    assert len(keys.name_of) + len(keys.dropped) == 710
    assert len(keys.dropped) == 32


def test_the_full_network_has_the_published_numbers_of_parameters() -> None:
    model = on_meta(PUBLISHED)
    layer = model.embedding_layer

    def count(module: torch.nn.Module) -> int:
        return sum(p.numel() for p in module.parameters())

    assert count(layer.vision_encoder) == 66_208_000
    assert count(layer.mask_encoder) == 6_569_359
    assert count(layer.perceiver) == 37_802_496
    assert (count(layer.fc), count(layer.mask_fc)) == (3_149_824, 1_048_576)
    assert count(model.lang_model) == 6_738_415_616 + 4_194_304
    assert count(layer) == 245_866_639
    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == 52_780_943


def published_state(model: Reg2RG) -> dict[str, Tensor]:
    state = {key: value.clone() for key, value in model.state_dict().items()}
    return state | {f"{STEM}.{n}.self_attn.rotary_emb.inv_freq": torch.zeros(4) for n in range(2)}


def old_peft(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key.replace(".base_layer", ""): value for key, value in state.items()}


def words_once(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: value for key, value in state.items() if key != SHARED_KEY}


def logits(model: Reg2RG) -> Tensor:
    config = model.config
    generator = torch.Generator().manual_seed(1)
    volumes = torch.randn(2, 1, *config.size, generator=generator)
    masks = torch.rand(1, *config.size, generator=generator)
    ids = torch.tensor([[1, 17, 200, 204, 205, 206, 207, 201, 202, 208, 209, 210, 211, 212, 203, 21]])
    with torch.inference_mode():
        layer = model.embedding_layer
        return model(ids, layer.texture(volumes[:1]), [[layer.regions(volumes[1:], masks)[0]]]).float()


@pytest.mark.parametrize("spelling", [dict, old_peft, words_once])
@pytest.mark.parametrize("kind", ["bin", "safetensors", "sharded"])
def test_a_saved_network_gives_identical_logits(
    tiny: Reg2RG, tmp_path: Path, kind: str, spelling: Callable[[dict[str, Tensor]], dict[str, Tensor]]
) -> None:
    state = spelling(published_state(tiny))
    if kind == "bin":
        torch.save(state, tmp_path / "pytorch_model.bin")
    elif kind == "safetensors":
        save_file(state, tmp_path / "model.safetensors")
    else:
        names = sorted(state)
        shards = {"a.bin": names[::2], "b.bin": names[1::2]}
        for file, keys in shards.items():
            torch.save({key: state[key] for key in keys}, tmp_path / file)
        index = {"weight_map": {key: file for file, keys in shards.items() for key in keys}}
        (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps(index), encoding="utf-8")
    expected = logits(tiny)
    loaded = finish(load(tmp_path, tiny.config, Placing(merge=False)))
    assert not loaded.training
    assert torch.equal(logits(loaded), expected)
    merged = finish(load(tmp_path, tiny.config))
    assert not any("lora" in name for name, _ in merged.named_parameters())
    torch.testing.assert_close(logits(merged), expected, rtol=1e-4, atol=1e-5)


def test_merging_is_not_leaving_out(tiny: Reg2RG, tmp_path: Path) -> None:
    state = published_state(tiny)
    torch.save(state, tmp_path / "with.bin")
    torch.save({k: v * 0 if "lora_B" in k else v for k, v in state.items()}, tmp_path / "without.bin")
    ours, plain = (logits(finish(load(tmp_path / name, tiny.config))) for name in ("with.bin", "without.bin"))
    assert (ours - plain).abs().max() > 1e-3


def test_words_are_one_tensor_after_loading(tiny: Reg2RG, tmp_path: Path) -> None:
    torch.save(published_state(tiny), tmp_path / "w.bin")
    for merge in (True, False):
        loaded: Any = finish(load(tmp_path / "w.bin", tiny.config, Placing(merge=merge)))
        language = loaded.lang_model if merge else loaded.lang_model.get_base_model()
        assert language.get_input_embeddings().weight is loaded.embedding_layer.weight


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_the_two_sides_take_their_own_number_type(tiny: Reg2RG, tmp_path: Path, dtype: torch.dtype) -> None:
    torch.save(published_state(tiny), tmp_path / "w.bin")
    loaded = finish(load(tmp_path / "w.bin", tiny.config, Placing(language=dtype)))
    assert {p.dtype for p in loaded.lang_model.parameters()} == {dtype}
    assert loaded.embedding_layer.visual_dtype is torch.float32
    near, expected = logits(loaded), logits(tiny)
    assert (near - expected).norm() / expected.norm() < 0.05


def without(key: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda state: {k: v for k, v in state.items() if k != key}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("embedding_layer.fc.weight"), "lacks 1 of .* keys, first embedding_layer.fc.weight"),
        (without(f"{STEM}.1.self_attn.q_proj.lora_A.default.weight"), "lacks 1 of .* keys"),
        (
            lambda s: s | {"embedding_layer.detr.weight": torch.zeros(1)},
            "holds unknown 1 .*embedding_layer.detr.weight",
        ),
        (lambda s: s | {"embedding_layer.fc.bias": torch.zeros(3)}, r"fc.bias has shape \(3,\), expected \(16,\)"),
        (lambda s: {"model": s}, "no plain state dict"),
        (lambda s: [1, 2], "no plain state dict"),
    ],
)
def test_a_file_that_is_not_this_network_is_refused(
    tiny: Reg2RG, tmp_path: Path, change: Callable[[Any], Any], message: str
) -> None:
    torch.save(change(published_state(tiny)), tmp_path / "w.bin")
    with pytest.raises(InputRefused, match=message):
        finish(load(tmp_path / "w.bin", tiny.config))


class Evil:
    """Runs a command where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return (Path.touch, (self.mark,))


def test_code_in_a_weight_file_never_runs(tiny_config: Reg2RGConfig, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    torch.save({"embedding_layer.weight": Evil(mark)}, tmp_path / "zip.bin")
    (tmp_path / "old.bin").write_bytes(pickle.dumps(Evil(mark)))
    (tmp_path / "text.bin").write_text("version https://git-lfs.github.com/spec/v1", encoding="utf-8")
    for name in ("zip.bin", "old.bin", "text.bin"):
        with pytest.raises(InputRefused, match=f"{name} holds no plain tensors"):
            finish(load(tmp_path / name, tiny_config))
    assert not mark.exists()


def test_what_is_missing_is_named(tiny_config: Reg2RGConfig, tmp_path: Path) -> None:
    with pytest.raises(NeedMissing, match=r"no Reg2RG weights at .*pytorch_model\.bin"):
        finish(load(tmp_path, tiny_config))
    index = {"weight_map": {"a": "../elsewhere.bin"}}
    (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps(index), encoding="utf-8")
    with pytest.raises(InputRefused, match="names files outside its own folder"):
        finish(load(tmp_path, tiny_config))


def own_memory() -> int:
    """Bytes of this process that are no page of a file."""
    status = Path("/proc/self/status")
    if not status.is_file():
        pytest.skip("this system does not tell a process's own memory")
    line = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1]) * 1024


def test_loading_needs_no_second_copy(tmp_path: Path) -> None:
    encoder = EncoderConfig((32, 32, 32), (8, 8, 2), 3, dim=12, depth=1, mlp_dim=20)
    mask = EncoderConfig((16, 16, 8), (8, 8, 4), 1, dim=9, depth=1, mlp_dim=10)
    language = LanguageConfig(vocabulary=8000, dim=768, mlp_dim=2048, layers=8, heads=8)
    config = Reg2RGConfig((16, 16, 8), 3, encoder, mask, PerceiverConfig(dim=12, depth=1), language)
    model = Reg2RG(config)
    torch.save(model.state_dict(), tmp_path / "w.bin")
    del model
    before, most = own_memory(), 0
    work = load(tmp_path / "w.bin", config, Placing(language=torch.bfloat16, visual=torch.bfloat16))
    while True:
        try:
            next(work)
        except StopIteration as end:
            loaded = end.value
            break
        most = max(most, own_memory() - before)
    size = sum(p.numel() * p.element_size() for p in loaded.parameters())
    assert size > 120e6
    assert most < size + 30e6  # one part in float32 while it is merged, beside what is already there


def test_four_bits_keep_a_quarter_and_stay_near(tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes", reason="4-bit layers need bitsandbytes")
    torch.manual_seed(2)
    encoder = EncoderConfig((32, 32, 32), (8, 8, 2), 3, dim=12, depth=1, mlp_dim=20, heads=2, head_dim=4)
    mask = EncoderConfig((16, 16, 8), (8, 8, 4), 1, dim=9, depth=1, mlp_dim=10, heads=2, head_dim=4)
    language = LanguageConfig(vocabulary=200, dim=256, mlp_dim=512, layers=2, heads=4, lora_rank=2, lora_alpha=8)
    latents = PerceiverConfig(dim=12, depth=1, heads=2, head_dim=4, latents=4)
    config = Reg2RGConfig((16, 16, 8), 3, encoder, mask, latents, language)
    torch.save(Reg2RG(config).state_dict(), tmp_path / "w.bin")
    exact = finish(load(tmp_path / "w.bin", config))
    small = finish(load(tmp_path / "w.bin", config, Placing(language=torch.bfloat16, four_bit=True)))
    layers = [m for n, m in small.named_modules() if ".layers." in n and n.startswith("lang") and hasattr(m, "weight")]
    packed = [m for m in layers if m.weight.dtype is torch.uint8]
    assert len(packed) == 2 * 7  # four of attention, three of the feed-forward part, in each layer
    assert sum(m.weight.numel() for m in packed) == 2 * (4 * 256 * 256 + 3 * 256 * 512) // 2  # two numbers in a byte
    near, expected = logits(small), logits(exact)
    assert 0 < (near - expected).norm() / expected.norm() < 0.25
    with pytest.raises(ValueError, match="needs merge"):
        Placing(merge=False, four_bit=True)


class Free:
    """A computer with little memory left."""

    available = 20_000


def test_a_network_without_room_is_refused_before_it_is_read(
    tiny: Reg2RG, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save(published_state(tiny), tmp_path / "w.bin")
    monkeypatch.setattr("psutil.virtual_memory", Free)
    with pytest.raises(NeedMissing, match=r"needs 0\.0 GB of memory, 0\.0 GB are free; .*--precision bf16"):
        finish(load(tmp_path / "w.bin", tiny.config, Placing(language=torch.bfloat16, visual=torch.bfloat16)))
    # As it is stored it stays a page of its file and needs no room.
    assert finish(load(tmp_path / "w.bin", tiny.config, Placing(merge=False))).config is tiny.config
