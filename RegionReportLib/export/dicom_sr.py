"""The report as a DICOM Comprehensive 3D SR document (PS3.3 A.35.13), each sentence inferred from its SEG segment.

The flags follow the signing rules: COMPLETE and VERIFIED only for a report that is signed and still what was signed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from .. import __version__
from ..errors import InputRefused
from ..progress import Progress, Work, aside, part
from ..report.canonical import canonical, sha256
from ..report.document import Report, Signature, Status
from ..report.json_form import report_to_dict
from ..report.sentence import Authorship, authorship
from ..report.signing import may_sign, verify_signature
from .dicom_carried import carried
from .dicom_codes import OWN_SCHEME
from .dicom_file import write_dataset
from .dicom_seg import SEG_STORAGE, SegReference
from .dicom_series import MANUFACTURER, check_headers, new_instance, stable_uid
from .dicom_sr_content import content
from .dicom_sr_items import person_name
from .standing import kept

SR_STORAGE = "1.2.840.10008.5.1.4.1.1.88.34"
_SERIES_NUMBER = 9102


def write_sr(
    report: Report,
    headers: Sequence[Dataset],
    seg: SegReference,
    path: Path | str,
    *,
    organization: str = "",
) -> Work[str]:
    """Write the report as an SR on the slices `headers` and the SEG `seg`; return its SOP Instance UID.

    `organization` is where the signer works, by default the institution that the images name. InputRefused if the
    report is not about these slices, is not what was signed, or holds text that DICOM cannot.
    """
    if report.study.dicom is None:
        raise InputRefused("the scan of this report did not come from DICOM, so there is nothing an SR could refer to")
    check_headers(headers, report.study.dicom, report.study.grid)
    _check_signed(report)
    building = aside(lambda: _document(report, headers, seg, organization), Progress(0.0, "laying out the DICOM SR"))
    document = yield from part(building, 0.0, 0.6)
    yield from part(write_dataset(document, path, "packing the DICOM SR"), 0.6, 1.0)
    return instance_uid(report)


def _document(report: Report, headers: Sequence[Dataset], seg: SegReference, organization: str) -> Dataset:
    document = new_instance(headers[0], SR_STORAGE, instance_uid(report))
    _series_and_dates(document, report, str(headers[0].SeriesInstanceUID))
    _flags(document, report, organization or str(headers[0].get("InstitutionName", "")) or "not stated")
    _references(document, headers, seg)
    root = content(carried(report), headers, seg)
    for element in root:
        document[element.tag] = element
    document.file_meta = FileMetaDataset()
    document.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return document


def instance_uid(report: Report) -> str:
    """Return the UID of a report's SR: of a signed one by its id, so that an addendum can name it; else by content."""
    if report.status is Status.SIGNED:
        return _signed_uid(report, report.id)
    return stable_uid("sr draft", sha256(canonical(report_to_dict(report))))


def moment(text: str) -> datetime:
    """Read an ISO 8601 time; InputRefused if it is none."""
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as cause:
        raise InputRefused(f"{text!r:.60} is no time in ISO 8601") from cause


def _signed_uid(report: Report, report_id: str) -> str:
    return stable_uid("sr signed", report.study.digest, report_id)


def _check_signed(report: Report) -> None:
    """VERIFIED tells a physician's responsibility, so it needs all that signing needs, looked at again."""
    if report.signature is None:
        return
    if not verify_signature(report):
        raise InputRefused(f"report {report.id} is not what was signed; it is not exported as verified")
    unsigned = replace(report, status=Status.DRAFT, signature=None)
    reasons = may_sign(unsigned, report.signature.name)
    if reasons:
        raise InputRefused(f"report {report.id} is signed but not complete: {reasons[0].message}")


def _series_and_dates(document: Dataset, report: Report, source_series: str) -> None:
    document.Modality, document.SeriesNumber, document.InstanceNumber = "SR", _SERIES_NUMBER, 1
    document.SeriesInstanceUID = _series_uid(source_series)
    document.SeriesDescription = "Chest CT report"
    document.ReferencedPerformedProcedureStepSequence = []
    document.PerformedProcedureCodeSequence = []
    made = moment(report.signature.signed_at if report.signature else report.created_at)
    document.ContentDate = document.InstanceCreationDate = made.strftime("%Y%m%d")
    document.ContentTime = document.InstanceCreationTime = made.strftime("%H%M%S")
    scheme = Dataset()
    scheme.CodingSchemeDesignator = OWN_SCHEME
    scheme.CodingSchemeName = "RegionReport"
    scheme.CodingSchemeResponsibleOrganization = MANUFACTURER
    scheme.CodingSchemeVersion = __version__
    document.CodingSchemeIdentificationSequence = [scheme]


def _series_uid(source_series: str) -> str:
    return stable_uid("sr series", source_series)


def _flags(document: Dataset, report: Report, organization: str) -> None:
    by = report.signature
    document.CompletionFlag = "COMPLETE" if by else "PARTIAL"
    document.VerificationFlag = "VERIFIED" if by else "UNVERIFIED"
    document.PreliminaryFlag = "FINAL" if by else "PRELIMINARY"
    if by is not None:
        document.VerifyingObserverSequence = [_verifier(by, organization)]
    document.AuthorObserverSequence = _authors(report, organization)
    if report.predecessor is not None:
        series = _series_uid(str(report.study.dicom.series_instance_uid) if report.study.dicom else "")
        earlier = _instance(SR_STORAGE, _signed_uid(report, report.predecessor))
        document.PredecessorDocumentsSequence = [_study(document.StudyInstanceUID, {series: [earlier]})]


def _verifier(by: Signature, organization: str) -> Dataset:
    verifier = Dataset()
    verifier.VerifyingObserverName = person_name(by.name)
    verifier.VerifyingObserverIdentificationCodeSequence = []
    verifier.VerifyingOrganization = organization
    verifier.VerificationDateTime = moment(by.signed_at).strftime("%Y%m%d%H%M%S%z")
    return verifier


def _authors(report: Report, organization: str) -> list[Dataset]:
    device = Dataset()
    device.ObserverType = "DEV"
    device.Manufacturer = device.ManufacturerModelName = MANUFACTURER
    device.DeviceUID = stable_uid("device", report.writer, "")
    device.StationName = ""
    device.InstitutionName, device.InstitutionCodeSequence = "", []
    authors = [device]
    written = {authorship(s) for s in kept(report)}
    if report.signature is not None and written & {Authorship.HUMAN, Authorship.AI_EDITED}:
        reader = Dataset()
        reader.ObserverType = "PSN"
        reader.PersonName = person_name(report.signature.name)
        reader.PersonIdentificationCodeSequence = []
        reader.InstitutionName, reader.InstitutionCodeSequence = organization, []
        authors.append(reader)
    return authors


def _references(document: Dataset, headers: Sequence[Dataset], seg: SegReference) -> None:
    slices = [_instance(str(h.SOPClassUID), str(h.SOPInstanceUID)) for h in headers]
    series = {str(headers[0].SeriesInstanceUID): slices, seg.series_uid: [_instance(SEG_STORAGE, seg.instance_uid)]}
    document.CurrentRequestedProcedureEvidenceSequence = [_study(document.StudyInstanceUID, series)]


def _study(study_uid: str, series: dict[str, list[Dataset]]) -> Dataset:
    study = Dataset()
    study.StudyInstanceUID = study_uid
    study.ReferencedSeriesSequence = []
    for uid, instances in series.items():
        item = Dataset()
        item.SeriesInstanceUID, item.ReferencedSOPSequence = uid, instances
        study.ReferencedSeriesSequence.append(item)
    return study


def _instance(sop_class: str, uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, uid
    return item
