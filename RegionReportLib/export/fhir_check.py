"""What must hold in a bundle that this program hands out, beyond what a general FHIR validator looks at.

`profile_problems` needs no package; `structure_problems` asks `fhir.resources`, each part in its own release, because
no release holds both the R4 report and the R5 selections.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import import_module
from typing import Any
from xml.etree import ElementTree

from ..errors import NeedMissing
from .fhir import BUNDLE_PROFILE, REPORT_PROFILE
from .fhir_narrative import SPAN_CLASS
from .fhir_provenance import TARGET_ELEMENT
from .fhir_rules import rule_problems
from .fhir_values import Resource

_XHTML = "{http://www.w3.org/1999/xhtml}"
_ELEMENTS = {"div", "h2", "h3", "p", "b", "small", "span"}
_ATTRIBUTES = {"id", "class"}
_SIGNED = {"final", "appended"}


class _Page(HTMLParser):
    """The words, elements and links of an HTML page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.links: list[str] = []
        self.words = ""
        self._inside = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = self._inside or tag == "body"
        self.elements.add(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.words += data if self._inside else ""


def profile_problems(bundle: Resource) -> tuple[str, ...]:
    """Return what is wrong with a bundle by our profile, in words; empty if nothing is."""
    reports = _of_kind(bundle, "DiagnosticReport")
    if bundle.get("type") != "transaction" or bundle.get("meta", {}).get("profile") != [BUNDLE_PROFILE]:
        return ("the bundle is no IMR transaction",)
    if len(reports) != 1 or len(_of_kind(bundle, "ImagingStudy")) != 1:
        return (f"the bundle holds {len(reports)} reports, expected one, and one study",)
    try:
        div = ElementTree.fromstring(reports[0]["text"]["div"])
    except (ElementTree.ParseError, KeyError) as cause:
        return (f"the narrative is no XML: {cause}",)
    of_bundle = (_entries(bundle), _narrative(bundle, div), _selections(bundle))
    of_report = (_form(bundle, reports[0], div), _authors(bundle, reports[0], div), _claims(bundle, reports[0]))
    return (*rule_problems(bundle), *(problem for check in (*of_bundle, *of_report) for problem in check))


def structure_problems(bundle: Resource) -> tuple[str, ...]:
    """Return what `fhir.resources` finds wrong; NeedMissing without that package."""
    try:
        read_r4, read_r5 = (import_module(f"fhir.resources{release}").get_fhir_model_class for release in (".R4B", ""))
    except ModuleNotFoundError as cause:
        raise NeedMissing("checking FHIR needs the package fhir.resources: pip install 'regionreport[fhir]'") from cause
    # The R4 bundle does not know the R5 selections: it is looked at without them.
    shell = bundle | {"entry": [e for e in bundle["entry"] if e["resource"]["resourceType"] != "ImagingSelection"]}
    problems = []
    for resource in (shell, *(entry["resource"] for entry in bundle["entry"])):
        kind = resource["resourceType"]
        try:
            (read_r5 if kind == "ImagingSelection" else read_r4)(kind).model_validate(resource)
        except ValueError as cause:
            problems.append(f"{kind}: {' '.join(str(cause).split()):.300}")
    return tuple(problems)


def _entries(bundle: Resource) -> Iterator[str]:
    known = {}
    for entry in bundle["entry"]:
        resource, request = entry["resource"], entry["request"]
        kind, own_id = resource["resourceType"], resource["id"]
        if entry["fullUrl"] != f"urn:uuid:{own_id}" or entry["fullUrl"] in known:
            yield f"{kind} {own_id} has the address {entry['fullUrl']}, or shares it"
        known[entry["fullUrl"]] = kind
        expected = ("PUT", f"{kind}/{own_id}") if "ifNoneExist" not in request else ("POST", kind)
        if (request["method"], request["url"]) != expected:
            yield f"{kind} {own_id} asks for {request['method']} {request['url']}"
    for value in _dictionaries(bundle):
        if "contained" in value:
            yield "something is contained"
        if "reference" in value and known.get(value["reference"]) != value.get("type"):
            yield f"the reference {value['reference']} leads to no {value.get('type')} of the bundle"


def _narrative(bundle: Resource, div: ElementTree.Element) -> Iterator[str]:
    ids = Counter(element.get("id", "") for element in div.iter() if element.get("id"))
    yield from (f"the id {one} stands {n} times in the narrative" for one, n in ids.items() if n > 1)
    if div.tag != f"{_XHTML}div" or not "".join(div.itertext()).strip():
        yield "the narrative is no div with words"
    for element in div.iter():
        if element.tag.removeprefix(_XHTML) not in _ELEMENTS or not set(element.keys()) <= _ATTRIBUTES:
            yield f"the narrative holds {element.tag} with {sorted(element.keys())}"
    selections = {f"ImagingSelection/{s['id']}" for s in _of_kind(bundle, "ImagingSelection")}
    spans = _spans(div)
    yield from (f"no span points at {one}" for one in sorted(selections - spans))
    yield from (f"the span {one} points at nothing" for one in sorted(spans - selections))


def _form(bundle: Resource, report: Resource, div: ElementTree.Element) -> Iterator[str]:
    form = report["presentedForm"][0]
    try:
        raw = base64.b64decode(form["data"], validate=True)
        digest = base64.b64decode(form["hash"], validate=True)
    except binascii.Error as cause:
        yield f"the HTML form is no base64: {cause}"
        return
    if digest != hashlib.sha1(raw, usedforsecurity=False).digest():
        yield "the hash of the HTML form is not the SHA-1 of its bytes"
    if form["size"] != len(raw) or form["contentType"] != "text/html":
        yield f"the HTML form says {form['contentType']} of {form['size']} bytes, it has {len(raw)}"
    page = _Page(raw.decode("utf-8"))
    addresses = [endpoint["address"] for endpoint in _of_kind(bundle, "Endpoint")]
    # Each slice has a link; segments have one where their place lies in the scan.
    slices = sum("subset" not in one["instance"][0] for one in _of_kind(bundle, "ImagingSelection"))
    if not (slices <= len(page.links) <= len(_spans(div)) if addresses else not page.links):
        yield f"the HTML form has {len(page.links)} links for {len(_spans(div))} spans"
    yield from (
        f"the link {one} leads elsewhere" for one in page.links if not one.startswith(f"{addresses[0]}/studies/")
    )
    if page.words.split() != "".join(div.itertext()).split():
        yield "the HTML form and the narrative do not say the same"
    yield from (f"the HTML form holds a {one}" for one in sorted(page.elements & {"script", "img", "iframe", "object"}))


def _selections(bundle: Resource) -> Iterator[str]:
    study = _of_kind(bundle, "ImagingStudy")[0]
    series = {one["uid"]: one["modality"]["code"] for one in study["series"]}
    for one in _of_kind(bundle, "ImagingSelection"):
        instance = one["instance"][0]
        if f"urn:oid:{one['studyUid']}" != study["identifier"][0]["value"] or one["seriesUid"] not in series:
            yield f"selection {one['id']} lies outside the study"
        elif ("subset" in instance) != (series[one["seriesUid"]] == "SEG") or len(one["instance"]) != 1:
            yield f"selection {one['id']} names segments of what is no SEG, or none of a SEG"
        if one["subject"]["type"] != "Patient" or ("endpoint" in one) != ("endpoint" in study):
            yield f"selection {one['id']} is of no patient, or served elsewhere than its study"


def _authors(bundle: Resource, report: Resource, div: ElementTree.Element) -> Iterator[str]:
    sentences = {e.get("id", "") for e in div.iter() if e.get("id", "").startswith("sentence-")}
    told = Counter(
        extension["valueUri"]
        for provenance in _of_kind(bundle, "Provenance")
        for extension in provenance["target"][0].get("extension", ())
        if extension["url"] == TARGET_ELEMENT
    )
    if set(told) != sentences or set(told.values()) - {1}:
        yield f"the authors of {sorted(sentences)} are told by {dict(told)}"
    marked = any(label["code"] == "AIAST" for label in report.get("meta", {}).get("security", ()))
    if marked != bool(_of_kind(bundle, "Device")):
        yield "the mark of what a program wrote does not fit the programs named"
    signed = report["status"] in _SIGNED
    verified = any(
        agent["type"]["coding"][0]["code"] == "verifier" and agent["who"].get("display")
        for provenance in _of_kind(bundle, "Provenance")
        for agent in provenance["agent"]
    )
    if {signed} != {"issued" in report, "resultsInterpreter" in report, verified}:
        yield f"the state {report['status']} does not fit who is said to have signed"


def _claims(bundle: Resource, report: Resource) -> Iterator[str]:
    """What IMR wants of a report that claims its profile, and of every provenance (R4 §6.3)."""
    wanted = {"issued", "performer", "resultsInterpreter", "imagingStudy", "presentedForm", "subject", "code"}
    claimed = REPORT_PROFILE in report.get("meta", {}).get("profile", ())
    if claimed != (wanted <= set(report)):
        yield f"the report {'claims' if claimed else 'does not claim'} IMR's profile and lacks {wanted - set(report)}"
    if not {"imagingStudy", "presentedForm", "subject", "code"} <= set(report):
        yield "the report names no study, patient or code, or has no HTML form"
    for one in _of_kind(bundle, "Provenance"):
        programs = [agent for agent in one["agent"] if agent["who"].get("type") == "Device"]
        reasons = [label["code"] for reason in one.get("reason", ()) for label in reason["coding"]]
        if not one["agent"] or bool(programs) != (reasons == ["AIAST"]):
            yield f"the provenance {one['id']} names {len(programs)} programs and is marked {reasons}"


def _of_kind(bundle: Resource, kind: str) -> list[Resource]:
    return [e["resource"] for e in bundle.get("entry", ()) if e["resource"]["resourceType"] == kind]


def _spans(div: ElementTree.Element) -> set[str]:
    return {element.get("id", "") for element in div.iter() if element.get("class") == SPAN_CLASS}


def _dictionaries(value: Any) -> Iterator[Resource]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _dictionaries(one)
