"""Our own DICOM SR read back into the report it tells; other SR documents are refused.

Without loss as far as the SR carries the report: see `dicom_carried`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from ..anatomy import regions as anatomy
from ..anatomy.codes import Code
from ..anatomy.regions import Coverage, Side, Zone
from ..errors import InputRefused
from ..imaging.grid import Grid
from ..imaging.lps import swap_lps_ras
from ..imaging.refusal import refused
from ..imaging.volume import DicomSource
from ..report.document import Report, Signature, Status, Study
from ..report.measurement import QUANTITIES, Measurement
from ..report.place import Anchor, AnchorSource, Place
from ..report.sentence import Author, Origin, Polarity, Sentence, Verdict
from . import dicom_codes as c
from .dicom_carried import carried_digest
from .dicom_file import read_dataset
from .dicom_sr import SR_STORAGE
from .dicom_sr_items import name_of_person
from .dicom_tree import Item

_HEADER = {
    "study_instance_uid": "StudyInstanceUID",
    "patient_id": "PatientID",
    "patient_name": "PatientName",
    "patient_birth_date": "PatientBirthDate",
    "patient_sex": "PatientSex",
    "study_date": "StudyDate",
    "study_description": "StudyDescription",
    "accession_number": "AccessionNumber",
}


def read_sr(path: Path) -> Report:
    """Read a report from an SR that this program wrote.

    InputRefused if it is another document or damaged, or is signed and not what was exported. A draft that was changed
    on the way is read: see `as_exported`.
    """
    report, intact = _read(path)
    if report.signature is not None and not intact:
        raise refused(path, "is a signed report that was changed after it was exported")
    return report


def as_exported(path: Path) -> bool:
    """Tell whether the content of one of our SR documents is still what was exported, by the digest in it."""
    return _read(path)[1]


def _read(path: Path) -> tuple[Report, bool]:
    document = read_dataset(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom's, about values that are checked here anyway
            if str(document.get("SOPClassUID", "")) != SR_STORAGE or Item(document).find(c.REPORT_ID) is None:
                raise InputRefused("is no report that RegionReport wrote as DICOM SR")
            report = _report(document)
            return report, Item(document).text_of(c.EXPORT_DIGEST) == carried_digest(report)
    except InputRefused as cause:
        raise refused(path, str(cause)) from cause
    except Exception as cause:  # pydicom reads values late and raises whatever it meets
        raise refused(path, f"is damaged or was changed: {cause!s:.200}") from cause


def segment_links(path: Path) -> dict[str, tuple[int, ...]]:
    """Return for each sentence id of one of our SR documents the segment numbers that it is inferred from."""
    return {
        item.text_of(c.TRACKING_ID): tuple(n for image in item.all(c.ROI, "IMAGE") for n in image.segments)
        for heading in _headings(Item(read_dataset(path)))
        for item in heading.all(c.FINDING, "TEXT")
    }


def _report(document: Dataset) -> Report:
    root = Item(document)
    coverage, notes = _coverage(root)
    measurements = root.need(c.MEASUREMENTS, "CONTAINER")
    groups = list(measurements.all(c.GROUP, "CONTAINER"))
    ids = {group.need(c.TRACKING_UID).uid: group.need(c.TRACKING_ID).text for group in groups}
    places = root.find(c.PLACES, "CONTAINER")
    signature = _signature(document, root)
    return Report(
        id=root.need(c.REPORT_ID).text,
        study=_study(document, root),
        coverage=coverage,
        coverage_notes=notes,
        places=tuple(_place(item) for item in places.all(c.PLACE, "CODE")) if places else (),
        measurements=tuple(_measurement(group) for group in groups),
        sentences=tuple(_sentence(item, heading, ids) for heading in _headings(root) for item in _texts(heading)),
        writer=root.text_of(c.DEVICE_NAME),
        segmenter=measurements.text_of(c.ALGORITHM_NAME),
        created_at=root.text_of(c.CREATED),
        notes=tuple(item.text for item in root.all(c.COMMENT, "TEXT")),
        status=Status.DRAFT if signature is None else Status.SIGNED,
        signature=signature,
        predecessor=root.text_of(c.PREDECESSOR) or None,
    )


def _headings(root: Item) -> Iterator[Item]:
    yield from root.all(c.FINDINGS, "CONTAINER")
    yield from root.all(c.NO_PLACE, "CONTAINER")


def _texts(heading: Item) -> Iterator[Item]:
    return heading.all(c.FINDING, "TEXT")


def _coverage(root: Item) -> tuple[dict[str, Coverage], dict[str, str]]:
    coverage, notes = {}, {}
    for heading in root.all(c.FINDINGS, "CONTAINER"):
        region_id = _region_of(heading.need(c.FINDING_SITE, "CODE").code)
        item = heading.need(c.COVERAGE, "CODE")
        coverage[region_id] = Coverage(item.code.value.lower())
        if note := item.text_of(c.COMMENT):
            notes[region_id] = note
    return coverage, notes


def _region_of(code: Code) -> str:
    for region in anatomy.regions():
        if c.same(region.code, code):
            return region.id
    raise InputRefused(f"the DICOM SR names a region that is not known: {code}")


def _signature(document: Dataset, root: Item) -> Signature | None:
    verified = str(document.get("VerificationFlag", "")) == "VERIFIED"
    if verified != (str(document.get("CompletionFlag", "")) == "COMPLETE"):
        raise InputRefused("the DICOM SR is verified but not complete, or complete but not verified")
    if not verified:
        return None
    by = document.VerifyingObserverSequence[0]
    return Signature(
        name=name_of_person(str(by.VerifyingObserverName)),
        signed_at=root.need(c.SIGNED_AT).text,
        content_sha256=root.text_of(c.CONTENT_DIGEST),
        trail_sha256=root.text_of(c.TRAIL_DIGEST),
        trail_length=int(root.need(c.TRAIL_LENGTH).needed_number),
    )


def _study(document: Dataset, root: Item) -> Study:
    group = root.need(c.LIBRARY, "CONTAINER").need(c.LIBRARY_GROUP, "CONTAINER")
    entries = list(group.every("IMAGE"))
    uids = tuple(str(entry.instance.ReferencedSOPInstanceUID) for entry in entries)
    series_uid, referenced = _series_of(document, uids[0])
    if referenced != set(uids):
        raise InputRefused("the DICOM SR does not describe all the slices it refers to: it is cut")
    source = DicomSource(
        series_instance_uid=series_uid,
        frame_of_reference_uid=group.need(c.FRAME_OF_REFERENCE, "UIDREF").uid,
        instance_uids=uids,
        series_description=group.text_of(c.SERIES_NAME),
        **{field: " ".join(str(document.get(keyword) or "").split()) for field, keyword in _HEADER.items()},
    )
    grid = _grid(group, entries)
    return Study("", root.text_of(c.SCAN_DIGEST), grid, source, prior=root.says_yes(c.PRIOR))


def _series_of(document: Dataset, instance_uid: str) -> tuple[str, set[str]]:
    """Return the series that holds an instance, and all instances of it that the document refers to."""
    for study in document.CurrentRequestedProcedureEvidenceSequence:
        for series in study.ReferencedSeriesSequence:
            uids = {str(one.ReferencedSOPInstanceUID) for one in series.ReferencedSOPSequence}
            if instance_uid in uids:
                return str(series.SeriesInstanceUID), uids
    raise InputRefused("the DICOM SR does not name the series of its images")


def _grid(group: Item, entries: list[Item]) -> Grid:
    """Make the grid of the scan as reading its slices makes it (PS3.3 C.7.6.2)."""
    axes = np.array([group.need(name).needed_number for name in c.ORIENTATION]).reshape(2, 3)
    first, last = (np.array([entries[n].need(name).needed_number for name in c.POSITION]) for n in (0, -1))
    affine = np.eye(4)
    step = (last - first) / (len(entries) - 1)
    columns = axes[0] * group.need(c.COLUMN_SPACING).needed_number
    rows = axes[1] * group.need(c.ROW_SPACING).needed_number
    affine[:3, :3] = np.stack([columns, rows, step], axis=1)
    affine[:3, 3] = first
    shape = (len(entries), int(group.need(c.ROWS).needed_number), int(group.need(c.COLUMNS).needed_number))
    return Grid(shape, swap_lps_ras(affine))


def _sentence(item: Item, heading: Item, measurement_ids: dict[str, str]) -> Sentence:
    site = heading.find(c.FINDING_SITE, "CODE")
    regions = [] if site is None else [_region_of(site.code)]
    regions += [_region_of(one.code) for one in item.all(c.FURTHER_REGION, "CODE")]
    return Sentence(
        id=item.need(c.TRACKING_ID).text,
        text=item.text,
        regions=tuple(regions),
        anchors=tuple(_anchor(one) for one in item.all(c.FINDING_SITE, "CODE")),
        polarity=_polarity(item.need(c.PRESENCE, "CODE").code),
        origin=_origin(item),
        evidence=tuple(measurement_ids[one.uid] for one in item.all(c.TRACKING_UID) if one.uid in measurement_ids),
        key_phrase=_key_phrase(item),
        verdict=Verdict(item.word_of(c.VERDICT)),
        viewed=item.says_yes(c.VIEWED),
        placeless=item.says_yes(c.PLACELESS),
    )


def _origin(item: Item) -> Origin:
    author = Author(item.word_of(c.AUTHOR))
    if author is not Author.MODEL:
        return Origin(author)
    return Origin(author, item.text_of(c.DEVICE_MODEL), item.text_of(c.COMMENT))


def _polarity(code: Code) -> Polarity:
    for polarity, known in c.POLARITIES.items():
        if c.same(known, code):
            return polarity
    raise InputRefused(f"the DICOM SR says of a finding neither present nor absent: {code}")


def _key_phrase(item: Item) -> tuple[int, int] | None:
    phrase = item.find(c.KEY_PHRASE, "TEXT")
    if phrase is None:
        return None
    return int(phrase.need(c.PHRASE_START).needed_number), int(phrase.need(c.PHRASE_STOP).needed_number)


def _anchor(item: Item) -> Anchor:
    confidence = item.find(c.CONFIDENCE, "NUM")
    return Anchor(
        place=_place(item),
        source=AnchorSource(item.word_of(c.ANCHOR)),
        confidence=None if confidence is None else confidence.number,
        note=item.text_of(c.COMMENT),
    )


def _place(item: Item) -> Place:
    region_id, structure, side, zone = _site(item)
    return Place(region_id, item.need(c.BOX).box, item.need(c.POINT).point, structure, side, zone)


def _site(item: Item) -> tuple[str, str | None, Side | None, Zone | None]:
    region_id, _, structure = item.need(c.TRACKING_ID).text.partition("/")
    side = item.find(c.LATERALITY, "CODE")
    zone = item.find(c.TOPOGRAPHY, "CODE")
    return (
        region_id,
        structure or None,
        None if side is None else next(s for s, known in c.SIDES.items() if c.same(known, side.code)),
        None if zone is None else next(z for z, known in c.ZONES.items() if c.same(known, zone.code)),
    )


def _measurement(group: Item) -> Measurement:
    region_id, structure, side, zone = _site(group.need(c.FINDING_SITE, "CODE"))
    value = next(group.every("NUM"))
    code, place, deviation = group.find(c.FINDING, "CODE"), group.find(c.PLACE, "CODE"), value.find(c.DEVIATION)
    return Measurement(
        id=group.need(c.TRACKING_ID).text,
        quantity=value.text_of(c.QUANTITY),
        region_id=region_id,
        value=value.number,
        unit=QUANTITIES.get(value.text_of(c.QUANTITY), ""),
        method=value.text_of(c.METHOD),
        reason=value.text_of(c.COMMENT),
        structure=structure,
        side=side,
        zone=zone,
        code=None if code is None else code.code,
        uncertainty=None if deviation is None else deviation.number,
        place=None if place is None else _place(place),
    )
