"""Rules of FHIR itself that the classes of `fhir.resources` do not look at: required codes, formats, empty values.

Only for the elements that our bundles use; an element that is not listed here is a problem too, so that none slips in
unlooked at. Sources: FHIR R4 (4.0.1) and, for ImagingSelection, R5 (5.0.0): each resource's page, §2.24 (data types).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from .fhir_values import Resource

_ID = r"[A-Za-z0-9.\-]{1,64}"
_INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"
_DATE = r"\d{4}(-\d\d(-\d\d)?)?"
_UID = r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+"
_LONGEST_UID = 64
_URI = r"\S+"
_ADDRESS = r"https?://\S+"
_TEXT = r"(?s).*\S.*"
_CODE = r"\S+( \S+)*"
_BASE64 = r"[A-Za-z0-9+/]+={0,2}"

# How each element is written, by its path without list positions; alternatives of a required code are spelled out.
_FORMS: dict[str, str] = {
    "Bundle.type": "transaction",
    "Bundle.entry.fullUrl": rf"urn:uuid:{_ID}",
    "Bundle.entry.request.method": "POST|PUT",
    "Bundle.entry.request.url": rf"[A-Z][A-Za-z]+(/{_ID})?",
    "Bundle.entry.request.ifNoneExist": r"identifier=\S+\|\S+",
    "DiagnosticReport.text.status": "generated|extensions|additional",
    "DiagnosticReport.text.div": r"(?s)<div .*</div>",
    "DiagnosticReport.status": "partial|preliminary|final|amended|corrected|appended|cancelled|entered-in-error",
    "DiagnosticReport.effectiveDateTime": _DATE,
    "DiagnosticReport.issued": _INSTANT,
    "DiagnosticReport.presentedForm.contentType": "text/html",
    "DiagnosticReport.presentedForm.data": _BASE64,
    "DiagnosticReport.presentedForm.hash": r"[A-Za-z0-9+/]{27}=",
    "DiagnosticReport.presentedForm.title": _TEXT,
    "ImagingStudy.status": "registered|available|cancelled|entered-in-error|unknown",
    "ImagingStudy.started": _DATE,
    "ImagingStudy.description": _TEXT,
    "ImagingStudy.series.uid": _UID,
    "ImagingStudy.series.description": _TEXT,
    "ImagingStudy.series.instance.uid": _UID,
    "ImagingSelection.status": "available|entered-in-error|unknown",
    "ImagingSelection.studyUid": _UID,
    "ImagingSelection.seriesUid": _UID,
    "ImagingSelection.frameOfReferenceUid": _UID,
    "ImagingSelection.instance.uid": _UID,
    "ImagingSelection.instance.subset": r"[1-9]\d*",
    "ImagingSelection.instance.imageRegion3D.regionType": "point|multipoint|polyline|polygon|ellipse|ellipsoid",
    "Endpoint.status": "active|suspended|error|off|entered-in-error|test",
    "Endpoint.address": _ADDRESS,
    "Device.status": "active|inactive|entered-in-error|unknown",
    "Device.manufacturer": _TEXT,
    "Device.version.value": _TEXT,
    "Device.deviceName.name": _TEXT,
    "Device.deviceName.type": "(udi-label|user-friendly|patient-reported|manufacturer|model)-name|other",
    "Provenance.recorded": _INSTANT,
    "Provenance.entity.role": "derivation|revision|quotation|source|removal",
}
_NUMBERS = {
    "DiagnosticReport.presentedForm.size",
    "ImagingStudy.series.numberOfInstances",
    "ImagingSelection.instance.imageRegion3D.coordinate",
}
# The last names of a path that mean the same wherever they stand.
_ANYWHERE: dict[str, str] = {
    "resourceType": r"Bundle|DiagnosticReport|ImagingStudy|ImagingSelection|Endpoint|Device|Provenance",
    "id": _ID,
    "profile": _URI,
    "url": _URI,
    "valueUri": _URI,
    "reference": rf"urn:uuid:{_ID}",
    "type": "Patient|Practitioner|Organization|ServiceRequest|DiagnosticReport|ImagingStudy|Endpoint|Device",
    "system": _URI,
    "code": _CODE,
    "value": _TEXT,
    "text": _TEXT,
    "display": _TEXT,
}


def rule_problems(bundle: Resource) -> tuple[str, ...]:
    """Return which elements of a bundle are not as FHIR wants them, in words; empty if all are."""
    return tuple(_problems(bundle, "Bundle"))


def _problems(value: Any, path: str) -> Iterator[str]:
    if value in ("", [], {}, None):
        yield f"{path} is empty"  # ele-1
    elif isinstance(value, dict):
        path = value.get("resourceType", path)
        for name, one in value.items():
            yield from _problems(one, f"{path}.{name}")
    elif isinstance(value, list):
        if path.endswith(".imageRegion3D.coordinate") and len(value) % 3:
            yield f"{path} has {len(value)} numbers, expected three for each point"
        for one in value:
            yield from _problems(one, path)
    elif isinstance(value, str):
        yield from _form_problems(value, path)
    elif path not in _NUMBERS or isinstance(value, bool) or not math.isfinite(value):
        yield f"{path} is {value!r:.80}"


def _form_problems(value: str, path: str) -> Iterator[str]:
    form = _FORMS.get(path) or _ANYWHERE.get(path.rpartition(".")[2])
    if form is None:
        yield f"{path} is no element that our profile knows"
    elif not re.fullmatch(form, value):
        yield f"{path} is {value!r:.80}"
    elif form == _UID and len(value) > _LONGEST_UID:
        yield f"{path} is longer than a DICOM UID may be"
