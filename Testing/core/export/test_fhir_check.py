"""The checks of a FHIR bundle notice what is wrong; a check that cannot fail is none."""

from __future__ import annotations

import base64
import copy
import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from RegionReportLib.export.dicom_seg import SegReference
from RegionReportLib.export.fhir import report_bundle
from RegionReportLib.export.fhir_check import profile_problems, structure_problems
from RegionReportLib.export.fhir_rules import rule_problems
from RegionReportLib.report.signing import sign

pytest.importorskip("fhir.resources", reason="the package fhir.resources is not installed")

BASE = "https://pacs.example.org/dicom-web"
Bundle = dict[str, Any]


@pytest.fixture(scope="module")
def bundles(dicom_case: Any) -> tuple[Bundle, Bundle]:
    """A draft's and a signed report's, with every kind of resource; the points of their places lie in the scan."""
    center = tuple(float(v) for v in dicom_case.volume.grid.to_ras((11, 9, 7)))

    def moved(sentence: Any) -> Any:
        anchors = (replace(a, place=replace(a.place, point_mm=center)) for a in sentence.anchors)
        return replace(sentence, anchors=tuple(anchors))

    report = dicom_case.report.with_sentences(moved(s) for s in dicom_case.report.sentences)
    seg = SegReference("1.2.826.0.1.55.1", "2.25.7", "2.25.8", {"lung_right": 1, "lung_left": 2, "heart": 3})
    signed = sign(report, "Dr. Ä", "2026-01-02T09:00:00+01:00")
    make = {"seg": seg, "wado_rs": BASE, "organization": "General Hospital"}
    return report_bundle(report, **make), report_bundle(signed, **make)


@pytest.fixture
def draft(bundles: tuple[Bundle, Bundle]) -> Bundle:
    return copy.deepcopy(bundles[0])


@pytest.fixture
def signed(bundles: tuple[Bundle, Bundle]) -> Bundle:
    return copy.deepcopy(bundles[1])


def resources(bundle: Bundle, kind: str) -> list[dict[str, Any]]:
    return [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind]


def report_of(bundle: Bundle) -> dict[str, Any]:
    (report,) = resources(bundle, "DiagnosticReport")
    return report


def first(bundle: Bundle, kind: str) -> dict[str, Any]:
    return resources(bundle, kind)[0]


def test_what_is_made_has_no_problem_and_every_kind_of_resource(draft: Bundle, signed: Bundle) -> None:
    kinds = {"DiagnosticReport", "ImagingStudy", "ImagingSelection", "Endpoint", "Device", "Provenance"}
    for bundle in (draft, signed):
        assert profile_problems(bundle) == () == structure_problems(bundle)
        assert {e["resource"]["resourceType"] for e in bundle["entry"]} == kinds


SPOILS: dict[str, Callable[[dict[str, Any]], None]] = {
    "hexadecimal hash": lambda b: report_of(b)["presentedForm"][0].update(
        hash=base64.b64decode(report_of(b)["presentedForm"][0]["hash"]).hex()
    ),
    "hash of the base64": lambda b: report_of(b)["presentedForm"][0].update(
        hash=base64.b64encode(hashlib.sha1(report_of(b)["presentedForm"][0]["data"].encode()).digest()).decode()
    ),
    "wrong size": lambda b: report_of(b)["presentedForm"][0].update(size=1),
    "contained": lambda b: report_of(b).update(contained=[{"resourceType": "Patient"}]),
    "lost selection": lambda b: b["entry"].remove(
        next(e for e in b["entry"] if e["resource"]["resourceType"] == "ImagingSelection")
    ),
    "lost study": lambda b: b["entry"].pop(1),
    "unknown span": lambda b: change_text(b, "ImagingSelection/", "ImagingSelection/x"),
    "script": lambda b: change_text(b, "<h2>", "<script>x</script><h2>"),
    "handler": lambda b: change_text(b, "<h2>", '<h2 onclick="x">'),
    "broken markup": lambda b: change_text(b, "</h2>", ""),
    "other words": lambda b: change_text(b, "310 mL", "31 mL"),
    "doubled id": lambda b: change_text(b, 'id="sentence-2"', 'id="sentence-1"'),
    "final without a signature": lambda b: report_of(b).update(status="final"),
    "no mark": lambda b: report_of(b).pop("meta"),
    "lost author": lambda b: b["entry"].remove(
        next(e for e in b["entry"] if e["resource"]["resourceType"] == "Provenance")
    ),
    "segments of a CT": lambda b: resources(b, "ImagingSelection")[0]["instance"][0].update(subset=["1"]),
    "selection elsewhere": lambda b: resources(b, "ImagingSelection")[0].update(seriesUid="1.2.3"),
    "two reports": lambda b: b["entry"].append(copy.deepcopy(b["entry"][0])),
    "other method": lambda b: b["entry"][-1]["request"].update(method="DELETE"),
    "no transaction": lambda b: b.update(type="batch"),
}


def change_text(bundle: dict[str, Any], old: str, new: str) -> None:
    text = report_of(bundle)["text"]
    assert old in text["div"]
    text["div"] = text["div"].replace(old, new, 1)


@pytest.mark.parametrize("spoil", SPOILS.values(), ids=SPOILS)
def test_the_profile_check_notices_what_is_wrong(draft: Bundle, spoil: Callable[[Bundle], None]) -> None:
    spoil(draft)
    assert profile_problems(draft)


RULES: dict[str, tuple[str, Callable[[Bundle], Any]]] = {
    "a status that is none": ("DiagnosticReport.status", lambda b: report_of(b).update(status="done")),
    "an issue without zone": ("DiagnosticReport.issued", lambda b: report_of(b).update(issued="2026-01-02T10:00:00")),
    "a date of another land": (
        "DiagnosticReport.effectiveDateTime",
        lambda b: report_of(b).update(effectiveDateTime="02.01.2026"),
    ),
    "a UID with a leading zero": (
        "ImagingSelection.seriesUid",
        lambda b: first(b, "ImagingSelection").update(seriesUid="1.02.3"),
    ),
    "a UID of 65 characters": (
        "ImagingSelection.studyUid",
        lambda b: first(b, "ImagingSelection").update(studyUid="1." + "2" * 63),
    ),
    "a segment number 0": (
        "ImagingSelection.instance.subset",
        lambda b: first(b, "ImagingSelection")["instance"][0].update(subset=["0"]),
    ),
    "a point of two numbers": (
        "imageRegion3D.coordinate",
        lambda b: first(b, "ImagingSelection")["instance"][0]["imageRegion3D"][0].update(coordinate=[1.0, 2.0]),
    ),
    "a number that is none": (
        "imageRegion3D.coordinate",
        lambda b: first(b, "ImagingSelection")["instance"][0]["imageRegion3D"][0].update(
            coordinate=[1.0, 2.0, float("nan")]
        ),
    ),
    "a region type that is none": (
        "imageRegion3D.regionType",
        lambda b: first(b, "ImagingSelection")["instance"][0]["imageRegion3D"][0].update(regionType="box"),
    ),
    "an endpoint that is no address": ("Endpoint.address", lambda b: first(b, "Endpoint").update(address="pacs")),
    "a role that is none": (
        "Provenance.entity.role",
        lambda b: next(p for p in resources(b, "Provenance") if "entity" in p)["entity"][0].update(role="origin"),
    ),
    "a device name of no type": (
        "Device.deviceName.type",
        lambda b: first(b, "Device")["deviceName"][0].update(type="brand"),
    ),
    "an id with a blank": ("ImagingStudy.id", lambda b: first(b, "ImagingStudy").update(id="a b")),
    "an empty name": ("display is empty", lambda b: report_of(b)["subject"].update(display="")),
    "an empty list": ("basedOn is empty", lambda b: report_of(b).update(basedOn=[])),
    "a code with blanks at its end": (
        "DiagnosticReport.code.coding.code",
        lambda b: report_of(b)["code"]["coding"][0].update(code="24627-2 "),
    ),
    "a foreign element": ("conclusion is no element", lambda b: report_of(b).update(conclusion="normal")),
    "a truth for a word": ("DiagnosticReport.status is True", lambda b: report_of(b).update(status=True)),
    "another form than HTML": (
        "presentedForm.contentType",
        lambda b: report_of(b)["presentedForm"][0].update(contentType="text/plain"),
    ),
}


@pytest.mark.parametrize(("where", "spoil"), RULES.values(), ids=RULES)
def test_the_rules_of_fhir_are_looked_at(signed: Bundle, where: str, spoil: Callable[[Bundle], Any]) -> None:
    assert rule_problems(signed) == ()
    spoil(signed)
    assert any(where in problem for problem in rule_problems(signed))
    assert any(where in problem for problem in profile_problems(signed))


CLAIMS: dict[str, Callable[[Bundle], Any]] = {
    "the profile without an interpreter": lambda b: report_of(b).pop("resultsInterpreter"),
    "the profile without an organisation": lambda b: report_of(b).pop("performer"),
    "the profile not claimed": lambda b: report_of(b)["meta"].pop("profile"),
    "no patient": lambda b: report_of(b).pop("subject"),
    "a program that is not marked": lambda b: next(p for p in resources(b, "Provenance") if "reason" in p).pop(
        "reason"
    ),
    "a person marked as a program": lambda b: next(p for p in resources(b, "Provenance") if "reason" not in p).update(
        reason=[{"coding": [{"system": "x", "code": "AIAST"}]}]
    ),
}


@pytest.mark.parametrize("spoil", CLAIMS.values(), ids=CLAIMS)
def test_what_a_report_claims_is_looked_at(signed: Bundle, spoil: Callable[[Bundle], Any]) -> None:
    spoil(signed)
    assert profile_problems(signed)


def test_a_draft_that_claims_the_profile_of_a_signed_report_is_noticed(draft: Bundle, signed: Bundle) -> None:
    report_of(draft).setdefault("meta", {})["profile"] = report_of(signed)["meta"]["profile"]
    assert any("claims IMR's profile" in problem for problem in profile_problems(draft))


def test_the_structure_check_notices_a_foreign_element_in_either_release(draft: Bundle) -> None:
    for kind in ("ImagingSelection", "DiagnosticReport"):
        spoiled = copy.deepcopy(draft)
        first(spoiled, kind)["study"] = "x"
        assert any(kind in problem for problem in structure_problems(spoiled))
