"""A scan opened for writing gives what the network gives when asked plainly, region by region."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from RegionReportLib.anatomy.regions import region
from RegionReportLib.model.box_frame import BoxFrame
from RegionReportLib.model.config import Parts
from RegionReportLib.model.generate import Settings, write_regions
from RegionReportLib.model.generate_open import open_study
from RegionReportLib.model.generate_sentences import Limits
from RegionReportLib.model.inputs import StudyInputs
from RegionReportLib.model.language_model import base_of
from RegionReportLib.model.network import RegionReporter
from RegionReportLib.progress import finish

Make = Callable[..., RegionReporter]
SHORT = Settings(limits=Limits(region=12, sentence=12))


@pytest.fixture
def model(toy_reporter: Make) -> RegionReporter:
    made = toy_reporter()
    torch.manual_seed(3)
    for weight in base_of(made.language_model).model.layers.parameters():
        if weight.ndim > 1:
            weight.data = torch.randn_like(weight) * 0.5  # so that what is written depends on what was read
    return made


@torch.inference_mode()
def plainly(model: RegionReporter, study: StudyInputs, region_id: str, count: int) -> tuple[list[int], float]:
    """The likeliest words after the region's name, and the chance of that name; all is read anew for each word."""
    language = base_of(model.language_model)
    name = model.tokenizer.encode(f"{region(region_id).name}:")
    before = torch.cat((model.prefix(study)[0], model.region_prompt(study, region_id)[0]))
    chance, ids = 1.0, []
    for token in name:
        chance *= float(language(inputs_embeds=before[None]).logits[0, -1].softmax(-1)[token])
        before = torch.cat((before, model.words([token])))
    for _ in range(count):
        ids.append(int(language(inputs_embeds=before[None]).logits[0, -1].argmax()))
        before = torch.cat((before, model.words(ids[-1:])))
    return ids, chance


def test_regions_are_written_as_the_network_would_if_asked_plainly(
    model: RegionReporter, toy_study: StudyInputs
) -> None:
    # Each word is made a sentence of its own, up to one that comes twice, so that all that is written can be seen.
    opened = replace(finish(open_study(model, toy_study)), decode=lambda ids: f"w{ids[0]}\n")
    words = model.tokenizer
    all_ids = set()
    for text in finish(write_regions(opened, settings=SHORT)):
        ids, chance = plainly(model, toy_study, text.region_id, 12)
        stop = next((n for n, i in enumerate(ids) if i in (words.end_id, words.none_id) or i in ids[:n]), 12)
        assert [s.text for s in text.sentences] == [f"w{i}" for i in ids[:stop]]
        assert text.named == pytest.approx(chance, rel=1e-3)
        all_ids |= set(ids[:stop])
    assert len(all_ids) > 6


def test_support_is_that_of_the_network_and_boxes_lie_in_the_scan(
    model: RegionReporter, toy_study: StudyInputs
) -> None:
    opened = finish(open_study(model, toy_study))
    assert opened.support is not None and opened.find_boxes is not None
    with torch.inference_mode():
        expected = float(model.support(toy_study, "bones", ["Old fracture."])[0])
    assert opened.support("bones", "Old fracture.") == pytest.approx(expected, rel=1e-4)
    assert model.box_head is not None
    torch.nn.init.constant_(model.box_head.existence[-1].bias, 5.0)
    width = model.config.language.width
    (found,) = opened.find_boxes(torch.randn(1, width))
    assert len(found) == model.box_head.config.slots
    whole = BoxFrame(toy_study.frame).to_box([0.5] * 3 + [1.0] * 3)
    for box in found:
        assert box.existence > 0.9
        assert whole.intersection(box.box) == box.box


def test_a_network_without_these_parts_judges_nothing(toy_reporter: Make, toy_study: StudyInputs) -> None:
    opened = finish(open_study(toy_reporter(parts=Parts(support=False), box=None), toy_study))
    assert opened.support is None and opened.find_boxes is None
    assert all(
        s.support is None and not s.boxes for t in finish(write_regions(opened, settings=SHORT)) for s in t.sentences
    )
