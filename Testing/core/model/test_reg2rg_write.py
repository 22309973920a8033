"""Writing: a batch gives what each row gives alone, the cache does what a full pass does, names are checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from RegionReportLib.model.reg2rg import Reg2RG
from RegionReportLib.model.reg2rg_features import FeatureCache, Features, encode
from RegionReportLib.model.reg2rg_inputs import RegionInput, ScanInput
from RegionReportLib.model.reg2rg_prompt import Words
from RegionReportLib.model.reg2rg_write import decode, greedy, sampled, write_in_one_pass, write_regions
from RegionReportLib.progress import Progress, finish

EVERY = (slice(0, 1), slice(0, 1), slice(0, 1))


def scan_of(model: Reg2RG, *names: str, seed: int = 5) -> ScanInput:
    generator = torch.Generator().manual_seed(seed)
    size = model.config.size

    def one() -> RegionInput:
        return RegionInput(torch.randn(size, generator=generator), torch.rand(size, generator=generator), EVERY)

    return ScanInput(torch.randn(size, generator=generator), EVERY, {name: one() for name in names}, {})


@pytest.fixture
def features(tiny: Reg2RG) -> Features:
    return finish(encode(tiny.embedding_layer, scan_of(tiny, "heart", "lung", "abdomen"), FeatureCache()))


def prompts(model: Reg2RG, words: Words, features: Features, names: list[str]) -> Tensor:
    ids = torch.tensor([words.prompt_ids(1)] * len(names))
    with torch.inference_mode():
        images = features.image.expand(len(names), -1, -1)
        out: Tensor = model.embedding_layer(ids, images, [[features.regions[n]] for n in names])
    return out


def test_regions_written_as_a_batch_equal_regions_written_alone(tiny: Reg2RG, words: Words, features: Features) -> None:
    names = list(features.regions)
    together = finish(decode(tiny, prompts(tiny, words, features, names), greedy, 40))
    alone = [finish(decode(tiny, prompts(tiny, words, features, [name]), greedy, 40))[0] for name in names]
    assert together == alone
    assert len({one.ids for one in together}) > 1  # each region has its own words, else nothing was compared


def test_writing_equals_the_generation_of_the_library(tiny: Reg2RG, words: Words, features: Features) -> None:
    embeds = prompts(tiny, words, features, ["heart"])
    language: Any = tiny.lang_model
    expected = language.generate(
        inputs_embeds=embeds, max_new_tokens=40, do_sample=False, eos_token_id=2, pad_token_id=0
    )
    (written,) = finish(decode(tiny, embeds, greedy, 40))
    ids = [n for n in expected[0].tolist() if n != 1 or n in written.ids]
    assert list(written.ids) == [n for n in ids if n != 2]


def says(words: Words, *texts: str) -> Callable[[Tensor], Tensor]:
    """A choice that writes given texts, one per row, whatever the network thinks; a row that has ended babbles on."""
    rows = [[*words.ids(text)[1:], 2] for text in texts]
    step = iter(range(10_000))

    def choose(logits: Tensor) -> Tensor:
        n = next(step)
        return torch.tensor([row[n] if n < len(row) else 17 for row in rows])

    return choose


def test_the_name_that_the_model_gives_is_checked(tiny: Reg2RG, words: Words, features: Features) -> None:
    choose = says(
        words,
        "The region 0 is heart : heart is normal The region 1 is lung : clear",
        "The region 0 is heart : lung is clear",
        "clear",
    )
    heart, lung, abdomen = finish(write_regions(tiny, words, features, choose))
    assert (heart.region, heart.named, heart.text, heart.agrees) == ("heart", "heart", "heart is normal", True)
    assert (lung.region, lung.named, lung.text, lung.agrees) == ("lung", "heart", "lung is clear", False)
    assert (abdomen.text, abdomen.named, abdomen.agrees) == (None, None, False)
    assert abdomen.reason == "the model wrote nothing under its header"
    assert heart.complete
    assert lung.complete


def test_one_pass_gives_each_slot_its_text(tiny: Reg2RG, words: Words, features: Features) -> None:
    text = "The region 0 is heart : normal The region 1 is abdomen : clear The region 7 is lung : normal"
    heart, lung, abdomen = finish(write_in_one_pass(tiny, words, features, says(words, text)))
    assert (heart.text, heart.agrees) == ("normal", True)
    assert (lung.text, lung.named, lung.agrees) == ("clear", "abdomen", False)
    assert (abdomen.text, abdomen.reason) == (None, "the model wrote nothing under its header")


def test_a_text_that_is_cut_off_says_so(tiny: Reg2RG, words: Words, features: Features) -> None:
    choose = says(words, "The region 0 is heart : normal The region 1 is lung : clear clear clear clear clear")
    heart, lung, abdomen = finish(write_in_one_pass(tiny, words, features, choose, limit=15))
    assert (heart.text, heart.complete) == ("normal", True)
    assert lung.text is not None
    assert lung.text.startswith("clear")
    assert not lung.complete
    assert (abdomen.text, abdomen.reason) == (None, "cut off before its turn")


def test_chance_is_a_generator_that_is_passed_in(tiny: Reg2RG, words: Words, features: Features) -> None:
    embeds = prompts(tiny, words, features, ["heart", "lung"])
    one, same, other = (
        finish(decode(tiny, embeds, sampled(torch.Generator().manual_seed(seed), 0.9, 0.9), 20)) for seed in (1, 1, 2)
    )
    assert one == same
    assert one != other
    logits = torch.arange(100.0).repeat(64, 1)
    chosen = sampled(torch.Generator().manual_seed(0), 50.0, 1.0, top_k=3)(logits)
    assert set(chosen.tolist()) == {97, 98, 99}


def test_no_region_is_no_text(tiny: Reg2RG, words: Words, features: Features) -> None:
    nothing = Features(features.image, {})
    assert finish(write_regions(tiny, words, nothing)) == ()
    assert finish(write_in_one_pass(tiny, words, nothing)) == ()


def test_writing_tells_its_progress_and_can_be_stopped(tiny: Reg2RG, words: Words, features: Features) -> None:
    work = write_regions(tiny, words, features, limit=8)
    assert next(work) == Progress(0.0, "writing, 0 of 3 done")
    work.close()


def test_what_was_encoded_is_not_encoded_again(tiny: Reg2RG) -> None:
    layer, cache = tiny.embedding_layer, FeatureCache()
    runs: list[int] = []
    layer.vision_encoder.register_forward_hook(lambda _m, given, _o: runs.append(len(given[0])))
    scan = scan_of(tiny, "heart", "lung", "abdomen")
    first = finish(encode(layer, scan, cache, batch=2))
    assert runs == [1, 2, 1]  # the scan, then regions by two
    again = finish(encode(layer, scan, cache, batch=2))
    assert runs == [1, 2, 1]
    assert torch.equal(again.image, first.image)
    assert all(torch.equal(again.regions[name], tokens) for name, tokens in first.regions.items())
    lung = RegionInput(scan.regions["lung"].texture, scan.regions["lung"].geometry + 0.1, EVERY)
    changed = finish(encode(layer, ScanInput(scan.image, EVERY, scan.regions | {"lung": lung}, {}), cache, batch=2))
    assert runs == [1, 2, 1, 1]  # only the region that changed
    assert list(changed.regions) == ["heart", "lung", "abdomen"]
    assert not torch.equal(changed.regions["lung"], first.regions["lung"])


def test_two_names_of_one_content_are_encoded_once(tiny: Reg2RG) -> None:
    runs: list[int] = []
    tiny.embedding_layer.vision_encoder.register_forward_hook(lambda _m, given, _o: runs.append(len(given[0])))
    scan = scan_of(tiny, "lung", "heart")
    both = ScanInput(scan.image, EVERY, scan.regions | {"pleura": scan.regions["lung"]}, {})
    features = finish(encode(tiny.embedding_layer, both, FeatureCache()))
    assert runs == [1, 1, 1]
    assert torch.equal(features.regions["pleura"], features.regions["lung"])
    assert not torch.equal(features.regions["pleura"], features.regions["heart"])


def test_batches_of_regions_give_what_single_ones_give(tiny: Reg2RG) -> None:
    scan = scan_of(tiny, "heart", "lung", "abdomen")
    one, three = (finish(encode(tiny.embedding_layer, scan, FeatureCache(), batch=n)) for n in (1, 3))
    for name, tokens in one.regions.items():
        torch.testing.assert_close(three.regions[name], tokens, rtol=1e-4, atol=1e-5)


def test_the_cache_forgets_what_was_unused_longest() -> None:
    cache = FeatureCache(capacity=2)
    for name in (b"a", b"b"):
        cache.put(name, torch.zeros(1))
    cache.get(b"a")
    cache.put(b"c", torch.zeros(1))
    assert len(cache) == 2
    assert cache.get(b"b") is None
    assert cache.get(b"a") is not None
