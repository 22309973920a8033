"""Places found by words: measured, given their region and side, and held against what the sentence says.

The chest is two lungs and a mediastinum of blocks on an oblique, anisotropic, left-handed grid; what is found is put
where a test wants it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage, Side
from RegionReportLib.draft.find_places import find_places, sought
from RegionReportLib.draft.writer import Seen
from RegionReportLib.errors import Conflict, InputRefused
from RegionReportLib.grounding.found import Found
from RegionReportLib.grounding.mentions import mentions_of
from RegionReportLib.grounding.places import places_of
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.volume import Provenance, Volume
from RegionReportLib.progress import Progress, Work, finish
from RegionReportLib.report.document import Report, Signature, Status, Study
from RegionReportLib.report.place import AnchorSource
from RegionReportLib.report.sentence import Author, Origin, Sentence, Verdict
from RegionReportLib.segment.voxtell import Cut, PhraseMasks

SHAPE = (20, 30, 40)  # k, j, i
STRUCTURES = ("lung_right", "lung_left", "mediastinum", "lung_lower_lobe_left")
# i runs to the patient's left, j to the front, k to the head, all turned a little: left-handed. A voxel has 0.03 mL.
TURN = np.array([[np.cos(0.2), -np.sin(0.2), 0], [np.sin(0.2), np.cos(0.2), 0], [0, 0, 1]])
AFFINE = np.eye(4)
AFFINE[:3, :3] = TURN @ np.diag((-4.0, 2.5, 3.0))
AFFINE[:3, 3] = -AFFINE[:3, :3] @ (19.5, 14.5, 9.5)  # the middle of the grid is that of the patient


@pytest.fixture(scope="module")
def seen() -> Seen:
    """Right lung in i 2-13, mediastinum in i 16-23, left lung in i 26-37 with its lower lobe in k 2-8."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[2:18, 3:27, 2:14] = 1
    labels[2:18, 3:27, 26:38] = 2
    labels[2:18, 3:27, 16:24] = 3
    labels[2:9, 3:27, 26:38] = 4
    grid = Grid(SHAPE, AFFINE)
    coverage = dict.fromkeys(REGION_IDS, Coverage.COMPLETE)
    masks = RegionMasks(labels, grid, STRUCTURES, "made up", coverage, {})
    volume = Volume(np.full(SHAPE, -800, np.int16), grid, Provenance("made up", "test"))
    return Seen(volume, masks, finish(places_of(masks)), ())


class Finds:
    """Finds blocks `(k, j, i)` of voxels for phrases, and refuses to be asked for others."""

    def __init__(self, **blocks: list[tuple[slice, slice, slice]]) -> None:
        self.blocks = {phrase.replace("_", " "): where for phrase, where in blocks.items()}
        self.asked: list[str] = []

    def find(self, volume: Volume, phrases: Sequence[str]) -> Work[PhraseMasks]:
        yield Progress(0.5, "looking")
        self.asked += phrases
        return PhraseMasks("VoxTell, weights 0123456789ab", tuple(self._cut(one) for one in phrases))

    def _cut(self, phrase: str) -> Cut | None:
        mask = np.zeros(SHAPE, bool)
        for where in self.blocks[phrase]:
            mask[where] = True
        return Cut((slice(0, 20), slice(1, 30), slice(1, 40)), mask[:, 1:, 1:]) if mask.any() else None


def block(k: int, j: int, i: int, size: int = 4) -> tuple[slice, slice, slice]:
    return slice(k, k + size), slice(j, j + size), slice(i, i + size)


RIGHT, LEFT_LOWER, MIDDLE = block(10, 10, 6), block(4, 10, 30), block(10, 10, 18)


def report_of(seen: Seen, *texts: str) -> Report:
    sentences = tuple(
        Sentence(f"s{n}", text, ("lungs",), (), mentions_of(text).polarity, Origin(Author.IMPORTED))
        for n, text in enumerate(texts, start=1)
    )
    study = Study("ct.nii.gz", seen.volume.digest(), seen.volume.grid)
    return Report("r", study, seen.masks.coverage, {}, seen.places, (), sentences, "imported", "made up", "2026-01-01")


def found_for(seen: Seen, text: str, **blocks: list[tuple[slice, slice, slice]]) -> Found:
    (found,) = finish(find_places(sought(report_of(seen, text)), seen, Finds(**blocks)))
    return found


def test_a_part_is_offered_with_its_place_size_and_the_digest(seen: Seen) -> None:
    found = found_for(seen, "Left nodule of 20 mm.", left_nodule=[LEFT_LOWER])
    (anchor,) = found.anchors
    place = anchor.place
    assert anchor.source is AnchorSource.VOXTELL
    assert (place.region_id, place.structure, place.side) == ("lungs", "lung_lower_lobe_left", Side.LEFT)
    middle = seen.volume.grid.to_ras((31.5, 11.5, 5.5))
    assert place.box.contains(middle)
    own = seen.volume.grid.box_of((4, 10, 30), (8, 14, 34))
    assert np.allclose((place.box.min_mm, place.box.max_mm), (own.min_mm, own.max_mm))
    assert seen.volume.grid.index_at(place.point_mm) in {(k, j, i) for k in (5, 6) for j in (11, 12) for i in (31, 32)}
    # 64 voxels of 0.03 mL; between the outermost centres 12 × 7.5 × 9 mm, and half a voxel more that way: 16.8 + 1.6.
    assert anchor.note == ("VoxTell, weights 0123456789ab, for “left nodule”: 1.9 mL, longest diameter 18 mm")
    assert found.words.startswith("Found for “left nodule”: left lower lobe")


def test_a_part_on_the_other_side_is_told_and_not_offered(seen: Seen) -> None:
    found = found_for(seen, "Left nodule.", left_nodule=[LEFT_LOWER, RIGHT])
    assert [a.place.side for a in found.anchors] == [Side.LEFT]
    assert "Not offered for “left nodule”, because the sentence says left: a part on the right (R " in found.words
    alone = found_for(seen, "Left nodule.", left_nodule=[RIGHT])
    assert alone.anchors == ()
    assert alone.words.startswith("Not offered")


def test_without_a_side_in_the_words_both_sides_are_offered_the_larger_first(seen: Seen) -> None:
    found = found_for(seen, "Nodules.", nodules=[RIGHT, block(3, 8, 28, 6)])
    assert [a.place.side for a in found.anchors] == [Side.LEFT, Side.RIGHT]


def test_a_part_outside_all_regions_is_left_out(seen: Seen) -> None:
    outside = (slice(5, 15), slice(29, 30), slice(5, 38))
    assert len(found_for(seen, "Nodules.", nodules=[outside, RIGHT]).anchors) == 1
    assert (
        found_for(seen, "Nodules.", nodules=[outside]).words
        == "Nothing was found for “nodules”; that does not speak against it."
    )


def test_of_very_many_parts_the_largest_are_offered_and_the_rest_counted(seen: Seen) -> None:
    many = [block(k, j, 6, 2) for k in (3, 7, 11, 15) for j in (4, 10, 16)]
    found = found_for(seen, "Nodules.", nodules=[*many, LEFT_LOWER])
    assert [a.place.side for a in found.anchors] == [Side.LEFT] + 7 * [Side.RIGHT]
    assert found.words.endswith(" and 5 more; 5 smaller parts are left out.")


def test_a_part_beside_a_region_belongs_to_it(seen: Seen) -> None:
    beside = found_for(seen, "Nodules.", nodules=[(slice(5, 9), slice(27, 29), slice(5, 9))])
    assert [(a.place.region_id, a.place.side) for a in beside.anchors] == [("lungs", Side.RIGHT)]


def test_a_gross_difference_of_size_is_told(seen: Seen) -> None:
    found = found_for(seen, "Left nodule of 5 mm.", left_nodule=[LEFT_LOWER])
    assert found.anchors[0].note.endswith("longest diameter 18 mm; the sentence says 5 mm")


def test_a_side_that_cannot_be_checked_is_said(seen: Seen) -> None:
    found = found_for(seen, "Enlarged lymph node, right paratracheal.", right_enlarged_lymph_node=[MIDDLE])
    (anchor,) = found.anchors
    assert (anchor.place.region_id, anchor.place.side) == ("mediastinum", None)
    assert anchor.note.endswith("; its side could not be checked")


def test_nothing_found_is_said(seen: Seen) -> None:
    found = found_for(seen, "Nodules.", nodules=[])
    assert (found.anchors, found.words) == ((), "Nothing was found for “nodules”; that does not speak against it.")


def test_of_a_whole_report_only_what_is_affirmed_is_looked_for_each_phrase_once(seen: Seen) -> None:
    texts = ("A left nodule is seen.", "No effusion.", "Left nodule.", "Emphysema.", "Total lung volume 4 L.")
    report = report_of(seen, *texts)
    first = replace(report.sentences[3], verdict=Verdict.REJECTED)
    report = report.with_sentences((*report.sentences[:3], first, report.sentences[4]))
    finder = Finds(left_nodule=[LEFT_LOWER])
    found = finish(find_places(sought(report), seen, finder))
    assert [one.sentence_id for one in found] == ["s1", "s3"]
    assert finder.asked == ["left nodule"]


def test_what_cannot_be_looked_for_is_refused_with_the_reason(seen: Seen) -> None:
    report = report_of(seen, "No effusion.")
    with pytest.raises(InputRefused, match="affirms no finding"):
        sought(report, ["s1"])
    with pytest.raises(InputRefused, match="no sentence 's9'"):
        sought(report, ["s9"])
    with pytest.raises(InputRefused, match="no sentence of this report affirms"):
        sought(report)
    signed = replace(report, status=Status.SIGNED, signature=Signature("Dr A", "2026-01-01T00:00:00Z", "0" * 64))
    with pytest.raises(Conflict, match="signed and locked"):
        sought(signed)
