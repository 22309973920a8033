"""A case is shown with its regions in drawn slots, its targets unchanged, and claims that are true and false."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from RegionReportLib.anatomy.regions import REGION_IDS, Side
from RegionReportLib.model.visual_tokens import HIDEABLE
from RegionReportLib.report.sentence import Polarity
from RegionReportLib.train.case import Case, CaseSentence, Topic
from RegionReportLib.train.example import Showing, make_example, region_text

from .conftest import Blobs

PLAIN = Showing(shuffle=False)


def first(wanted: Callable[[Case], bool]) -> Case:
    return next(case for n in range(50) if wanted(case := Blobs(50).case(n)))


@pytest.fixture
def with_nodule() -> Case:
    return first(lambda case: "Nodule" in case.wordings[0][0].text)


@pytest.fixture
def others() -> list[CaseSentence]:
    return [s for n in range(20) for s in Blobs(20).case(n).wordings[0]]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_shuffling_changes_slots_and_not_targets(with_nodule: Case) -> None:
    plain = make_example(with_nodule, [], PLAIN, rng())
    shown = [make_example(with_nodule, [], Showing(), rng(seed)) for seed in range(4)]
    assert plain.study.study.slots == REGION_IDS
    assert len({one.study.study.slots for one in shown}) > 2
    for one in shown:
        assert one.study.texts == plain.study.texts
        assert sorted(one.study.study.slots) == sorted(REGION_IDS)
        assert torch.equal(one.study.study.masks, plain.study.study.masks)


def test_a_sentence_a_line_with_marks_behind_what_has_a_place(with_nodule: Case) -> None:
    lung, airway = with_nodule.wordings[0]
    assert region_text([lung, airway]) == f"{lung.text}<box>\nThe airways are open."
    texts = make_example(with_nodule, [], PLAIN, rng()).study.texts
    assert set(texts) == {"lungs", "airways"}  # of the others there is nothing to say


def test_boxes_come_in_the_order_in_which_their_marks_are_written(with_nodule: Case) -> None:
    lung = with_nodule.wordings[0][0]
    frame = with_nodule.inputs.frame
    heart = CaseSentence("heart_great_vessels", "Calcified plaques.", (frame.box_of((0, 0, 0), (4, 6, 12)),))
    case = Case("two", with_nodule.inputs, ((lung, heart),))
    for seed in range(6):
        one = make_example(case, [], Showing(), rng(seed))
        slots = one.study.study.slots
        # The heart's box is the first half of k, a quarter of j, half of i; the nodule is elsewhere.
        heart_at = 0 if slots.index("heart_great_vessels") < slots.index("lungs") else 1
        assert one.lesions[heart_at][0].tolist() == pytest.approx([0.25, 0.125, 0.25, 0.5, 0.25, 0.5])
        assert one.lesions[1 - heart_at].shape == (1, 6)


def test_claims_are_half_true_and_half_false(with_nodule: Case, others: list[CaseSentence]) -> None:
    one = make_example(with_nodule, others, PLAIN, rng())
    truth = with_nodule.wordings[0][0].text
    assert one.true.tolist() == [1.0, 0.0]
    assert one.study.claims[0].text == truth
    assert one.study.claims[1].text != truth and "odule" in one.study.claims[1].text
    assert make_example(with_nodule, [], PLAIN, rng()).study.claims == ()


def test_a_false_sentence_gets_a_mark_and_no_lesion(others: list[CaseSentence]) -> None:
    healthy = first(lambda case: "No nodule" in case.wordings[0][0].text)
    one = make_example(healthy, others, Showing(shuffle=False, false_boxes=1.0), rng())
    assert one.study.texts["lungs"].count("<box>") == 1
    assert [tuple(lesion.shape) for lesion in one.lesions] == [(0, 6)]
    assert "<box>" not in make_example(healthy, others, PLAIN, rng()).study.texts["lungs"]


def test_the_same_chance_gives_the_same_example(with_nodule: Case, others: list[CaseSentence]) -> None:
    one, again = (make_example(with_nodule, others, Showing(false_boxes=0.5), rng(7)) for _ in range(2))
    assert one.study.texts == again.study.texts
    assert one.study.claims == again.study.claims
    assert one.study.study.slots == again.study.study.slots


def test_parts_are_hidden_from_as_many_studies_as_asked_for(with_nodule: Case) -> None:
    hidden = [make_example(with_nodule, [], Showing(hidden=0.5), rng(seed)).study.without for seed in range(60)]
    assert 15 < sum(map(bool, hidden)) < 45
    assert {name for names in hidden for name in names} == set(HIDEABLE)
    assert not any(make_example(with_nodule, [], Showing(), rng(seed)).study.without for seed in range(9))


def test_what_is_there_is_said_before_what_is_not(with_nodule: Case) -> None:
    absent, there = Topic("effusion", Polarity.ABSENT), Topic("nodule", Polarity.UNCERTAIN)
    said = [
        CaseSentence("lungs", "No effusion.", (), (absent,)),
        CaseSentence("lungs", "The lungs are clear."),
        CaseSentence("lungs", "Possible nodule.", (), (absent, there)),
        CaseSentence("lungs", "Nodule.", (), (there,)),
    ]
    one = make_example(replace(with_nodule, wordings=(tuple(said),)), [], PLAIN, rng())
    assert one.study.texts["lungs"] == "Possible nodule.\nNodule.\nNo effusion.\nThe lungs are clear."
    affirmed = {region_id: "\n".join(told.text for told in one.study.told[region_id]) for region_id in REGION_IDS}
    assert affirmed == {"lungs": "Possible nodule.\nNodule."} | dict.fromkeys(REGION_IDS[1:], "")


def test_what_tells_of_findings_is_told_apart_with_what_it_names(with_nodule: Case) -> None:
    there, left = Topic("nodule", Polarity.PRESENT), Topic("nodule", Polarity.PRESENT, (Side.LEFT,))
    absent = Topic("effusion", Polarity.ABSENT)
    plain = CaseSentence("lungs", "Nodule.", (), (there, absent))
    box = with_nodule.wordings[0][0].boxes
    case = replace(
        with_nodule,
        wordings=((CaseSentence("lungs", "Clear."), plain, CaseSentence("lungs", "Left one.", box, (left,))),),
    )
    one = make_example(case, [], PLAIN, rng())
    plain_told, left_told = one.study.told["lungs"]
    assert (plain_told.text, plain_told.names) == ("Nodule.", {("nodule", "")})
    assert (left_told.text, left_told.names) == ("Left one.<box>", {("nodule", ""), ("nodule", "left")})
    assert one.study.texts["lungs"] == "Nodule.\nLeft one.<box>\nClear."
    assert {r: told for r, told in one.study.told.items() if told} == {"lungs": (plain_told, left_told)}


def test_a_false_sentence_is_told_like_a_true_one(with_nodule: Case) -> None:
    box = with_nodule.wordings[0][0].boxes
    false = CaseSentence("bones", "Right fracture.", box, (Topic("fracture", Polarity.PRESENT, (Side.RIGHT,)),))
    one = make_example(with_nodule, [false], Showing(shuffle=False, false_boxes=1.0), rng())
    (told,) = one.study.told["bones"]
    assert (told.text, told.names) == ("Right fracture.<box>", {("fracture", ""), ("fracture", "right")})
    assert one.study.texts["bones"].startswith(told.text)
    assert "bones" not in {shown.region_id for shown in one.shown}  # it is not there, and nobody is taught that it is


def test_normal_sentences_are_left_out_but_the_first_of_a_region(with_nodule: Case) -> None:
    there = Topic("nodule", Polarity.PRESENT)
    said = [
        CaseSentence("bones", "One."),
        CaseSentence("bones", "Two."),
        CaseSentence("lungs", "Nodule.", (), (there,)),
        *(CaseSentence("lungs", f"Normal {n}.") for n in range(100)),
    ]
    case = replace(with_nodule, wordings=(tuple(said),))
    texts = make_example(case, [], Showing(normals=0.4), rng()).study.texts
    assert texts["lungs"].startswith("Nodule.\nNormal")
    assert 25 < texts["lungs"].count("Normal") < 55
    few = [make_example(case, [], Showing(normals=0.0), rng(n)).study.texts for n in range(5)]
    assert all(text == {"bones": "One.", "lungs": "Nodule."} for text in few)
