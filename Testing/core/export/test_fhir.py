"""The FHIR bundle: each phrase leads to its slice and segment, the form is what its hash says, nothing is invented."""

from __future__ import annotations

import base64
import hashlib
import json
import string
import unicodedata
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage, Side, Zone
from RegionReportLib.errors import InputRefused
from RegionReportLib.export.dicom_seg import SegReference
from RegionReportLib.export.fhir import bundle_json, report_bundle
from RegionReportLib.export.fhir_check import profile_problems, structure_problems
from RegionReportLib.imaging.box import Box
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.volume import DicomSource
from RegionReportLib.report.document import Report, Study
from RegionReportLib.report.place import Anchor, AnchorSource, Place
from RegionReportLib.report.sentence import Author, Origin, Polarity, Sentence, Verdict
from RegionReportLib.report.signing import addendum, sign

pytest.importorskip("fhir.resources", reason="the package fhir.resources is not installed")

# Oblique, anisotropic, left-handed: along k the patient goes down and to the left.
AFFINE = np.array([[0.0, -0.7, -0.5, 10.0], [-0.7, 0.0, 0.0, 20.0], [0.0, 0.1, -2.5, 300.0], [0.0, 0.0, 0.0, 1.0]])
GRID = Grid((30, 40, 50), AFFINE)
SOURCE = DicomSource(
    study_instance_uid="1.2.840.1",
    series_instance_uid="1.2.840.2",
    frame_of_reference_uid="1.2.840.3",
    instance_uids=tuple(f"1.2.840.2.{k + 100}" for k in range(30)),
    patient_id="P-17",
    patient_name="Doe^Jane",
    study_date="20260102",
    accession_number="A-5",
)
SEG = SegReference("1.2.840.1", "2.25.7", "2.25.8", {"lung_right": 1, "lung_left": 2, "heart": 3})
BASE = "https://pacs.example.org/dicom-web"
MEASURED, MODEL = Origin(Author.MEASURED), Origin(Author.MODEL, "demo@abc")
WEB = "http://www.w3.org/1999/xhtml"


def place_in(k: int, region: str = "lungs", **narrower: Any) -> Place:
    """A place whose point is the middle of voxel i=20, j=10 of slice k."""
    x, y, z = (float(v) for v in GRID.to_ras((20, 10, k)))
    return Place(region, Box((x - 9, y - 9, z - 9), (x + 9, y + 9, z + 9)), (x, y, z), **narrower)


def anchored(*places: Place) -> tuple[Anchor, ...]:
    return tuple(Anchor(place, AnchorSource.MEASUREMENT) for place in places)


RIGHT_LOW = place_in(7, side=Side.RIGHT, zone=Zone.LOWER)
OUTSIDE = Place("bones", Box((900, 900, 900), (950, 950, 950)), (920.0, 920.0, 920.0))
SENTENCES = (
    Sentence("s1", "Right pleural fluid 310 mL.", ("lungs",), anchored(RIGHT_LOW), Polarity.PRESENT, MEASURED,
             key_phrase=(0, 19)),
    Sentence("s2", "No nodule <4 mm & more.", ("lungs",), anchored(place_in(3), place_in(29, side=Side.LEFT)),
             Polarity.ABSENT, MODEL),
    Sentence("s3", "Compared with the earlier scan.", (), (), Polarity.UNCERTAIN, Origin(Author.IMPORTED)),
    Sentence("s4", "Enlarged heart.", ("heart_great_vessels",), anchored(place_in(12, "heart_great_vessels")),
             Polarity.PRESENT, MODEL, verdict=Verdict.EDITED, viewed=True),
    Sentence("s5", "Rejected words.", ("lungs",), anchored(RIGHT_LOW), Polarity.PRESENT, MODEL,
             verdict=Verdict.REJECTED),
    Sentence("s6", "Old rib fracture.", ("bones",), anchored(OUTSIDE), Polarity.PRESENT, Origin(Author.READER),
             verdict=Verdict.ADDED, viewed=True),
)  # fmt: skip


@pytest.fixture(scope="module")
def draft() -> Report:
    coverage = dict.fromkeys(REGION_IDS, Coverage.COMPLETE) | {"upper_abdomen": Coverage.PARTIAL}
    study = Study("scan", "ab" * 32, GRID, SOURCE)
    return Report("report-1", study, coverage, {"upper_abdomen": "cut"}, (RIGHT_LOW,), (), SENTENCES,
                  "measured", "classical", "2026-01-02T10:00:00+00:00", ("Padding at the rim.",))  # fmt: skip


@pytest.fixture(scope="module")
def judged(draft: Report) -> Report:
    def decide(s: Sentence) -> Sentence:
        verdict = Verdict.ACCEPTED if s.verdict is Verdict.PENDING else s.verdict
        return replace(s, verdict=verdict, viewed=True, placeless=not s.anchors)

    return draft.with_sentences(decide(s) for s in draft.sentences)


@pytest.fixture(scope="module")
def signed(judged: Report) -> Report:
    return sign(judged, "Dr. Ada Müller", "2026-01-02T11:30:00Z")


@pytest.fixture(scope="module")
def appended(signed: Report) -> Report:
    fresh = addendum(signed, "report-2", "2026-01-03T09:00:00+01:00")
    sentence = Sentence("n1", "Nodule added.", ("lungs",), anchored(RIGHT_LOW), Polarity.PRESENT,
                        Origin(Author.READER), verdict=Verdict.ADDED, viewed=True)  # fmt: skip
    return sign(fresh.with_sentences((sentence,)), "Dr. Bo", "2026-01-03T09:30:00+01:00")


def resources(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind]


def report_of(bundle: dict[str, Any]) -> dict[str, Any]:
    (report,) = resources(bundle, "DiagnosticReport")
    return report


def narrative(bundle: dict[str, Any]) -> ElementTree.Element:
    return ElementTree.fromstring(report_of(bundle)["text"]["div"])


def page(bundle: dict[str, Any]) -> str:
    return base64.b64decode(report_of(bundle)["presentedForm"][0]["data"]).decode()


def sentence_element(bundle: dict[str, Any], words: str) -> ElementTree.Element:
    (found,) = (p for p in narrative(bundle).iter(f"{{{WEB}}}p") if words in "".join(p.itertext()))
    return found


def pointed_at(bundle: dict[str, Any], words: str) -> list[tuple[str, dict[str, Any]]]:
    """The words of each span of a sentence, and the selection that it names."""
    by_id = {f"ImagingSelection/{s['id']}": s for s in resources(bundle, "ImagingSelection")}
    spans = sentence_element(bundle, words).iter(f"{{{WEB}}}span")
    return [("".join(span.itertext()), by_id[span.get("id", "")]) for span in spans]


@pytest.mark.parametrize("state", ["draft", "judged", "signed", "appended"])
@pytest.mark.parametrize("with_seg", [True, False])
@pytest.mark.parametrize("address", ["", BASE])
def test_a_bundle_holds_to_the_profile_and_to_fhir(
    request: pytest.FixtureRequest, state: str, with_seg: bool, address: str
) -> None:
    report: Report = request.getfixturevalue(state)
    bundle = report_bundle(report, seg=SEG if with_seg else None, wado_rs=address)
    assert profile_problems(bundle) == ()
    assert structure_problems(bundle) == ()


def test_the_key_phrase_leads_to_the_slice_and_the_point_and_the_place_to_its_segment(draft: Report) -> None:
    (phrase, to_slice), (place, to_segment) = pointed_at(report_bundle(draft, seg=SEG), "pleural fluid")
    assert (phrase, place) == ("Right pleural fluid", "right lung, lower zone")
    # By hand: x = 10 - 0.7*10 - 0.5*7 = -0.5, y = 20 - 0.7*20 = 6, z = 300 + 0.1*10 - 2.5*7 = 283.5 in RAS.
    (instance,) = to_slice["instance"]
    assert instance["uid"] == "1.2.840.2.107"
    assert instance["imageRegion3D"] == [{"regionType": "point", "coordinate": [0.5, -6.0, 283.5]}]
    assert (to_slice["seriesUid"], to_slice["studyUid"]) == ("1.2.840.2", "1.2.840.1")
    (instance,) = to_segment["instance"]
    assert (instance["uid"], instance["subset"]) == ("2.25.8", ["1"])
    assert instance["sopClass"]["code"] == "urn:oid:1.2.840.10008.5.1.4.1.1.66.4"
    assert to_segment["seriesUid"] == "2.25.7"


def test_a_sentence_with_two_places_leads_to_both(draft: Report) -> None:
    spans = pointed_at(report_bundle(draft, seg=SEG), "No nodule")
    assert [words for words, _ in spans] == ["No nodule <4 mm & more.", "lungs", "left lung", "image"]
    instances = [selection["instance"][0] for _, selection in spans]
    assert [i.get("subset") for i in instances] == [None, ["1", "2"], ["2"], None]
    assert [instances[0]["uid"], instances[3]["uid"]] == ["1.2.840.2.103", "1.2.840.2.129"]


def test_a_place_outside_the_scan_and_a_sentence_without_one_lead_nowhere(draft: Report) -> None:
    bundle = report_bundle(draft, seg=SEG)
    assert pointed_at(bundle, "Old rib fracture") == []
    assert pointed_at(bundle, "Compared with") == []
    assert "[no place; imported; not yet judged]" in "".join(sentence_element(bundle, "Compared").itertext())


def test_a_series_of_one_file_for_all_slices_gets_no_link_that_would_show_another_slice(draft: Report) -> None:
    one_file = replace(SOURCE, instance_uids=("1.2.840.9",) * 30)
    bundle = report_bundle(replace(draft, study=replace(draft.study, dicom=one_file)))
    assert resources(bundle, "ImagingSelection") == []
    assert profile_problems(bundle) == ()


def test_the_html_form_links_to_pictures_only_if_a_service_is_named(draft: Report) -> None:
    plain, linked = page(report_bundle(draft, seg=SEG)), page(report_bundle(draft, seg=SEG, wado_rs=BASE + "/"))
    assert "<a " not in plain and "Right pleural fluid 310 mL." in plain
    address = f"{BASE}/studies/1.2.840.1/series/1.2.840.2/instances/1.2.840.2.107/rendered?window=-600,1500,linear"
    assert f'<a href="{address}" rel="noopener noreferrer">Right pleural fluid</a> 310 mL.' in linked
    assert "Rejected" not in plain + linked
    assert "&lt;4 mm &amp; more" in linked


def test_the_hash_is_the_sha1_of_the_raw_bytes_in_base64(draft: Report) -> None:
    form = report_of(report_bundle(draft))["presentedForm"][0]
    raw = base64.b64decode(form["data"])
    assert raw.startswith(b"<!DOCTYPE html>")
    assert form["size"] == len(raw)
    assert base64.b64decode(form["hash"]).hex() == hashlib.sha1(raw).hexdigest()
    assert len(form["hash"]) == 28  # 20 bytes; hexadecimal would be 40 characters


@pytest.mark.parametrize(
    ("state", "status"),
    [("draft", "partial"), ("judged", "preliminary"), ("signed", "final"), ("appended", "appended")],
)
def test_the_status_follows_the_signing(request: pytest.FixtureRequest, state: str, status: str) -> None:
    report = report_of(report_bundle(request.getfixturevalue(state)))
    assert report["status"] == status
    assert ("issued" in report) == (status in ("final", "appended"))


def test_a_signed_report_names_its_signer_and_no_other_person(signed: Report) -> None:
    bundle = report_bundle(signed, organization="General Hospital")
    report = report_of(bundle)
    assert report["issued"] == "2026-01-02T11:30:00+00:00"
    assert report["resultsInterpreter"] == [{"type": "Practitioner", "display": "Dr. Ada Müller"}]
    assert report["performer"] == [{"type": "Organization", "display": "General Hospital"}]
    assert report["subject"] == {"type": "Patient", "identifier": {"value": "P-17"}, "display": "Doe Jane"}
    assert report["basedOn"][0]["identifier"]["value"] == "A-5"
    assert report["effectiveDateTime"] == "2026-01-02"
    assert {e["resource"]["resourceType"] for e in bundle["entry"]} == {
        "DiagnosticReport", "ImagingStudy", "ImagingSelection", "Device", "Provenance"
    }  # fmt: skip


def test_a_draft_names_no_person_but_the_patient(draft: Report) -> None:
    assert b"Practitioner" not in bundle_json(report_bundle(draft, seg=SEG))


def test_what_is_not_known_is_left_out(draft: Report) -> None:
    bare = DicomSource("1.2.1", "1.2.2", "", SOURCE.instance_uids, patient_id="P", study_date="19991399")
    bundle = report_bundle(replace(draft, study=replace(draft.study, dicom=bare)))
    report, (study,) = report_of(bundle), resources(bundle, "ImagingStudy")
    assert not {"basedOn", "effectiveDateTime", "performer", "issued"} & report.keys()
    assert not {"started", "description", "endpoint", "basedOn"} & study.keys()
    assert not any("imageRegion3D" in s["instance"][0] for s in resources(bundle, "ImagingSelection"))
    assert profile_problems(bundle) == () == structure_problems(bundle)


def test_an_addendum_names_the_report_it_adds_to(appended: Report) -> None:
    bundle = report_bundle(appended)
    (extension,) = report_of(bundle)["extension"]
    assert extension["url"] == "http://hl7.org/fhir/StructureDefinition/diagnosticReport-addendumOf"
    assert extension["valueReference"]["identifier"]["value"] == "report-1"
    (verified,) = (p for p in resources(bundle, "Provenance") if len(p.get("entity", ())) == 2)
    assert [entity["role"] for entity in verified["entity"]] == ["source", "revision"]


def test_each_sentence_is_told_its_author(signed: Report) -> None:
    bundle = report_bundle(signed)
    devices = {f"urn:uuid:{d['id']}": d["deviceName"][0]["name"] for d in resources(bundle, "Device")}
    told = {}
    for provenance in resources(bundle, "Provenance"):
        who = [devices.get(a["who"].get("reference"), a["who"].get("display")) for a in provenance["agent"]]
        marked = any(c["code"] == "AIAST" for r in provenance.get("reason", ()) for c in r["coding"])
        for extension in provenance["target"][0].get("extension", ()):
            told[extension["valueUri"]] = (who, marked)
    # In reading order: lungs s1, s2; heart s4; bones s6; then s3 without a region.
    assert told == {
        "sentence-1": (["RegionReport measured writer"], True),
        "sentence-2": (["demo@abc"], True),
        "sentence-3": (["demo@abc", "Dr. Ada Müller"], True),
        "sentence-4": (["Dr. Ada Müller"], False),
        "sentence-5": (["Not known: the text was imported"], False),
    }
    assert report_of(bundle)["meta"]["security"][0]["code"] == "AIAST"


def test_words_of_people_alone_are_not_marked_as_a_programs(appended: Report) -> None:
    bundle = report_bundle(appended)
    assert resources(bundle, "Device") == [] and "meta" not in report_of(bundle)
    assert b"AIAST" not in bundle_json(bundle)


def test_the_same_report_gives_the_same_bytes_and_another_state_another_report(draft: Report, judged: Report) -> None:
    assert bundle_json(report_bundle(draft, seg=SEG)) == bundle_json(report_bundle(draft, seg=SEG))
    keys = [report_of(report_bundle(r))["identifier"][0]["value"] for r in (draft, judged)]
    assert keys[0] != keys[1]
    # Canonical: sorted keys, no blanks, readable as JSON.
    raw = bundle_json(report_bundle(draft))
    assert raw == json.dumps(json.loads(raw), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_a_server_keeps_the_ids_that_the_narrative_holds_and_makes_a_report_once(signed: Report) -> None:
    requests = {e["resource"]["resourceType"]: e["request"] for e in report_bundle(signed)["entry"]}
    assert requests["ImagingSelection"]["method"] == "PUT"
    assert requests["DiagnosticReport"]["method"] == "POST"
    assert requests["DiagnosticReport"]["ifNoneExist"].startswith("identifier=urn:ietf:rfc:3986|urn:uuid:")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(dicom=None), "did not come from DICOM"),
        (dict(dicom=replace(SOURCE, patient_id=" ", patient_name="")), "names no patient"),
        (dict(dicom=replace(SOURCE, study_instance_uid="1.2.<b>")), "no DICOM UID"),
        (dict(dicom=replace(SOURCE, series_instance_uid="")), "no DICOM UID"),
    ],
)
def test_a_scan_that_cannot_be_named_is_refused(draft: Report, change: dict[str, Any], words: str) -> None:
    with pytest.raises(InputRefused, match=words):
        report_bundle(replace(draft, study=replace(draft.study, **change)))


def test_a_report_that_was_changed_after_signing_is_refused(signed: Report) -> None:
    forged = signed.with_sentences(replace(s, text="Normal.", key_phrase=None) for s in signed.sentences)
    with pytest.raises(InputRefused, match="not what was signed"):
        report_bundle(forged)


def test_the_segmentation_of_another_study_is_refused(draft: Report) -> None:
    with pytest.raises(InputRefused, match="belongs to study"):
        report_bundle(draft, seg=replace(SEG, study_uid="1.2.840.77"))


@pytest.mark.parametrize(
    "address",
    ["ftp://host/x", "https://", "https://user:secret@host/x", "https://host/x?y=1", "javascript:alert(1)",
     'https://host/"onclick="x', "https://host/a b", "https://[host", "https://host/ü"],
)  # fmt: skip
def test_an_address_that_is_none_or_holds_a_secret_is_refused(draft: Report, address: str) -> None:
    with pytest.raises(InputRefused) as refused:
        report_bundle(draft, wado_rs=address)
    assert "secret" not in str(refused.value)


HOSTILE = st.text(
    st.one_of(
        st.sampled_from("<>&\"'\u202e\u2066\u0000\u001b\ud800\ufffe\u0085\u00a0\u05d0\u0628\U0001f600]]>-\r\n\t"),
        st.characters(),
        st.sampled_from(string.ascii_letters),
    ),
    min_size=1,
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(HOSTILE.filter(str.strip), min_size=1, max_size=4), st.data())
def test_hostile_words_are_carried_whole_or_marked_where_xml_forbids_them(
    texts: list[str], data: st.DataObject
) -> None:
    sentences = []
    for n, text in enumerate(texts):
        start = data.draw(st.integers(0, len(text) - 1))
        stop = data.draw(st.integers(start + 1, len(text)))
        made = Sentence(text + str(n), text, ("lungs",), anchored(RIGHT_LOW), Polarity.PRESENT, MODEL)
        sentences.append(replace(made, key_phrase=(start, stop)))
    source = replace(SOURCE, patient_name=texts[0], study_description=texts[-1], accession_number=texts[0])
    report = Report("r", Study("x", "0" * 64, GRID, source), dict.fromkeys(REGION_IDS, Coverage.COMPLETE), {}, (),
                    (), tuple(sentences), "measured", texts[0], "2026-01-01T00:00:00Z", tuple(texts))  # fmt: skip
    if any(0xD800 <= ord(c) <= 0xDFFF for c in "".join(texts)):
        with pytest.raises(InputRefused):  # such a report has no digest and cannot be stored either
            report_bundle(report)
        return
    bundle = report_bundle(report, seg=SEG, wado_rs=BASE)
    assert profile_problems(bundle) == () == structure_problems(bundle)
    for n, text in enumerate(texts, start=1):
        (element,) = (e for e in narrative(bundle).iter() if e.get("id") == f"sentence-{n}")
        told = "".join(element.itertext())
        expected = "".join("\ufffd" if forbidden(c) else c for c in text)
        assert told.startswith(expected.replace("\r\n", "\n").replace("\r", "\n") + " [")


def forbidden(c: str) -> bool:
    """Controls but for blanks, and noncharacters: XML 1.0 §2.2 and HTML §13.2.3.5."""
    return (unicodedata.category(c) == "Cc" and c not in "\t\n\r") or c in "\ufffe\uffff" or "\ufdd0" <= c <= "\ufdef"


def test_a_sentence_of_64_thousand_characters_is_carried(draft: Report) -> None:
    text = "Nodule <&> " * 6000
    bundle = report_bundle(draft.with_sentences((replace(SENTENCES[0], text=text),)), wado_rs=BASE)
    assert profile_problems(bundle) == () == structure_problems(bundle)
    assert text.strip() in "".join(narrative(bundle).itertext())
