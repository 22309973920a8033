"""The content tree of a report as DICOM SR: headings by region, sentences with their place, measurements, images.

In the manner of TID 2000 (report), TID 1500/1501 (measurements), TID 1600 (images), without claiming these templates,
because they leave no room for verdicts and authors. The report comes in as `carried` returns it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset

from ..anatomy import regions as anatomy
from ..anatomy.codes import Code
from ..anatomy.regions import Side, Zone
from ..report.document import Report
from ..report.measurement import Measurement
from ..report.place import Anchor, Place
from ..report.sentence import Author, Authorship, Sentence, authorship
from . import dicom_codes as c
from . import dicom_sr_items as sr
from .dicom_carried import carried_digest
from .dicom_seg import SEG_STORAGE, SegReference
from .dicom_series import MANUFACTURER, stable_uid

_AI = (Authorship.AI, Authorship.AI_EDITED)
_PERSON = (Authorship.HUMAN, Authorship.AI_EDITED)


@dataclass(frozen=True, slots=True)
class Pointers:
    """What content refers to: the SEG, the frame of reference and series of the scan, and the report by its id."""

    seg: SegReference
    frame_of_reference: str
    source_series: str
    report_id: str

    def measurement_uid(self, measurement_id: str) -> str:
        """Return the tracking UID of a measurement."""
        return stable_uid("measurement", self.source_series, self.report_id, measurement_id)


def content(report: Report, headers: Sequence[Dataset], seg: SegReference) -> Dataset:
    """Return the root container of a report; `headers` are its slices in the order of k."""
    first = headers[0]
    to = Pointers(seg, str(first.FrameOfReferenceUID), str(first.SeriesInstanceUID), report.id)
    children = [
        sr.code(sr.MODIFIER, c.LANGUAGE, _language(report)),
        *_context(report),
        *(_heading(report, region, sentences, to) for region, sentences in report.by_region()),
        *(sr.text(sr.CONTAINS, c.COMMENT, note) for note in report.notes),
        _measurements(report, to),
    ]
    if report.places:
        places = [_place(sr.CONTAINS, c.PLACE, place, to) for place in report.places]
        children.append(sr.container(sr.CONTAINS, c.PLACES, places))
    children.append(_library(headers, report))
    return sr.container("", c.CT_CHEST_REPORT, children)


def _language(report: Report) -> Code:
    """Our writers write English; of imported and dictated words the language is not known."""
    ours = all(s.origin.author in (Author.MEASURED, Author.MODEL) for s in report.sentences)
    return Code("RFC5646", "en", "English") if ours else Code("RFC5646", "und", "Undetermined")


def _context(report: Report) -> Iterator[Dataset]:
    yield from _device(report.writer, "")
    if report.signature is not None:
        yield sr.code(sr.CONTEXT, c.OBSERVER_TYPE, c.PERSON)
        yield sr.person(sr.CONTEXT, c.PERSON_NAME, report.signature.name)
    said = [(c.REPORT_ID, report.id), (c.CREATED, report.created_at), (c.SCAN_DIGEST, report.study.digest)]
    said += [(c.PREDECESSOR, report.predecessor or ""), (c.EXPORT_DIGEST, carried_digest(report))]
    if report.signature is not None:
        by = report.signature
        said += [(c.SIGNED_AT, by.signed_at), (c.CONTENT_DIGEST, by.content_sha256), (c.TRAIL_DIGEST, by.trail_sha256)]
        yield sr.number(sr.CONTEXT, c.TRAIL_LENGTH, by.trail_length, c.ENTRIES)
    yield from (sr.text(sr.CONTEXT, name, words) for name, words in said if words)
    if report.study.prior:
        yield sr.code(sr.CONTEXT, c.PRIOR, c.YES)


def _device(name: str, model: str) -> Iterator[Dataset]:
    yield sr.code(sr.CONTEXT, c.OBSERVER_TYPE, c.DEVICE)
    yield sr.uidref(sr.CONTEXT, c.DEVICE_UID, stable_uid("device", name, model))
    if name:
        yield sr.text(sr.CONTEXT, c.DEVICE_NAME, name)
    yield sr.text(sr.CONTEXT, c.DEVICE_MANUFACTURER, MANUFACTURER)
    if model:
        yield sr.text(sr.CONTEXT, c.DEVICE_MODEL, model)


def _heading(report: Report, region: anatomy.Region | None, sentences: Iterable[Sentence], to: Pointers) -> Dataset:
    items = [_sentence(report, s, to) for s in sentences]
    if region is None:
        return sr.container(sr.CONTAINS, c.NO_PLACE, items)
    covered = report.coverage[region.id].value
    note = report.coverage_notes.get(region.id)
    told = [sr.text(sr.PROPERTY, c.COMMENT, note)] if note else []
    return sr.container(
        sr.CONTAINS,
        c.FINDINGS,
        [
            sr.code(sr.MODIFIER, c.FINDING_SITE, region.code),
            sr.code(sr.CONTAINS, c.COVERAGE, c.word(covered), told),
            *items,
        ],
    )


def _sentence(report: Report, sentence: Sentence, to: Pointers) -> Dataset:
    return sr.text(
        sr.CONTAINS,
        c.FINDING,
        sentence.text,
        [
            *_observers(report, sentence),
            sr.text(sr.CONTEXT, c.TRACKING_ID, sentence.id),
            sr.uidref(sr.CONTEXT, c.TRACKING_UID, stable_uid("sentence", to.source_series, to.report_id, sentence.id)),
            *_properties(sentence),
            *_segments(sentence, to),
            *(_anchor(a, to) for a in sentence.anchors),
            *(sr.uidref(sr.INFERRED, c.TRACKING_UID, to.measurement_uid(one)) for one in sentence.evidence),
        ],
    )


def _observers(report: Report, sentence: Sentence) -> Iterator[Dataset]:
    """A device for the words of a program, a person for a reader's; both where a reader changed a program's words."""
    whose = authorship(sentence)
    if whose in _AI:
        yield from _device(report.writer, sentence.origin.model)
    if whose in _PERSON:
        yield sr.code(sr.CONTEXT, c.OBSERVER_TYPE, c.PERSON)
        if report.signature is not None:  # an unsigned report does not know its reader
            yield sr.person(sr.CONTEXT, c.PERSON_NAME, report.signature.name)


def _properties(sentence: Sentence) -> Iterator[Dataset]:
    for name, word in (
        (c.AUTHOR, sentence.origin.author.value),
        (c.AUTHORSHIP, authorship(sentence).value),
        (c.VERDICT, sentence.verdict.value),
    ):
        yield sr.code(sr.PROPERTY, name, c.word(word))
    yield sr.code(sr.PROPERTY, c.PRESENCE, c.POLARITIES[sentence.polarity])
    if sentence.origin.label:
        yield sr.text(sr.PROPERTY, c.COMMENT, sentence.origin.label)
    for name, is_so in ((c.VIEWED, sentence.viewed), (c.PLACELESS, sentence.placeless)):
        if is_so:
            yield sr.code(sr.PROPERTY, name, c.YES)
    for region_id in sentence.regions[1:]:
        yield sr.code(sr.PROPERTY, c.FURTHER_REGION, anatomy.region(region_id).code)
    if sentence.key_phrase is not None:
        start, stop = sentence.key_phrase
        span = [
            sr.number(sr.PROPERTY, c.PHRASE_START, start, c.CHARACTERS),
            sr.number(sr.PROPERTY, c.PHRASE_STOP, stop, c.CHARACTERS),
        ]
        # A phrase of blanks alone would be an empty text.
        yield sr.text(sr.PROPERTY, c.KEY_PHRASE, sentence.text[start:stop].strip() or "-", span)


def _segments(sentence: Sentence, to: Pointers) -> Iterator[Dataset]:
    for numbers in dict.fromkeys(to.seg.segments(a.place) for a in sentence.anchors):
        if numbers:
            yield sr.image(sr.INFERRED, c.ROI, sr.Reference(SEG_STORAGE, to.seg.instance_uid, numbers))


def _anchor(anchor: Anchor, to: Pointers) -> Dataset:
    source = anchor.source.value
    more = [sr.code(sr.PROPERTY, c.ANCHOR, c.word(source))]
    if anchor.confidence is not None:
        more.append(sr.number(sr.PROPERTY, c.CONFIDENCE, anchor.confidence, c.UNITS["1"]))
    if anchor.note:
        more.append(sr.text(sr.PROPERTY, c.COMMENT, anchor.note))
    return _place(sr.INFERRED, c.FINDING_SITE, anchor.place, to, more)


def _place(relation: str, name: Code, place: Place, to: Pointers, more: Iterable[Dataset] = ()) -> Dataset:
    children = [
        *_site_children(place.region_id, place.structure, place.side, place.zone),
        sr.box_item(sr.INFERRED, c.BOX, place.box, to.frame_of_reference),
        sr.point_item(sr.INFERRED, c.POINT, place.point_mm, to.frame_of_reference),
        *more,
    ]
    return sr.code(relation, name, _site(place.region_id, place.structure), children)


def _site(region_id: str, structure: str | None) -> Code:
    return anatomy.region(region_id).code if structure is None else anatomy.structure(structure).code


def _site_children(region_id: str, structure: str | None, side: Side | None, zone: Zone | None) -> list[Dataset]:
    """Our ids beside the code, because one code may stand for several of our structures."""
    children = [sr.text(sr.CONTEXT, c.TRACKING_ID, f"{region_id}/{structure}" if structure else region_id)]
    if side is not None:
        children.append(sr.code(sr.MODIFIER, c.LATERALITY, c.SIDES[side]))
    if zone is not None:
        children.append(sr.code(sr.MODIFIER, c.TOPOGRAPHY, c.ZONES[zone]))
    return children


def _measurements(report: Report, to: Pointers) -> Dataset:
    groups = [_group(m, to) for m in report.measurements]
    made_with = [sr.text(sr.CONTEXT, c.ALGORITHM_NAME, report.segmenter)] if report.segmenter else []
    return sr.container(sr.CONTAINS, c.MEASUREMENTS, [*made_with, *groups])


def _group(one: Measurement, to: Pointers) -> Dataset:
    """One group for each measurement, as TID 1501 and, where it was taken in a segment, TID 1411 have it."""
    site = _site_children(one.region_id, one.structure, one.side, one.zone)
    children = [
        sr.text(sr.CONTEXT, c.TRACKING_ID, one.id),
        sr.uidref(sr.CONTEXT, c.TRACKING_UID, to.measurement_uid(one.id)),
        sr.code(sr.MODIFIER, c.FINDING_SITE, _site(one.region_id, one.structure), site),
    ]
    if one.code is not None:
        children.append(sr.code(sr.CONTAINS, c.FINDING, one.code))
    if one.place is not None:
        numbers = to.seg.segments(one.place)
        if numbers:
            pointer = sr.Reference(SEG_STORAGE, to.seg.instance_uid, numbers)
            children.append(sr.image(sr.CONTAINS, c.REFERENCED_SEGMENT, pointer))
            children.append(sr.uidref(sr.CONTAINS, c.SOURCE_SERIES, to.source_series))
        children.append(_place(sr.CONTAINS, c.PLACE, one.place, to))
    return sr.container(sr.CONTAINS, c.GROUP, [*children, _value(one)])


def _value(one: Measurement) -> Dataset:
    unit = c.UNITS[one.unit]
    below = [sr.text(sr.MODIFIER, c.METHOD, one.method), sr.text(sr.MODIFIER, c.QUANTITY, one.quantity)]
    if one.uncertainty is not None:
        below.append(sr.number(sr.PROPERTY, c.DEVIATION, one.uncertainty, unit))
    if one.reason:
        below.append(sr.text(sr.PROPERTY, c.COMMENT, one.reason))
    name = c.quantity_name(one.quantity)
    return sr.number(sr.CONTAINS, name, one.value, unit, children=below, unknown=c.UNKNOWN_VALUE)


def _library(headers: Sequence[Dataset], report: Report) -> Dataset:
    """The slices with their places (TID 1600, 1604), from which the grid of the scan can be made again."""
    first = headers[0]
    rows_mm, columns_mm = (float(v) for v in first.PixelSpacing)
    axes = zip(c.ORIENTATION, (float(v) for v in first.ImageOrientationPatient), strict=True)
    common = [
        sr.uidref(sr.ACQUISITION, c.FRAME_OF_REFERENCE, str(first.FrameOfReferenceUID)),
        *(sr.number(sr.ACQUISITION, name, value, c.UNITS["1"]) for name, value in axes),
        sr.number(sr.ACQUISITION, c.ROWS, int(first.Rows), c.PIXELS),
        sr.number(sr.ACQUISITION, c.COLUMNS, int(first.Columns), c.PIXELS),
        sr.number(sr.ACQUISITION, c.COLUMN_SPACING, columns_mm, c.UNITS["mm"]),
        sr.number(sr.ACQUISITION, c.ROW_SPACING, rows_mm, c.UNITS["mm"]),
    ]
    described = report.study.dicom.series_description if report.study.dicom is not None else ""
    if described:
        common.append(sr.text(sr.ACQUISITION, c.SERIES_NAME, described))
    entries = [_entry(header) for header in headers]
    return sr.container(sr.CONTAINS, c.LIBRARY, [sr.container(sr.CONTAINS, c.LIBRARY_GROUP, [*common, *entries])])


def _entry(header: Dataset) -> Dataset:
    where = zip(c.POSITION, (float(v) for v in header.ImagePositionPatient), strict=True)
    reference = sr.Reference(str(header.SOPClassUID), str(header.SOPInstanceUID))
    places = [sr.number(sr.ACQUISITION, name, value, c.UNITS["mm"]) for name, value in where]
    return sr.image(sr.CONTAINS, None, reference, places)
