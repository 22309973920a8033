"""Random reports go out as SR and come back equal, whatever they hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from RegionReportLib.anatomy import regions as anatomy
from RegionReportLib.anatomy.codes import Code
from RegionReportLib.anatomy.regions import REGION_IDS, Coverage, Side, Zone
from RegionReportLib.export.dicom_carried import carried
from RegionReportLib.export.dicom_seg import SegReference
from RegionReportLib.export.dicom_sr import write_sr
from RegionReportLib.export.dicom_sr_reading import read_sr, segment_links
from RegionReportLib.imaging.box import Box
from RegionReportLib.progress import finish
from RegionReportLib.report.document import Report
from RegionReportLib.report.measurement import QUANTITIES, Measurement
from RegionReportLib.report.place import Anchor, AnchorSource, Place
from RegionReportLib.report.sentence import Author, Flag, FlagKind, Origin, Polarity, Sentence, Verdict
from RegionReportLib.report.signing import may_sign, sign

NUMBERS = {part.id: 1 + n % 60 for n, part in enumerate(p for r in anatomy.regions() for p in r.structures)}
SEG = SegReference("1.2.826.0.1.55.1", "2.25.5", "2.25.6", NUMBERS)

ids = st.text(st.characters(min_codepoint=33, max_codepoint=0x24F, categories=("L", "N", "P")), min_size=1, max_size=30)
words = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=80).filter(str.strip)
maybe_words = st.one_of(st.just(""), words)
numbers = st.floats(allow_nan=False, allow_infinity=False)
millimetres = st.floats(-1e5, 1e5)


@st.composite
def places(draw: Any) -> Place:
    region = anatomy.region(draw(st.sampled_from(REGION_IDS)))
    low = draw(st.tuples(millimetres, millimetres, millimetres))
    size = draw(st.tuples(*[st.floats(0, 500)] * 3))
    high = tuple(a + b for a, b in zip(low, size, strict=True))
    structure = draw(st.none() | st.sampled_from([s.id for s in region.structures]))
    side, zone = draw(st.none() | st.sampled_from(Side)), draw(st.none() | st.sampled_from(Zone))
    return Place(region.id, Box(low, high), draw(st.tuples(*[millimetres] * 3)), structure, side, zone)


@st.composite
def measurements(draw: Any) -> Measurement:
    quantity = draw(st.sampled_from(sorted(QUANTITIES)))
    value = draw(st.none() | numbers)
    code = st.builds(
        Code, st.sampled_from(["SCT", "DCM", "LN"]), st.from_regex(r"[0-9]{1,20}", fullmatch=True), st.just("Meaning")
    )
    return Measurement(
        id=draw(ids),
        quantity=quantity,
        region_id=draw(st.sampled_from(REGION_IDS)),
        value=value,
        unit=QUANTITIES[quantity],
        method=draw(words),
        reason=draw(words if value is None else maybe_words),
        side=draw(st.none() | st.sampled_from(Side)),
        zone=draw(st.none() | st.sampled_from(Zone)),
        code=draw(st.none() | code),
        uncertainty=draw(st.none() | numbers),
        place=draw(st.none() | places()),
    )


@st.composite
def sentences(draw: Any, measured: tuple[str, ...]) -> Sentence:
    text = draw(words)
    anchor = st.builds(Anchor, places(), st.sampled_from(AnchorSource), st.none() | st.floats(0, 1), maybe_words)
    anchors = tuple(draw(st.lists(anchor, max_size=3)))
    author = draw(st.sampled_from(Author))
    verdict = draw(st.sampled_from(Verdict))
    start = draw(st.integers(0, len(text) - 1))
    flag = Flag(draw(st.sampled_from(FlagKind)), "a flag", answer=draw(st.none() | words))
    return Sentence(
        id=draw(ids),
        text=text,
        regions=tuple(draw(st.lists(st.sampled_from(REGION_IDS), unique=True, max_size=3))),
        anchors=anchors,
        polarity=draw(st.sampled_from(Polarity)),
        origin=Origin(author, draw(words.filter(lambda w: w == w.strip())) if author is Author.MODEL else ""),
        evidence=tuple(draw(st.lists(st.sampled_from(measured), unique=True, max_size=3))) if measured else (),
        key_phrase=draw(st.none() | st.tuples(st.just(start), st.integers(start + 1, len(text)))),
        verdict=verdict,
        viewed=draw(st.booleans()),
        placeless=not anchors and draw(st.booleans()),
        flags=(flag,) if draw(st.booleans()) else (),
        verdict_before=Verdict.EDITED if verdict is Verdict.REJECTED and draw(st.booleans()) else None,
    )


def draw_report(data: Any, base: Report) -> Report:
    measured = tuple(data.draw(st.lists(measurements(), max_size=4, unique_by=lambda m: m.id)))
    known = tuple(m.id for m in measured)
    said = tuple(data.draw(st.lists(sentences(known), max_size=6, unique_by=lambda s: s.id)))
    region_ids = st.sampled_from(REGION_IDS)
    return replace(
        base,
        id=data.draw(ids),
        study=replace(base.study, prior=data.draw(st.booleans())),
        coverage={r: data.draw(st.sampled_from(Coverage)) for r in REGION_IDS},
        coverage_notes=data.draw(st.dictionaries(region_ids, words, max_size=3)),
        places=tuple(data.draw(st.lists(places(), max_size=3))),
        measurements=measured,
        sentences=said,
        writer=data.draw(words),
        notes=tuple(data.draw(st.lists(words, max_size=3))),
        predecessor=data.draw(st.none() | ids),
    )


def check_round_trip(data: Any, case: Any, path: Path) -> None:
    report = draw_report(data, case.report)
    if not may_sign(report, "Dr. Ä") and data.draw(st.booleans()):
        report = sign(report, "Dr. Ä", "2026-01-02T09:00:00+01:00")
    finish(write_sr(report, case.headers, SEG, path))

    assert read_sr(path) == carried(report)
    links = segment_links(path)
    for sentence in carried(report).sentences:
        numbers = {n for anchor in sentence.anchors for n in SEG.segments(anchor.place)}
        assert set(links[sentence.id]) == numbers and bool(numbers) == bool(sentence.anchors)


_RULES = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "derandomize": True,
    "phases": (Phase.explicit, Phase.generate),
}


@settings(max_examples=40, **_RULES)
@given(data=st.data())
def test_forty_random_reports_come_back_equal(data: Any, dicom_case: Any, tmp_path_factory: Any) -> None:
    check_round_trip(data, dicom_case, tmp_path_factory.getbasetemp() / "random.dcm")


@pytest.mark.slow
@settings(max_examples=500, **_RULES)
@given(data=st.data())
def test_five_hundred_random_reports_come_back_equal(data: Any, dicom_case: Any, tmp_path_factory: Any) -> None:
    check_round_trip(data, dicom_case, tmp_path_factory.getbasetemp() / "random-many.dcm")
