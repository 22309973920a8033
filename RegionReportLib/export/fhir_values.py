"""Small parts of FHIR resources: clean text, stable ids, references, codings, dates.

FHIR R4 §2.24 (data types). Nothing here knows of reports.
"""

from __future__ import annotations

import re
import uuid
from datetime import date, datetime
from typing import Any, TypeAlias

from ..anatomy.codes import Code
from ..errors import InputRefused

Resource: TypeAlias = dict[str, Any]

SYSTEMS = {
    "SCT": "http://snomed.info/sct",
    "DCM": "http://dicom.nema.org/resources/ontology/DCM",
    "LN": "http://loinc.org",
}
_NAMESPACE = uuid.UUID("5b1f6c0a-7b0e-5f3d-8a52-3f0a9d7c6e11")
# What neither XML 1.0 nor HTML lets stand in a text: controls, half surrogate pairs, noncharacters.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_LONGEST_UID = 64  # DICOM PS3.5 §9.1; FHIR's id has the same limit


def clean(text: str) -> str:
    """Return text as FHIR strings hold it: characters that XML forbids become U+FFFD."""
    return _FORBIDDEN.sub("\ufffd", text)


def stable_id(*parts: str) -> str:
    """Return the id that these words always give (a name-based UUID), so that exporting again is stable."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(part.encode("unicode_escape").decode("ascii") for part in parts)))


def checked_uid(uid: str, what: str) -> str:
    """Return a DICOM UID; InputRefused if it is none."""
    if not _UID.fullmatch(uid) or len(uid) > _LONGEST_UID:
        raise InputRefused(f"the {what} {uid!r:.80} of the scan is no DICOM UID")
    return uid


def coding(code: Code) -> Resource:
    """Return a Coding."""
    return {"system": SYSTEMS[code.scheme], "code": code.value, "display": code.meaning}


def concept(*codes: Code) -> Resource:
    """Return a CodeableConcept."""
    return {"coding": [coding(code) for code in codes]}


def entry_reference(entry_id: str, kind: str) -> Resource:
    """Return a reference to an entry of the same bundle; the server puts its own address there."""
    return {"reference": f"urn:uuid:{entry_id}", "type": kind}


def named(kind: str, display: str) -> Resource:
    """Return a reference that only names someone or something, because no identifier of it is known."""
    return {"type": kind, "display": clean(display)}


def identified(kind: str, identifier: Resource, display: str = "") -> Resource:
    """Return a reference by business identifier (R4 §2.29.1: a logical reference)."""
    reference: Resource = {"type": kind, "identifier": identifier}
    if display.strip():
        reference["display"] = clean(display.strip())
    return reference


def fhir_date(dicom_date: str) -> str | None:
    """Return a DICOM date (VR DA) as FHIR writes it, None if it is no date."""
    if not re.fullmatch(r"[0-9]{8}", dicom_date):
        return None
    try:
        return date(int(dicom_date[:4]), int(dicom_date[4:6]), int(dicom_date[6:])).isoformat()
    except ValueError:
        return None


def instant(text: str) -> str:
    """Return a time as FHIR's instant, which needs a zone; InputRefused if it is none."""
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as cause:
        raise InputRefused(f"{text!r:.60} is no time in ISO 8601") from cause
    if at.tzinfo is None:
        raise InputRefused(f"the time {text!r:.60} has no zone")
    return at.isoformat()
