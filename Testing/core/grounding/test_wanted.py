"""What is looked for: the finding of a sentence with its place, and nothing where nothing is affirmed."""

from __future__ import annotations

import pytest

from RegionReportLib.anatomy.regions import Side
from RegionReportLib.errors import InputRefused
from RegionReportLib.grounding.mentions import mentions_of
from RegionReportLib.grounding.wanted import wanted_of
from RegionReportLib.report.sentence import Author, Origin, Polarity, Sentence

RIGHT, LEFT, BOTH = (Side.RIGHT,), (Side.LEFT,), (Side.RIGHT, Side.LEFT)


def said(text: str, key_phrase: tuple[int, int] | None = None, polarity: Polarity | None = None) -> Sentence:
    return Sentence(
        "s1", text, (), (), polarity or mentions_of(text).polarity, Origin(Author.IMPORTED), key_phrase=key_phrase
    )


@pytest.mark.parametrize(
    ("text", "phrase", "sides", "longest_mm"),
    [
        ("A 14 mm solid nodule is seen in the right lower lobe.", "nodule in the right lower lobe", RIGHT, 14),
        ("Consolidation in both lower lobes.", "consolidation in both lower lobes", BOTH, None),
        ("Right pleural fluid 310 mL.", "right pleural fluid", RIGHT, None),
        ("Pleural effusion on the left, 3 cm thick.", "left pleural effusion", LEFT, 30),
        ("Subpleural nodules up to 5 mm in both lungs.", "bilateral subpleural nodules", BOTH, 5),
        ("Emphysema is present in the upper zones.", "emphysema in the upper zone of the lungs", (), None),
        ("Fracture of the left 7th rib.", "fracture, left rib 7", LEFT, None),
        ("Left adrenal adenoma, 21 mm.", "left adrenal adenoma", LEFT, 21),
        ("Possible opacity in the left upper lobe.", "opacity in the left upper lobe", LEFT, None),
        ("No nodule, but consolidation in the left lower lobe.", "consolidation in the left lower lobe", LEFT, None),
        ("Calcified plaques in the aortic arch.", "calcified plaques in the aortic arch", (), None),
    ],
)  # fmt: skip
def test_the_finding_is_named_with_its_place(
    text: str, phrase: str, sides: tuple[Side, ...], longest_mm: float | None
) -> None:
    wanted = wanted_of(said(text))
    assert (wanted.phrase, wanted.sides, wanted.longest_mm) == (phrase, sides, longest_mm)


def test_each_finding_keeps_its_own_place_and_size() -> None:
    text = "Nodule of 8 mm in the right upper lobe and consolidation of 40 mm in the left lower lobe."
    first = wanted_of(said(text))
    assert (first.phrase, first.sides, first.longest_mm) == ("nodule in the right upper lobe", RIGHT, 8)
    start = text.index("consolidation")
    second = wanted_of(said(text, (start, start + len("consolidation"))))
    assert (second.phrase, second.sides, second.longest_mm) == ("consolidation in the left lower lobe", LEFT, 40)


def test_a_side_before_the_next_finding_belongs_to_that() -> None:
    text = "Right lower lobe consolidation and left effusion."
    assert wanted_of(said(text)).sides == RIGHT
    assert wanted_of(said(text, (text.index("effusion"), len(text) - 1))).phrase == "left effusion"


def test_the_side_in_the_name_of_a_chamber_is_no_side_of_the_patient() -> None:
    wanted = wanted_of(said("Thrombus in the left ventricle."))
    assert (wanted.phrase, wanted.sides) == ("thrombus in the left ventricle", ())


def test_a_limit_is_no_size() -> None:
    assert wanted_of(said("Nodules below 4 mm in the right lung.")).longest_mm is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("No pleural effusion.", "affirms no finding"),
        ("Heart size is normal.", "affirms no finding"),
        ("Not assessed: nodules, interstitial pattern.", "affirms no finding"),
        ("Total lung volume 4.9 L.", "names no finding"),
        ("The ascending aorta measures 44 mm in diameter.", "names no finding"),
    ],
)
def test_what_affirms_nothing_is_not_looked_for(text: str, why: str) -> None:
    with pytest.raises(InputRefused, match=why):
        wanted_of(said(text))


def test_what_the_sentence_is_marked_to_say_counts_too() -> None:
    with pytest.raises(InputRefused, match="affirms no finding"):
        wanted_of(said("Pleural effusion on the left.", polarity=Polarity.ABSENT))
