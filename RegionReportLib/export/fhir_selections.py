"""What the phrases of a report point at, as FHIR R5 ImagingSelections: a CT slice with a point, segments of a SEG.

Each link has a selection of its own, because the link is an `id` in the narrative and ids occur once.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..anatomy import regions as anatomy
from ..anatomy.codes import Code
from ..imaging.grid import Grid
from ..imaging.volume import DicomSource
from ..report.place import Place
from ..report.sentence import Sentence
from .dicom_seg import SEG_STORAGE, SegReference
from .dicom_sr_items import lps
from .fhir_values import Resource, concept, entry_reference, stable_id

BEST_ILLUSTRATION = Code("DCM", "121080", "Best illustration of finding")
REFERENCED_SEGMENT = Code("DCM", "121191", "Referenced Segment")


@dataclass(frozen=True, slots=True)
class Pointers:
    """What selections refer to: the series, its SEG if there is one, and the entries of the bundle.

    `address` is the base of the WADO-RS service, empty if none is known.
    """

    source: DicomSource
    grid: Grid
    seg: SegReference | None
    address: str
    subject: Resource
    study_id: str
    endpoint_id: str | None
    report_key: str


@dataclass(frozen=True, slots=True)
class Link:
    """One thing that a phrase points at; `href` shows it in a browser, None if no service is known that could."""

    selection: Resource
    href: str | None


@dataclass(frozen=True, slots=True)
class PlaceLinks:
    """The links of one place of a sentence, None where the scan or the SEG does not hold it."""

    place: Place
    slice: Link | None
    segments: Link | None


def sentence_links(sentence: Sentence, to: Pointers) -> tuple[PlaceLinks, ...]:
    """Return the links of a sentence, one entry for each of its places, each place once."""
    places = dict.fromkeys(anchor.place for anchor in sentence.anchors)
    return tuple(_place_links(sentence.id, n, place, to) for n, place in enumerate(places))


def slice_uid(place: Place, to: Pointers) -> str | None:
    """Return the instance whose slice holds the point of a place; None outside the scan.

    None also for an instance of many slices, where the instance alone would show another one.
    """
    index = to.grid.index_at(place.point_mm)
    uids = to.source.instance_uids
    if index is None or len(uids) != to.grid.shape_kji[0]:
        return None
    uid = uids[index[0]]
    return uid if uids.count(uid) == 1 else None


def _place_links(sentence_id: str, n: int, place: Place, to: Pointers) -> PlaceLinks:
    uid = slice_uid(place, to)
    href = _rendered(place, uid, to) if uid is not None and to.address else None
    words = (to.report_key, sentence_id, str(n))
    of_slice = None if uid is None else Link(_slice(stable_id("slice", *words), place, uid, to), href)
    numbers = to.seg.segments(place) if to.seg is not None else ()
    # A rendered SEG is a black-and-white frame that may be another segment's; its place in the CT can be looked at.
    of_segments = Link(_segments(stable_id("segments", *words), place, numbers, to), href) if numbers else None
    return PlaceLinks(place, of_slice, of_segments)


def _slice(selection_id: str, place: Place, uid: str, to: Pointers) -> Resource:
    made = _selection(selection_id, place, BEST_ILLUSTRATION, to.source.series_instance_uid, to)
    instance: Resource = {"uid": uid}
    if to.source.frame_of_reference_uid:
        # R5: millimetres in DICOM's patient axes (left, posterior, superior).
        point = [round(v, 3) + 0.0 for v in lps(place.point_mm)]
        instance["imageRegion3D"] = [{"regionType": "point", "coordinate": point}]
    return made | {"instance": [instance]}


def _segments(selection_id: str, place: Place, numbers: tuple[int, ...], to: Pointers) -> Resource:
    assert to.seg is not None
    made = _selection(selection_id, place, REFERENCED_SEGMENT, to.seg.series_uid, to)
    sop_class = {"system": "urn:ietf:rfc:3986", "code": f"urn:oid:{SEG_STORAGE}"}
    subset = [str(number) for number in numbers]
    return made | {"instance": [{"uid": to.seg.instance_uid, "sopClass": sop_class, "subset": subset}]}


def _selection(selection_id: str, place: Place, code: Code, series_uid: str, to: Pointers) -> Resource:
    body = anatomy.region(place.region_id).code if place.structure is None else anatomy.structure(place.structure).code
    made: Resource = {
        "resourceType": "ImagingSelection",
        "id": selection_id,
        "status": "available",
        "subject": to.subject,
        "code": concept(code),
        "studyUid": to.source.study_instance_uid,
        "derivedFrom": [entry_reference(to.study_id, "ImagingStudy")],
        "seriesUid": series_uid,
        "bodySite": {"concept": {**concept(body), "text": place.name}},
    }
    if to.endpoint_id is not None:
        made["endpoint"] = [entry_reference(to.endpoint_id, "Endpoint")]
    if to.source.frame_of_reference_uid:
        made["frameOfReferenceUid"] = to.source.frame_of_reference_uid
    return made


def _rendered(place: Place, uid: str, to: Pointers) -> str:
    """Return the address of the slice as a picture (PS3.18 §10.4.1.1.3), in the window of the region."""
    width, level = anatomy.region(place.region_id).window
    path = f"studies/{to.source.study_instance_uid}/series/{to.source.series_instance_uid}/instances/{uid}/rendered"
    return f"{to.address}/{path}?window={level:g},{width:g},linear"
