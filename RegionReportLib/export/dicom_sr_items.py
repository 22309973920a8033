"""Content items of a DICOM Structured Report (PS3.3 C.17.3), one function for each kind, and the checks of its text.

An item is a pydicom dataset; children are given with their relationship already in them.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset
from pydicom.valuerep import DSfloat

from ..anatomy.codes import Code
from ..errors import InputRefused
from ..imaging.box import Box, Point
from .dicom_codes import code_item

CONTAINS = "CONTAINS"
CONTEXT = "HAS OBS CONTEXT"
ACQUISITION = "HAS ACQ CONTEXT"
MODIFIER = "HAS CONCEPT MOD"
PROPERTY = "HAS PROPERTIES"
INFERRED = "INFERRED FROM"
_LONGEST_NAME_PART = 64  # VR PN, per component group
_ALLOWED_CONTROLS = "\t\n\f\r"  # PS3.5 §6.1.3
# A walk along all twelve edges of a box, corners by their bits x y z, so that any viewer draws it.
_EDGES = (0, 1, 3, 2, 0, 4, 5, 1, 5, 7, 3, 7, 6, 2, 6, 4)


@dataclass(frozen=True, slots=True)
class Reference:
    """An instance that content points at; `segments` where it is a SEG."""

    sop_class: str
    instance_uid: str
    segments: tuple[int, ...] = ()


def text(relation: str, name: Code, value: str, children: Iterable[Dataset] = ()) -> Dataset:
    """Return a TEXT item; InputRefused if DICOM cannot hold the text."""
    item = _item("TEXT", relation, name, children)
    item.TextValue = plain(value)
    return item


def code(relation: str, name: Code, value: Code, children: Iterable[Dataset] = ()) -> Dataset:
    """Return a CODE item."""
    item = _item("CODE", relation, name, children)
    item.ConceptCodeSequence = [code_item(value)]
    return item


def uidref(relation: str, name: Code, uid: str) -> Dataset:
    """Return a UIDREF item."""
    item = _item("UIDREF", relation, name)
    item.UID = uid
    return item


def person(relation: str, name: Code, who: str) -> Dataset:
    """Return a PNAME item."""
    item = _item("PNAME", relation, name)
    item.PersonName = person_name(who)
    return item


def number(
    relation: str,
    name: Code,
    value: float | None,
    unit: Code,
    *,
    children: Iterable[Dataset] = (),
    unknown: Code | None = None,
) -> Dataset:
    """Return a NUM item, its value exact as double; without a value, `unknown` says so in a code."""
    item = _item("NUM", relation, name, children)
    item.MeasuredValueSequence = []
    if value is None:
        if unknown is not None:
            item.NumericValueQualifierCodeSequence = [code_item(unknown)]
        return item
    measured = Dataset()
    measured.NumericValue = str(value) if isinstance(value, int) else DSfloat(value, auto_format=True)
    measured.FloatingPointValue = float(value)
    measured.MeasurementUnitsCodeSequence = [code_item(unit)]
    item.MeasuredValueSequence = [measured]
    return item


def container(relation: str, name: Code, children: Iterable[Dataset]) -> Dataset:
    """Return a CONTAINER item whose parts stand apart."""
    item = _item("CONTAINER", relation, name, children)
    item.ContinuityOfContent = "SEPARATE"
    return item


def image(relation: str, name: Code | None, reference: Reference, children: Iterable[Dataset] = ()) -> Dataset:
    """Return an IMAGE item that points at an instance, or at segments of it."""
    item = _item("IMAGE", relation, name, children)
    pointer = Dataset()
    pointer.ReferencedSOPClassUID, pointer.ReferencedSOPInstanceUID = reference.sop_class, reference.instance_uid
    if reference.segments:
        pointer.ReferencedSegmentNumber = list(reference.segments)
    item.ReferencedSOPSequence = [pointer]
    return item


def box_item(relation: str, name: Code, box: Box, frame_of_reference: str) -> Dataset:
    """Return a SCOORD3D item that draws the edges of a box; DICOM holds its corners as 32-bit numbers."""
    low, high = lps(box.min_mm), lps(box.max_mm)
    corners = [tuple((low, high)[corner >> axis & 1][axis] for axis in range(3)) for corner in _EDGES]
    return _coordinates(relation, name, "POLYLINE", corners, frame_of_reference)


def point_item(relation: str, name: Code, point_mm: Point, frame_of_reference: str) -> Dataset:
    """Return a SCOORD3D item for a point."""
    return _coordinates(relation, name, "POINT", [lps(point_mm)], frame_of_reference)


def lps(point_mm: Point) -> tuple[float, ...]:
    """Return a RAS point in DICOM's axes (left, posterior, superior)."""
    x, y, z = single(point_mm)
    return -x + 0.0, -y + 0.0, z


def single(point_mm: Point) -> Point:
    """Return a point as 32-bit numbers hold it; InputRefused if it lies beyond them."""
    with np.errstate(over="ignore"):
        x, y, z = (float(v) + 0.0 for v in np.asarray(point_mm, dtype=np.float32))
    if not all(math.isfinite(v) for v in (x, y, z)):
        raise InputRefused(f"the point {point_mm} lies beyond what DICOM's 32-bit coordinates hold")
    return x, y, z


def plain(value: str) -> str:
    """Return text as a TEXT item carries it: without blanks at its end; InputRefused for what DICOM text cannot hold.

    That is control characters other than tab and line ends (PS3.5 §6.1.3) and broken characters.
    """
    for c in value:
        if unicodedata.category(c) in ("Cc", "Cs") and c not in _ALLOWED_CONTROLS:
            start = value[:30].encode("unicode_escape").decode("ascii")
            raise InputRefused(f"the text '{start}…' holds the character U+{ord(c):04X}, which DICOM text cannot carry")
    return value.rstrip(" ")


def person_name(who: str) -> str:
    """Return a name as DICOM writes it (VR PN); one without parts gets a caret, which says that it is meant so."""
    groups = who.split("=")
    wrong = len(groups) > 3 or any(len(g) > _LONGEST_NAME_PART - 1 or g.count("^") > 4 for g in groups)
    if wrong or "\\" in who or not who.isprintable() or not who.strip():
        raise InputRefused(f"the name {who[:70]!r} does not fit a DICOM person name")
    return who if "^" in who else f"{who}^"


def name_of_person(value: str) -> str:
    """Return the name that `person_name` wrote."""
    return value[:-1] if value.endswith("^") and value.count("^") == 1 else value


def _coordinates(
    relation: str, name: Code, kind: str, points: Sequence[tuple[float, ...]], frame_of_reference: str
) -> Dataset:
    item = _item("SCOORD3D", relation, name)
    item.GraphicType = kind
    item.GraphicData = [v for point in points for v in point]
    item.ReferencedFrameOfReferenceUID = frame_of_reference
    return item


def _item(kind: str, relation: str, name: Code | None, children: Iterable[Dataset] = ()) -> Dataset:
    item = Dataset()
    if relation:
        item.RelationshipType = relation
    item.ValueType = kind
    if name is not None:
        item.ConceptNameCodeSequence = [code_item(name)]
    below = list(children)
    if below:
        item.ContentSequence = below
    return item
