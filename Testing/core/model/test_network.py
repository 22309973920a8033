"""The assembled region-token network: what each part adds, that nothing is deaf, and that packing changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import pytest
import torch

from RegionReportLib.anatomy.regions import REGION_IDS
from RegionReportLib.model.config import ModelConfig, Parts, SliceChoice
from RegionReportLib.model.inputs import StudyInputs
from RegionReportLib.model.language_model import base_of
from RegionReportLib.model.network import Claim, RegionReporter, TrainingStudy

Make = Callable[..., RegionReporter]
TEXTS = {"lungs": "Nodule of 12 mm <box>. No effusion.", "bones": "Old fracture <box>."}


def lengths(model: RegionReporter, study: StudyInputs) -> tuple[int, int]:
    return model.prefix(study).shape[1], model.region_prompt(study, "lungs").shape[1]


def test_prefix_and_region_prompt_have_the_lengths_that_the_configuration_tells(
    toy_reporter: Make, toy_study: StudyInputs
) -> None:
    model = toy_reporter()
    # 4 slices + 6 regions × (6 / 2 × 6 / 3) tokens; 2 marks of the image and 6 of slots; 2 + 3 + 3 and two marks.
    assert (model.config.prefix_tokens, model.config.region_tokens) == (4 + 36 + 8, 2 + 3 + 3 + 2)
    attributes = len(model.attribute_ids(toy_study.attributes))
    assert attributes > 0
    assert lengths(model, toy_study) == (48 + attributes, 10)
    assert model.features(toy_study).shape == (6, 4, 6, 6)


@pytest.mark.parametrize(
    ("part", "value", "prefix", "region"),
    [
        ("global_tokens", False, -6, 0),
        ("region_slices", SliceChoice.NONE, -42, 0),
        ("region_slices", SliceChoice.EVEN, 0, 0),
        ("mask_token", False, 0, -1),
        ("spatial_token", False, 0, -1),
        ("texture", False, 0, -2),
        ("geometry", False, 0, -1),
        ("structure_tokens", False, 0, -3),
        ("support", False, 0, 0),
    ],
)
def test_switching_a_part_off_takes_away_its_tokens_and_no_others(
    toy_reporter: Make, toy_study: StudyInputs, part: str, value: object, prefix: int, region: int
) -> None:
    whole = lengths(toy_reporter(), toy_study)
    less = lengths(toy_reporter(parts=replace(Parts(), **{part: value})), toy_study)
    assert (less[0] - whole[0], less[1] - whole[1]) == (prefix, region)


def test_without_attributes_the_prompt_does_not_hold_them(toy_reporter: Make, toy_study: StudyInputs) -> None:
    model = toy_reporter(parts=replace(Parts(), attributes=False))
    assert lengths(model, toy_study)[0] == model.config.prefix_tokens


def test_a_line_of_attributes_that_does_not_fit_is_left_out_whole(toy_reporter: Make) -> None:
    model = toy_reporter()
    first, last = "Lungs: volume 1 mL.", "Heart: 3."
    ids = model.attribute_ids([first]) + model.attribute_ids([last])
    short = toy_reporter(attribute_tokens=len(ids) + 3)
    assert short.attribute_ids([first, "Osseous structures: 2 HU, 3 HU, 4 HU.", last]) == ids


def test_everything_can_be_off_at_once(toy_reporter: Make, toy_study: StudyInputs) -> None:
    switches = {f.name: False for f in fields(Parts)}
    none = Parts(**{**switches, "region_slices": SliceChoice.NONE})
    model = toy_reporter(parts=none, box=None, findings=("nodule",))
    assert lengths(model, toy_study) == (0, 2)
    assert model.text_side is None and model.plan is None
    with pytest.raises(ValueError, match="support"):
        model.text_embedding(["anything"])


def test_gradients_reach_every_parameter(toy_reporter: Make, toy_study: StudyInputs) -> None:
    model = toy_reporter().train()
    out = model([TrainingStudy(toy_study, TEXTS, (Claim("lungs", "No effusion."),))])
    assert out.written is not None
    assert out.contrasted is not None
    assert model.box_head is not None
    wave = torch.linspace(-1, 1, out.written.logits.shape[-1])
    guesses = model.box_head(out.written.hidden[0, :2], out.features, torch.tensor([0, 0]))
    loss = (out.written.logits * wave).sum() + (out.contrasted.image * out.contrasted.text[..., :1]).sum()
    loss = loss + (out.contrasted.text**3).sum() + out.contrasted.support.sum()
    loss = loss + sum((g**2).sum() for g in (guesses.boxes, guesses.existence, guesses.choice))
    loss.backward()
    deaf = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert deaf == []


def test_packed_regions_give_the_logits_of_six_separate_rows(toy_reporter: Make, toy_study: StudyInputs) -> None:
    model = toy_reporter()
    other = replace(toy_study, attributes=("Lungs: 1 mL.",), slots=REGION_IDS[::-1])
    with torch.inference_mode():
        written = model([TrainingStudy(toy_study, TEXTS), TrainingStudy(other, {})]).written
        assert written is not None
        for row, (study, texts) in enumerate(((toy_study, TEXTS), (other, {}))):
            at = 0
            for region_id in study.slots:
                ids = model.target_ids(region_id, texts.get(region_id))
                prefix, prompt = model.prefix(study), model.region_prompt(study, region_id)
                alone = torch.cat((prefix, prompt, model.words(ids)[None]), dim=1)
                logits = base_of(model.language_model)(inputs_embeds=alone).logits[0, prefix.shape[1] :]
                here = slice(at, at + prompt.shape[1] + len(ids))
                assert torch.allclose(written.logits[row, here], logits, atol=1e-5)
                given = [-100] * prompt.shape[1]
                assert written.labels[row, here].tolist() == given + ids
                at = here.stop
            assert (written.labels[row, at:] == -100).all()


def test_a_region_does_not_see_what_is_written_of_another(toy_reporter: Make, toy_study: StudyInputs) -> None:
    model = toy_reporter()
    with torch.inference_mode():
        one = model([TrainingStudy(toy_study, {"lungs": "No pleural effusion."})]).written
        two = model([TrainingStudy(toy_study, {"lungs": "Nodule in the lung ."})]).written
    assert one is not None
    assert two is not None
    ids = [model.target_ids("lungs", text) for text in ("No pleural effusion.", "Nodule in the lung .")]
    first = [model.config.region_tokens + len(i) for i in ids]
    assert torch.allclose(one.logits[0, first[0] :], two.logits[0, first[1] :], atol=1e-5)


def test_an_encoded_study_is_not_encoded_again(toy_reporter: Make, toy_study: StudyInputs) -> None:
    model = toy_reporter()
    with torch.inference_mode():
        seen = model.encode(toy_study)
        assert model.encode(seen) is seen
        assert torch.equal(model.prefix(seen), model.prefix(toy_study))


def test_a_region_is_shown_in_its_slot(toy_reporter: Make, toy_study: StudyInputs) -> None:
    model = toy_reporter()
    moved = replace(toy_study, slots=("airways", "lungs", *REGION_IDS[2:]))
    with torch.inference_mode():
        plain, swapped = model.region_prompt(toy_study, "lungs")[0], model.region_prompt(moved, "lungs")[0]
        marks = model.words(model.tokenizer.slot_ids)
        whole, other = model.prefix(toy_study)[0], model.prefix(moved)[0]
    assert torch.equal(plain[0], marks[0])
    assert torch.equal(swapped[0], marks[1])
    assert torch.equal(plain[1:], swapped[1:])
    # Six global tokens with marks, then slots of a mark and six tokens: the lungs' slice moves from slot 0 to slot 1.
    assert torch.allclose(whole[7:13], other[14:20])
    assert not torch.allclose(whole[7:13], other[7:13])


def test_the_support_score_lies_between_0_and_1_and_knows_region_and_sentence(
    toy_reporter: Make, toy_study: StudyInputs
) -> None:
    model = toy_reporter()
    with torch.inference_mode():
        lungs = model.support(toy_study, "lungs", ["No pleural effusion.", "Old fracture."])
        bones = model.support(toy_study, "bones", ["No pleural effusion."])
        none = model.support(toy_study, "bones", [])
    assert lungs.shape == (2,)
    assert ((lungs > 0) & (lungs < 1)).all()
    assert lungs[0] != lungs[1]
    assert lungs[0] != bones[0]
    assert none.shape == (0,)


def test_the_box_head_must_fit_the_network(toy_config: ModelConfig) -> None:
    assert toy_config.box is not None
    with pytest.raises(ValueError, match="box head"):
        replace(toy_config, box=replace(toy_config.box, state_width=9))
