"""The JSON form of reports: exact round trips, and refusal of what does not fit."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest

from RegionReportLib.anatomy.codes import Code
from RegionReportLib.anatomy.regions import REGION_IDS, Coverage, Side, Zone
from RegionReportLib.errors import InputRefused
from RegionReportLib.imaging.box import Box
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.volume import DicomSource
from RegionReportLib.report.document import Report, Signature, Status, Study
from RegionReportLib.report.json_form import report_from_dict, report_from_json, report_to_dict
from RegionReportLib.report.measurement import Measurement
from RegionReportLib.report.place import Anchor, AnchorSource, Place
from RegionReportLib.report.sentence import Author, Flag, FlagKind, Origin, Polarity, Sentence, Verdict


def full_report() -> Report:
    """A report that uses every field."""
    place = Place("lungs", Box((1, 2, 3), (4.5, 5, 6)), (2, 3, 4), "lung_right", Side.RIGHT, Zone.LOWER)
    measurement = Measurement(
        "m1",
        "fluid_volume",
        "lungs",
        310,
        "mL",
        "counted",
        "",
        None,
        Side.RIGHT,
        None,
        Code("SCT", "1", "x"),
        12,
        place,
    )
    flag = Flag(FlagKind.SIDE, "left here, right there", True, ("s2",), ("m1",), "looked again")
    sentences = (
        Sentence(
            "s1",
            "Right pleural fluid 310 mL – größer.",
            ("lungs",),
            (Anchor(place, AnchorSource.MODEL, 0.5, "narrowed"),),
            Polarity.PRESENT,
            Origin(Author.MODEL, "demo@abc"),
            ("m1",),
            (0, 13),
            Verdict.EDITED,
            True,
            False,
            (flag,),
        ),
        Sentence("s2", "No place.", (), (), Polarity.UNCERTAIN, Origin(Author.READER), placeless=True),
    )
    affine = np.array([[0, -0.7, 0.1, 5], [0.7, 0, 0, 6], [0, 0.1, 2.5, 7], [0, 0, 0, 1]])
    dicom = DicomSource("1.2", "1.3", "1.4", ("1.5", "1.6"), patient_name="Müller^Åsa")
    study = Study("ct.nii.gz", "ab" * 32, Grid((3, 4, 5), affine), dicom, True)
    coverage = dict.fromkeys(REGION_IDS, Coverage.COMPLETE) | {"upper_abdomen": Coverage.PARTIAL}
    return Report(
        "r1",
        study,
        coverage,
        {"upper_abdomen": "cut"},
        (place,),
        (measurement,),
        sentences,
        "measured",
        "classical",
        "2026-01-01T00:00:00+00:00",
        ("note",),
        Status.SIGNED,
        Signature("Dr A", "2026-01-02T00:00:00+00:00", "0" * 64),
        "r0",
    )


def test_a_report_with_every_field_survives_the_round_trip_through_text() -> None:
    report = full_report()
    text = json.dumps(report_to_dict(report))
    assert report_from_json(text) == report
    assert json.dumps(report_to_dict(report_from_json(text))) == text


def test_the_keys_others_rely_on_are_there() -> None:
    value = report_to_dict(full_report())
    assert value["schema"] == "regionreport.report/1"
    assert value["coverage"]["upper_abdomen"] == "partial"
    sentence = value["sentences"][0]
    assert {"id", "text", "regions", "anchors", "polarity", "evidence", "origin", "verdict", "viewed", "flags"} <= set(
        sentence
    )
    anchor = sentence["anchors"][0]
    assert anchor["box_ras_mm"] == [[1, 2, 3], [4.5, 5, 6]]
    assert anchor["point_ras_mm"] == [2, 3, 4]
    assert (anchor["region"], anchor["structure"], anchor["side"]) == ("lungs", "lung_right", "right")


BAD: dict[str, Any] = {
    "another schema": lambda v: v.update(schema="regionreport.report/2"),
    "a missing key": lambda v: v.pop("sentences"),
    "a foreign key": lambda v: v.update(extra=1),
    "an unknown region": lambda v: v["sentences"][0].update(regions=["brain"]),
    "a missing region in coverage": lambda v: v["coverage"].pop("bones"),
    "a doubled sentence id": lambda v: v["sentences"].append(copy.deepcopy(v["sentences"][0])),
    "evidence that does not exist": lambda v: v["sentences"][0].update(evidence=["m9"]),
    "a key phrase outside the text": lambda v: v["sentences"][0].update(key_phrase=[0, 999]),
    "a box turned inside out": lambda v: v["places"][0].update(box_ras_mm=[[9, 9, 9], [0, 0, 0]]),
    "a number as text": lambda v: v["measurements"][0].update(value="310"),
    "a number beyond float": lambda v: v["measurements"][0].update(value=10**400),
    "a truth value as number": lambda v: v["measurements"][0].update(value=True),
    "an unknown quantity": lambda v: v["measurements"][0].update(quantity="weight"),
    "a singular grid": lambda v: v["study"]["grid"].update(affine=[[0] * 4] * 3 + [[0, 0, 0, 1]]),
    "a signed report without signature": lambda v: v.update(signature=None),
    "a structure of another region": lambda v: v["places"][0].update(structure="trachea"),
    "empty words": lambda v: v["sentences"][0].update(text="  ", key_phrase=None),
}


@pytest.mark.parametrize("what", BAD)
def test_a_report_is_refused_for(what: str) -> None:
    value = report_to_dict(full_report())
    BAD[what](value)
    with pytest.raises(InputRefused):
        report_from_dict(value)


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{", '{"schema": NaN}', '{"schema": 1, "schema": 2}', "[" * 100_000, b"\xff\xfe{"]
)
def test_text_that_is_no_strict_json_object_is_refused(text: str | bytes) -> None:
    with pytest.raises(InputRefused):
        report_from_json(text)
