"""Who wrote which sentence, as FHIR R4 Devices and Provenances: one Provenance for each kind of author.

A Provenance names its sentences by the ids of their elements in the narrative (extension targetElement), and marks
what a program asserted with AIAST, in the manner of HL7's AI Transparency guide (STU1 ballot). People are known by
name only; what is not known is said to be unknown.
"""

from __future__ import annotations

from collections.abc import Iterable

from .. import __version__
from ..report.document import Report, Signature
from ..report.sentence import Author, Authorship, authorship
from .fhir_narrative import Line
from .fhir_values import Resource, clean, entry_reference, identified, instant, named, stable_id
from .standing import authorship as authorship_words

TARGET_ELEMENT = "http://hl7.org/fhir/StructureDefinition/targetElement"
AI_ASSERTED: Resource = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "AIAST",
    "display": "Artificial Intelligence asserted",
}
_PARTICIPATION = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_MAKER = "RegionReport"
_PROGRAMS = {Author.MEASURED: "Measured writer", Author.MODEL: "Report model"}
_AI = (Authorship.AI, Authorship.AI_EDITED)


def holds_ai(lines: Iterable[Line]) -> bool:
    """Tell whether a program wrote any of the sentences, edited since or not."""
    return any(authorship(line.sentence) in _AI for line in lines)


def devices(lines: Iterable[Line]) -> tuple[Resource, ...]:
    """Return the programs that wrote sentences, each once, in the order of the report."""
    origins = dict.fromkeys(line.sentence.origin for line in lines if authorship(line.sentence) in _AI)
    return tuple(_device(origin.author, origin.model) for origin in origins)


def provenances(report: Report, report_id: str, lines: Iterable[Line]) -> tuple[Resource, ...]:
    """Return who wrote what, by kind of author, and who signed."""
    groups: dict[tuple[Authorship, Author, str], list[Line]] = {}
    for line in lines:
        origin = line.sentence.origin
        groups.setdefault((authorship(line.sentence), origin.author, origin.model), []).append(line)
    made = [_written(report, report_id, kind, group) for kind, group in groups.items()]
    if report.signature is not None:
        made.append(_signed(report, report_id, report.signature))
    return tuple(made)


def _device(author: Author, model: str) -> Resource:
    made: Resource = {
        "resourceType": "Device",
        "id": _device_id(author, model),
        "status": "active",
        "type": {"text": "Artificial intelligence" if author is Author.MODEL else "Measurement software"},
        "deviceName": [{"name": clean(model) or f"{_MAKER} {_PROGRAMS[author].lower()}", "type": "model-name"}],
    }
    if author is Author.MEASURED:  # of a model neither the maker nor the version is known beyond its name and digest
        made |= {"manufacturer": _MAKER, "version": [{"value": __version__}]}
    return made


def _device_id(author: Author, model: str) -> str:
    return stable_id("device", author.value, model or __version__)


def _written(report: Report, report_id: str, kind: tuple[Authorship, Author, str], lines: list[Line]) -> Resource:
    whose, author, model = kind
    target = entry_reference(report_id, "DiagnosticReport")
    target["extension"] = [{"url": TARGET_ELEMENT, "valueUri": line.element_id} for line in lines]
    made = _provenance(stable_id("provenance", report_id, whose.value, author.value, model), target, report)
    made["activity"] = {"text": f"Sentences: {authorship_words(lines[0].sentence)}"}
    made["agent"] = []
    if whose in _AI:
        made["reason"] = [{"coding": [AI_ASSERTED]}]
        device = entry_reference(_device_id(author, model), "Device")
        made["agent"].append(_agent("author", device | {"display": _PROGRAMS[author]}))
    if whose is Authorship.IMPORTED:
        made["agent"].append(_agent("author", {"display": "Not known: the text was imported"}))
    elif whose is not Authorship.AI:
        made["agent"].append(_agent("author", _reader(report.signature)))
    return made


def _signed(report: Report, report_id: str, by: Signature) -> Resource:
    made = _provenance(stable_id("signed", report_id), entry_reference(report_id, "DiagnosticReport"), report)
    made["activity"] = {"text": "Report read and signed"}
    made["agent"] = [_agent("verifier", named("Practitioner", by.name))]
    digest = identified("DiagnosticReport", {"value": by.content_sha256}, "SHA-256 of what was signed")
    made["entity"] = [{"role": "source", "what": digest}]
    if report.predecessor is not None:
        earlier = identified("DiagnosticReport", {"value": clean(report.predecessor)}, "The report this one adds to")
        made["entity"].append({"role": "revision", "what": earlier})
    return made


def _provenance(provenance_id: str, target: Resource, report: Report) -> Resource:
    recorded = report.signature.signed_at if report.signature is not None else report.created_at
    return {
        "resourceType": "Provenance",
        "id": provenance_id,
        "target": [target],
        "recorded": instant(recorded),
    }


def _agent(code: str, who: Resource) -> Resource:
    return {"type": {"coding": [{"system": _PARTICIPATION, "code": code}]}, "who": who}


def _reader(signature: Signature | None) -> Resource:
    """Return the reader; a draft does not know yet who will answer for it."""
    if signature is None:
        return {"display": "Not known: the report is not signed"}
    return named("Practitioner", signature.name)
