"""Every act on a sentence, by key and by button, in the module unchanged."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize("way", ["key", "button"])
def test_each_verdict_can_be_given_and_taken_back(reader: Any, way: str) -> None:
    def act(key: str, button: Any) -> None:
        reader.user.key(key) if way == "key" else reader.user.click(button)

    ui = reader.ui
    sentence = reader.choose("Total lung volume")
    act("A", ui.acceptButton)
    assert reader.chosen.verdict.value == "accepted"
    act("Ctrl+Z", ui.undoButton)
    assert reader.session.report.sentence(sentence.id).verdict.value == "pending"
    act("Ctrl+Y", ui.redoButton)
    assert reader.session.report.sentence(sentence.id).verdict.value == "accepted"
    act("X", ui.rejectButton)
    assert reader.chosen.verdict.value == "rejected"
    act("X", ui.rejectButton)
    assert reader.chosen.verdict.value == "accepted"


@pytest.mark.parametrize("way", ["key", "button"])
def test_words_are_changed_in_place_and_kept_or_left(reader: Any, way: str) -> None:
    sentence = reader.choose("Total lung volume")
    assert not reader.ui.editor.visible
    reader.user.key("Return") if way == "key" else reader.user.click(reader.ui.editButton)
    assert reader.ui.editor.plainText == sentence.text
    reader.user.type(" Reduced.")
    reader.user.key("Ctrl+Return") if way == "key" else reader.user.click(reader.ui.editButton)
    assert reader.chosen.text == sentence.text + " Reduced."
    assert (reader.chosen.verdict.value, reader.chosen.anchors) == ("edited", sentence.anchors)
    assert "measured\nedited" in reader.text
    reader.user.key("Return")
    reader.user.type(" Nonsense.")
    reader.user.key("Esc")
    assert "Nonsense" not in reader.chosen.text
    assert not reader.ui.editor.visible


def test_keys_rest_while_words_are_typed(reader: Any) -> None:
    sentence = reader.choose("Total lung volume")
    reader.user.key("Return")
    reader.user.type("axrnsmfo")
    reader.user.key("Down")
    assert reader.chosen.id == sentence.id
    assert [s.verdict.value for s in reader.session.report.sentences if s.verdict.value != "pending"] == []
    assert not reader.ui.acceptButton.enabled
    assert "axrnsmfo" in reader.ui.editor.plainText
    reader.user.key("Esc")
    reader.user.key("A")
    assert reader.chosen.verdict.value == "accepted"


def test_words_being_typed_stay_with_their_sentence_when_another_is_clicked(reader: Any) -> None:
    first = reader.choose("Total lung volume")
    reader.user.key("Return")
    reader.user.type(" Typed.")
    second = reader.choose("Mean lung density")
    assert second.id != first.id
    assert reader.session.report.sentence(first.id).text.endswith(" Typed.")
    assert "Typed" not in second.text


def test_a_sentence_of_ones_own_stands_behind_the_chosen_one_and_names_its_place(reader: Any) -> None:
    chosen = reader.choose("Total lung volume")
    reader.user.key("N")
    reader.user.type("Small effusion on the left.")
    reader.user.key("Ctrl+Return")
    ids = [s.id for s in reader.session.report.sentences]
    assert ids.index(reader.chosen.id) == ids.index(chosen.id) + 1
    assert reader.chosen.verdict.value == "added"
    assert reader.chosen.origin.author.value == "reader"
    assert {a.place.side.value for a in reader.chosen.anchors if a.place.side} == {"left"}
    reader.user.click(reader.ui.undoButton)
    assert len(reader.session.report.sentences) == len(ids) - 1


def test_a_sentence_is_divided_at_the_cursor_and_joined_again(reader: Any) -> None:
    words = reader.choose("Total lung volume").text
    total = len(reader.session.report.sentences)
    reader.user.key("S")
    reader.user.key("Home")
    for _ in range(words.index("(")):
        reader.user.key("Right")
    reader.user.key("Ctrl+Return")
    assert len(reader.session.report.sentences) == total + 1
    parts = [s.text for s in reader.session.report.sentences][:2]
    assert parts[0].startswith("Total lung volume") and parts[1].startswith("(")
    reader.choose(parts[0])
    reader.user.key("M")
    assert len(reader.session.report.sentences) == total
    assert "(" in reader.session.report.sentences[0].text


def test_a_sentence_is_tied_to_another_place_by_the_menu(reader: Any) -> None:
    reader.choose("Total lung volume")
    reader.user.key("R")
    assert reader.ui.retieButton.menu().visible
    reader.menu_action("Lungs", "left lung").trigger()
    reader.ui.retieButton.menu().close()
    (anchor,) = reader.chosen.anchors
    assert (anchor.place.name, anchor.source.value) == ("left lung", "reader")
    assert reader.away_mm(anchor.place.point_mm) < 0.01
    reader.menu_action("It has no place").trigger()
    assert reader.chosen.placeless


def test_a_sentence_is_tied_to_a_box_that_is_drawn(reader: Any) -> None:
    import slicer

    reader.choose("Total lung volume")
    reader.menu_action("Lungs", "Draw a box…").trigger()
    drawn = reader.module.panel.reviewing.retie._roi
    assert reader.away_mm(drawn.GetCenter()) < 500
    assert "press R" in reader.status
    drawn.SetCenter(-70.0, -20.0, 30.0)
    drawn.SetSize(20.0, 30.0, 40.0)
    reader.user.key("R")
    (anchor,) = reader.chosen.anchors
    assert anchor.place.box.min_mm == pytest.approx((-80, -35, 10))
    assert anchor.place.box.max_mm == pytest.approx((-60, -5, 50))
    assert slicer.mrmlScene.GetFirstNodeByName("Place of the sentence") is None
    reader.menu_action("Lungs", "Draw a box…").trigger()
    reader.menu_action("Leave it").trigger()
    assert slicer.mrmlScene.GetFirstNodeByName("Place of the sentence") is None


@pytest.mark.parametrize("way", ["key", "button"])
def test_a_sentence_is_moved_within_its_region(reader: Any, way: str) -> None:
    def act(key: str, button: Any) -> None:
        reader.user.key(key) if way == "key" else reader.user.click(button)

    def lungs() -> list[str]:
        return [s.id for s in reader.session.report.sentences if s.regions[:1] == ("lungs",)]

    before = lungs()
    reader.choose(reader.session.report.sentence(before[1]).text)
    act("Alt+Up", reader.ui.upButton)
    assert lungs() == [before[1], before[0], *before[2:]]
    act("Alt+Down", reader.ui.downButton)
    act("Alt+Down", reader.ui.downButton)
    assert lungs() == [before[0], before[2], before[1], *before[3:]]
    assert reader.chosen.id == before[1]
    shown = reader.text
    assert shown.index(reader.session.report.sentence(before[2]).text) < shown.index(reader.chosen.text)


def test_the_menu_of_places_names_each_place_once(reader: Any) -> None:
    from RegionReportLib.anatomy import regions as anatomy

    for region in anatomy.regions():
        known = {p.name for p in reader.session.report.places if p.region_id == region.id}
        menu = next(a.menu() for a in reader.ui.retieButton.menu().actions() if a.text == region.name)
        listed = [a.text for a in menu.actions() if a.text and not a.text.startswith("Draw")]
        assert sorted(listed) == sorted(known)
