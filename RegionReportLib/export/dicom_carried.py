"""What of a report a DICOM SR carries: the measure by which writing and reading again are equal.

Carried exactly: ids, words, places, evidence, authors, verdicts, numbers, coverage, notes, signature. Not carried:
rejected sentences (they are no part of the report), flags and their answers (found anew, kept in the trail), what a
model thinks of its own words and boxes as numbers (the notes of the places say it), the path of the scan on this
machine. Changed: sentences stand in reading order, coordinates are 32-bit numbers, texts
lose blanks at their end.
"""

from __future__ import annotations

from dataclasses import replace

from ..anatomy import regions as anatomy
from ..imaging.box import Box
from ..report.canonical import canonical, sha256
from ..report.document import Report, Signature
from ..report.json_form import report_to_dict
from ..report.measurement import Measurement
from ..report.place import Anchor, Place
from ..report.sentence import Sentence
from .dicom_sr_items import name_of_person, person_name, plain, single
from .standing import kept


def carried(report: Report) -> Report:
    """Return the report as its SR tells it; doing so again changes nothing. InputRefused for what cannot be told."""
    staying = {s.id for s in kept(report)}
    ordered = [s for _, group in report.by_region() for s in group if s.id in staying]
    return replace(
        report,
        study=replace(report.study, path=""),
        coverage_notes={r: plain(n) for r, n in report.coverage_notes.items() if r in anatomy.REGION_IDS and plain(n)},
        places=tuple(carried_place(p) for p in report.places),
        measurements=tuple(_measurement(m) for m in report.measurements),
        sentences=tuple(_sentence(s) for s in ordered),
        writer=plain(report.writer),
        segmenter=plain(report.segmenter),
        notes=tuple(plain(n) for n in report.notes if plain(n)),
        signature=None if report.signature is None else _signature(report.signature),
        flags=(),
    )


def carried_digest(report: Report) -> str:
    """Return the SHA-256 of what an SR carries of a report, so that a change on the way is noticed.

    Covers words, places, evidence, authors, verdicts, numbers, coverage, notes, signature and the digest of the scan;
    not the identity of patient and study, which archives correct, nor the geometry, which the images tell. Whoever can
    change the file can change the digest: it proves no origin.
    """
    told = report_to_dict(carried(report))
    return sha256(canonical({**told, "study": {"digest": report.study.digest, "prior": report.study.prior}}))


def carried_place(place: Place) -> Place:
    """Return a place with its box and point as 32-bit numbers."""
    box = Box(single(place.box.min_mm), single(place.box.max_mm))
    return replace(place, box=box, point_mm=single(place.point_mm))


def _sentence(sentence: Sentence) -> Sentence:
    words = plain(sentence.text)
    start, stop = sentence.key_phrase or (0, 0)
    stop = min(stop, len(words))
    return replace(
        sentence,
        text=words,
        key_phrase=(start, stop) if start < stop else None,
        anchors=tuple(_anchor(a) for a in sentence.anchors),
        origin=replace(sentence.origin, label=plain(sentence.origin.label)),
        flags=(),
        asked_about=None,
        support=None,
    )


def _anchor(anchor: Anchor) -> Anchor:
    return replace(anchor, place=carried_place(anchor.place), note=plain(anchor.note), dispersion_mm=None)


def _measurement(measurement: Measurement) -> Measurement:
    place = measurement.place
    return replace(
        measurement,
        method=plain(measurement.method),
        reason=plain(measurement.reason),
        place=None if place is None else carried_place(place),
    )


def _signature(signature: Signature) -> Signature:
    return replace(signature, name=name_of_person(person_name(signature.name)))
