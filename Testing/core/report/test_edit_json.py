"""Edits survive being written and read, and nothing else is taken for one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from RegionReportLib.anatomy.regions import Side, Zone
from RegionReportLib.errors import InputRefused
from RegionReportLib.imaging.box import Box
from RegionReportLib.report import edits as e
from RegionReportLib.report.document import Report
from RegionReportLib.report.edit_json import edit_from_dict, edit_to_dict
from RegionReportLib.report.place import AnchorSource
from RegionReportLib.report.sentence import Polarity, Sentence


def one_of_each(report: Report) -> list[e.Edit]:
    first, second = report.sentences[:2]
    return [
        e.ChangeText("s1", "Größer – ≥ 3 mm.", (0, 6), Polarity.UNCERTAIN),
        e.ChangeText("s1", "Plain."),
        e.Accept("s1"),
        e.Reject("s1"),
        e.Restore("s1"),
        e.Add("r1", "New.", ("lungs",), first.anchors, Polarity.ABSENT, (0, 3), "s1"),
        e.Split("s1", 4, "r1"),
        e.Merge(("s1", "s2"), "Both.", Polarity.PRESENT),
        e.Move("s1", "s2"),
        e.Move("s1"),
        e.RetieToPlace("s1", "lungs", "lung_left", Side.LEFT, Zone.UPPER, True),
        e.RetieToBox("s1", "lungs", Box((0, 0.5, 0), (1, 2, 3)), Side.RIGHT),
        e.OfferPlaces("s1", (replace(first.anchors[0], source=AnchorSource.VOXTELL, note="9 mm"),)),
        e.Redraft("bones", ("s5",), (replace(drafted_again(second), id="n1"),), "region-tokens", "demo 01ab", 7, "s1"),
        e.Redraft("bones", (), (), "measured"),
        e.MarkViewed("s1"),
        e.MarkPlaceless("s1"),
        e.AnswerFlag("s2", second.flags[0].key, "seen"),
        e.AnswerFlag(None, second.flags[0].key, "seen"),
        e.PutBack((first, second), ("s1", "s2"), second.flags),
        e.PutBack(),
    ]


def drafted_again(sentence: Sentence) -> Sentence:
    return replace(sentence, flags=(), asked_about="bones", support=0.5)


def test_every_kind_survives_the_round_trip_through_text(drafted: Report) -> None:
    edits = one_of_each(drafted)
    assert {edit.kind for edit in edits} == set(e.EDIT_KINDS)
    for edit in edits:
        assert edit_from_dict(json.loads(json.dumps(edit_to_dict(edit)))) == edit


def test_the_form_speaks_the_words_of_the_report_file() -> None:
    assert edit_to_dict(e.RetieToBox("s1", "lungs", Box((0, 0, 0), (1, 2, 3)), Side.RIGHT)) == {
        "kind": "retie_to_box",
        "sentence_id": "s1",
        "region": "lungs",
        "box_ras_mm": [[0, 0, 0], [1, 2, 3]],
        "side": "right",
        "keep": False,
    }


def test_a_foreign_key_deep_inside_is_not_dropped_in_silence(drafted: Report) -> None:
    value = edit_to_dict(e.Add("r1", "New.", anchors=drafted.sentences[0].anchors))
    value["anchors"][0]["extra"] = 1
    with pytest.raises(InputRefused, match="its own form"):
        edit_from_dict(value)


ACCEPT = {"kind": "accept", "sentence_id": "s1"}
CHANGE = {"kind": "change_text", "sentence_id": "s1", "text": "x", "key_phrase": None, "polarity": None}


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "accept",
        {},
        {**ACCEPT, "kind": "accept_all"},
        {**ACCEPT, "kind": ["accept"]},
        {**ACCEPT, "extra": 1},
        {"kind": "accept"},
        {**ACCEPT, "sentence_id": 1},
        {**ACCEPT, "sentence_id": None},
        {**CHANGE, "text": None},
        {**CHANGE, "key_phrase": [0]},
        {**CHANGE, "key_phrase": [0, 1, 2]},
        {**CHANGE, "key_phrase": [0, True]},
        {**CHANGE, "key_phrase": "01"},
        {**CHANGE, "polarity": "perhaps"},
        {"kind": "merge", "sentence_ids": "s1", "text": None, "polarity": None},
        {"kind": "split", "sentence_id": "s1", "at": 1.0, "new_id": "r1"},
        {"kind": "put_back", "sentences": [{}], "order": None, "flags": None},
        {"kind": "put_back", "sentences": None, "order": None, "flags": None},
        {
            "kind": "retie_to_box",
            "sentence_id": "s1",
            "region": "lungs",
            "box_ras_mm": [[9, 9, 9], [0, 0, 0]],
            "side": None,
            "keep": False,
        },
    ],
)
def test_what_is_no_edit_is_refused(value: Any) -> None:
    with pytest.raises(InputRefused, match="edit"):
        edit_from_dict(value)
