"""The report as a FHIR transaction Bundle in the manner of IHE IMR (RAD-141): R4 resources, R5 ImagingSelections.

Only for scans from DICOM: patient, study and images are named by the identifiers that were loaded; persons and
organisations by name alone; nothing is contained. The same report gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
from functools import partial

from ..anatomy.codes import Code
from ..errors import InputRefused
from ..imaging.volume import DicomSource
from ..report.canonical import canonical, sha256
from ..report.document import Report, Status
from ..report.json_form import report_to_dict
from ..report.sentence import Verdict
from ..report.signing import verify_signature
from .dicom_seg import SEG_STORAGE, SegReference
from .fhir_narrative import Section, html, links_of, sections, sentence_lines, xhtml
from .fhir_provenance import AI_ASSERTED, devices, holds_ai, provenances
from .fhir_selections import Pointers, sentence_links
from .fhir_values import (
    Resource,
    checked_uid,
    clean,
    coding,
    concept,
    entry_reference,
    fhir_date,
    identified,
    instant,
    named,
    stable_id,
)
from .standing import kept
from .web_address import service_address

_PROFILES = "https://profiles.ihe.net/RAD/IMR/StructureDefinition"
BUNDLE_PROFILE = f"{_PROFILES}/imr-store-multimedia-report-bundle"
REPORT_PROFILE = f"{_PROFILES}/imr-diagnosticreport"
ADDENDUM_OF = "http://hl7.org/fhir/StructureDefinition/diagnosticReport-addendumOf"
_CT_CHEST = Code("LN", "24627-2", "CT Chest")
_STUDY = Code("DCM", "113014", "Study")
_MODALITIES = {"CT": Code("DCM", "CT", "Computed Tomography"), "SEG": Code("DCM", "SEG", "Segmentation")}
_RADIOLOGY = {"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "RAD", "display": "Radiology"}
_ACCESSION = {"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "ACSN", "display": "Accession ID"}
_URI = "urn:ietf:rfc:3986"


def report_bundle(
    report: Report, *, seg: SegReference | None = None, wado_rs: str = "", organization: str = ""
) -> Resource:
    """Return the transaction Bundle of a report.

    `seg` is its written DICOM SEG; without one, phrases point at CT slices only. `wado_rs` is the base address of the
    service that serves the images; without one, the HTML form has no links. `organization` is who is responsible.
    InputRefused if the scan did not come from DICOM or names no patient, or the report is not what was signed.
    """
    source = _checked_source(report, seg)
    to = _pointers(report, source, seg, service_address(wado_rs, "WADO-RS service") if wado_rs else "")
    made = sections(report, partial(sentence_links, to=to))
    lines = tuple(sentence_lines(made))
    diagnostic = _diagnostic_report(report, made, to, organization)
    entries = [_created(diagnostic), _created(_study(source, to))]
    if to.endpoint_id is not None:
        entries.append(_put(_endpoint(to.endpoint_id, to.address)))
    entries += [_put(link.selection) for link in links_of(made)]
    entries += [_put(device) for device in devices(lines)]
    entries += [_put(provenance) for provenance in provenances(report, to.report_key, lines)]
    return {
        "resourceType": "Bundle",
        "id": stable_id("bundle", to.report_key, source.study_instance_uid, to.address, organization),
        "meta": {"profile": [BUNDLE_PROFILE]},
        "type": "transaction",
        "entry": entries,
    }


def bundle_json(bundle: Resource) -> bytes:
    """Return the one JSON form of a bundle, as UTF-8."""
    return canonical(bundle)


def report_status(report: Report) -> str:
    """Return the state as FHIR has it (diagnostic-report-status).

    A draft with unjudged sentences is `partial`, one that is judged but not signed `preliminary`; a signed report is
    `final`, a signed addendum `appended`, because what was signed before it stays as it is.
    """
    if report.status is Status.SIGNED:
        return "final" if report.predecessor is None else "appended"
    return "partial" if any(s.verdict is Verdict.PENDING for s in kept(report)) else "preliminary"


def _checked_source(report: Report, seg: SegReference | None) -> DicomSource:
    source = report.study.dicom
    if source is None:
        raise InputRefused(
            "the scan of this report did not come from DICOM: a FHIR report needs the patient, the study and the "
            "images to refer to, and none of them is invented; read the scan from its DICOM series"
        )
    if not (source.patient_id.strip() or source.patient_name.strip()):
        raise InputRefused("the DICOM series names no patient; a FHIR report without one could be filed to anybody")
    uids = {source.study_instance_uid: "study UID", source.series_instance_uid: "series UID"}
    uids |= dict.fromkeys(source.instance_uids, "instance UID")
    if source.frame_of_reference_uid:
        uids[source.frame_of_reference_uid] = "frame of reference UID"
    for uid, what in uids.items():
        checked_uid(uid, what)
    if seg is not None and seg.study_uid != source.study_instance_uid:
        raise InputRefused(f"the SEG belongs to study {seg.study_uid}, the report to {source.study_instance_uid}")
    if report.signature is not None and not verify_signature(report):
        raise InputRefused(f"report {report.id} is not what was signed; it is not exported as final")
    return source


def _pointers(report: Report, source: DicomSource, seg: SegReference | None, address: str) -> Pointers:
    # A signed report is known by its id, so that sending it twice makes one; each state of a draft is one of its own.
    key = report.id if report.status is Status.SIGNED else sha256(canonical(report_to_dict(report)))
    patient = {"value": clean(source.patient_id.strip())} if source.patient_id.strip() else None
    display = " ".join(source.patient_name.replace("^", " ").replace("=", " ").split())
    return Pointers(
        source=source,
        grid=report.study.grid,
        seg=seg,
        address=address,
        subject=identified("Patient", patient, display) if patient else named("Patient", display),
        study_id=stable_id("study", source.study_instance_uid),
        endpoint_id=stable_id("endpoint", address) if address else None,
        report_key=stable_id("report", report.study.digest, key),
    )


def _diagnostic_report(report: Report, made: tuple[Section, ...], to: Pointers, organization: str) -> Resource:
    key = to.report_key
    resource: Resource = {
        "resourceType": "DiagnosticReport",
        "id": key,
        "text": {"status": "additional", "div": xhtml(report, made)},
        "identifier": [{"system": _URI, "value": f"urn:uuid:{key}"}, {"value": clean(report.id)}],
        "status": report_status(report),
        "category": [{"coding": [_RADIOLOGY]}],
        "code": concept(_CT_CHEST),
        "subject": to.subject,
        "imagingStudy": [entry_reference(to.study_id, "ImagingStudy")],
        "presentedForm": [_html_form(report, made)],
    }
    if to.source.accession_number.strip():
        resource["basedOn"] = [_order(to.source)]
    at = fhir_date(to.source.study_date)
    if at is not None:
        resource["effectiveDateTime"] = at
    if organization.strip():
        resource["performer"] = [named("Organization", organization.strip())]
    if report.signature is not None:
        resource["issued"] = instant(report.signature.signed_at)
        resource["resultsInterpreter"] = [named("Practitioner", report.signature.name)]
    if report.predecessor is not None:
        earlier = identified("DiagnosticReport", {"value": clean(report.predecessor)})
        resource["extension"] = [{"url": ADDENDUM_OF, "valueReference": earlier}]
    meta: Resource = {}
    if holds_ai(sentence_lines(made)):
        meta["security"] = [AI_ASSERTED]
    if report.signature is not None and organization.strip():  # the profile wants who signed and who is responsible
        meta["profile"] = [REPORT_PROFILE]
    return resource | ({"meta": meta} if meta else {})


def _html_form(report: Report, made: tuple[Section, ...]) -> Resource:
    """Return the HTML page; hash (base64 of SHA-1) and size are of the raw bytes (R4 §2.24, Attachment)."""
    raw = html(report, made).encode("utf-8")
    return {
        "contentType": "text/html",
        "title": "Chest CT report",
        "data": base64.b64encode(raw).decode("ascii"),
        "size": len(raw),
        "hash": base64.b64encode(hashlib.sha1(raw, usedforsecurity=False).digest()).decode("ascii"),
    }


def _study(source: DicomSource, to: Pointers) -> Resource:
    series = [_series(source.series_instance_uid, "CT", source.series_description)]
    series[0]["numberOfInstances"] = len(set(source.instance_uids))
    if to.seg is not None:
        sop_class = {"system": _URI, "code": f"urn:oid:{SEG_STORAGE}"}
        instance = {"uid": to.seg.instance_uid, "sopClass": sop_class}
        series.append(_series(to.seg.series_uid, "SEG", "") | {"numberOfInstances": 1, "instance": [instance]})
    resource: Resource = {
        "resourceType": "ImagingStudy",
        "id": to.study_id,
        "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:{source.study_instance_uid}"}],
        "status": "available",
        "modality": [series_made["modality"] for series_made in series],
        "subject": to.subject,
        "series": series,
    }
    started = fhir_date(source.study_date)
    optional = {
        "started": started,
        "description": clean(source.study_description.strip()),
        "basedOn": [_order(source)] if source.accession_number.strip() else None,
        "endpoint": [entry_reference(to.endpoint_id, "Endpoint")] if to.endpoint_id is not None else None,
    }
    return resource | {name: value for name, value in optional.items() if value}


def _series(uid: str, modality: str, description: str) -> Resource:
    made: Resource = {"uid": uid, "modality": coding(_MODALITIES[modality])}
    return made | ({"description": clean(description.strip())} if description.strip() else {})


def _order(source: DicomSource) -> Resource:
    accession = {"type": {"coding": [_ACCESSION]}, "value": clean(source.accession_number.strip())}
    return identified("ServiceRequest", accession)


def _endpoint(endpoint_id: str, address: str) -> Resource:
    system = "http://terminology.hl7.org/CodeSystem/endpoint-connection-type"
    return {
        "resourceType": "Endpoint",
        "id": endpoint_id,
        "status": "active",
        "connectionType": {"system": system, "code": "dicom-wado-rs"},
        "payloadType": [concept(_STUDY)],
        "address": address,
    }


def _created(resource: Resource) -> Resource:
    """Return an entry that the server makes unless it has it: IMR wants POST for report and study."""
    identifier = resource["identifier"][0]
    known = f"identifier={identifier['system']}|{identifier['value']}"
    request = {"method": "POST", "url": resource["resourceType"], "ifNoneExist": known}
    return {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource, "request": request}


def _put(resource: Resource) -> Resource:
    """Return an entry that keeps its id: a server that chose another would break the spans, which hold the ids."""
    request = {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}
    return {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource, "request": request}
