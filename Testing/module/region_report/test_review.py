"""Reviewing in the panel of the RegionReport module, unchanged, by clicks and keys: every act that a reader has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def test_the_list_shows_every_sentence_under_its_region_with_its_author(reader: Any) -> None:
    shown = reader.text
    for sentence in reader.session.report.sentences:
        assert sentence.text in shown
    for heading in ("Lungs", "Large airways", "Mediastinum", "Heart and great vessels", "Osseous", "Upper abdomen"):
        assert heading in shown
    assert shown.count("measured") >= len(reader.session.report.sentences)
    assert (shown.count("● complete"), shown.count("◐ partly in the scan")) == (5, 1)


def test_clicking_a_sentence_brings_its_place_into_every_view(reader: Any) -> None:
    import slicer

    before = reader.opacities()
    for sentence in reader.session.report.sentences:
        if not sentence.anchors:
            continue
        reader.click_link(f"rr:choose/{sentence.id}")
        assert reader.chosen.id == sentence.id
        places = [anchor.place for anchor in reader.chosen.anchors]
        assert reader.away_mm(places[0].point_mm) < 0.01
        clear = {i for i, fill in reader.opacities().items() if fill >= max(before.values())}
        assert clear and all(reader.region_of(i) in {place.region_id for place in places} for i in clear)
        camera = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCameraNode")
        assert camera.GetFocalPoint() == pytest.approx(places[0].point_mm, abs=0.01)
        assert reader.chosen.viewed
    assert "places to view" not in reader.ui.standingLabel.text


def test_a_place_smaller_than_a_region_gets_its_box_and_a_region_none(reader: Any) -> None:
    places = reader.session.report.places
    whole = {p.box for p in places if p.structure is None and p.zone is None}
    small = next(s for s in reader.session.report.sentences if s.anchors and s.anchors[0].place.box not in whole)
    reader.click_link(f"rr:choose/{small.id}")
    drawn = [0.0] * 6
    reader.box().GetRASBounds(drawn)
    box = small.anchors[0].place.box
    expected = [edge for pair in zip(box.min_mm, box.max_mm, strict=True) for edge in pair]
    assert drawn == pytest.approx(expected, abs=0.01)
    reader.choose("Total lung volume")
    assert reader.box() is None


def test_the_chosen_sentence_tells_its_place_in_words(reader: Any) -> None:
    chosen = reader.choose("Total lung volume")
    assert f"◎ {chosen.anchors[0].place.name}" in reader.text


def test_arrows_go_through_the_list_and_hold_at_its_ends(reader: Any) -> None:
    order = [s.id for _, sentences in reader.session.listed() for s in sentences]
    seen = []
    for _ in order:
        reader.user.key("Down")
        seen.append(reader.chosen.id)
    assert seen == order
    reader.user.key("Down")
    assert reader.chosen.id == order[-1]
    reader.user.key("Up")
    assert reader.chosen.id == order[-2]


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


def test_the_filter_lists_what_is_open_or_flagged(reader: Any) -> None:
    accepted = reader.choose("Total lung volume").text
    reader.user.key("A")
    reader.user.key("Down")
    reader.ui.filterComboBox.setCurrentIndex(1)
    assert accepted not in reader.text
    assert "Mean lung density" in reader.text
    reader.ui.filterComboBox.setCurrentIndex(2)
    assert "Mean lung density" in reader.text  # the chosen one stays
    assert "Upper abdomen" not in reader.text
    reader.ui.filterComboBox.setCurrentIndex(0)
    assert accepted in reader.text


def wrong_side(reader: Any) -> Any:
    """Write the other side into the sentence about fluid."""
    reader.user.key("Esc")
    sentence = reader.choose("ight pleural fluid")
    reader.user.key("Return")
    reader.user.key("Ctrl+A")
    reader.user.type(sentence.text.replace("Right", "Left").replace("right", "left"))
    reader.user.key("Ctrl+Return")
    return reader.chosen


def test_a_wrong_side_is_flagged_and_both_sides_can_be_shown(reader: Any) -> None:
    flagged = wrong_side(reader)
    kinds = [f.kind.value for f in flagged.flags]
    assert "side" in kinds
    assert flagged.flags[0].message in reader.text
    assert "flag" in reader.ui.standingLabel.text
    resting = reader.opacities()
    reader.click_link(f"rr:both/{flagged.id}/{kinds.index('side')}")
    both = reader.opacities()
    assert both["lung_left"] == both["lung_right"] > both["mediastinum"]
    assert resting != both
    left = next(p for p in reader.session.report.places if p.name == "left lung")
    assert reader.away_mm(left.point_mm) < 0.01


def test_a_flag_is_overridden_with_a_reason_and_says_so(reader: Any) -> None:
    flagged = wrong_side(reader)
    asked: list[str] = []

    def answer(dialog: Any) -> None:
        asked.append(dialog.labelText())
        dialog.setTextValue("image is mirrored")
        dialog.accept()

    reader.user.in_dialog(lambda dialog: None)
    reader.click_link(f"rr:flag/{flagged.id}/0")
    assert reader.chosen.flags[0].answer is None  # a closed dialog answers nothing
    reader.user.in_dialog(answer)
    reader.click_link(f"rr:flag/{flagged.id}/0")
    assert flagged.flags[0].message in asked[0]
    assert reader.chosen.flags[0].answer == "image is mirrored"
    assert "image is mirrored" in reader.text


def test_a_click_in_a_slice_view_marks_the_sentences_of_that_place(reader: Any) -> None:
    heart = next(p for p in reader.session.report.places if p.region_id == "heart_great_vessels" and not p.structure)
    reader.choose("Cardiothoracic")  # so that the slices lie there
    reader.user.settle()
    reader.user.move(reader.user.window.views.widgets["Red"], (10, 10))
    where = reader.user.window.views.widgets["Red"].pixel_of(heart.point_mm)
    reader.user.move(reader.user.window.views.widgets["Red"], where)
    chosen = reader.chosen.id
    reader.user.click_in_view("Red", heart.point_mm)
    found = reader.session.found
    assert found and all("heart_great_vessels" in reader.session.report.sentence(i).regions for i in found)
    assert reader.chosen.id == chosen  # nothing moves
    assert f"{len(found)} sentences about this place" in reader.status
    went = []
    for _ in found:
        reader.user.key("F")
        went.append(reader.chosen.id)
    assert sorted(went) == sorted(found)


def test_a_drag_in_a_slice_view_is_no_click(reader: Any) -> None:
    import qt
    from PySide6.QtCore import QPoint
    from PySide6.QtTest import QTest

    view = reader.user.window.views.widgets["Red"]
    handle = view.window().windowHandle()
    start = view.mapTo(view.window(), QPoint(100, 100))
    QTest.mousePress(handle, qt.Qt.LeftButton, qt.Qt.NoModifier, start)
    QTest.mouseMove(handle, start + QPoint(30, 0))
    QTest.mouseRelease(handle, qt.Qt.LeftButton, qt.Qt.NoModifier, start + QPoint(30, 0))
    assert reader.session.found == ()


def menu_action(reader: Any, *path: str) -> Any:
    """The entry of the re-tie menu that the words lead to."""
    menu = reader.ui.retieButton.menu()
    for words in path[:-1]:
        menu = next(a.menu() for a in menu.actions() if a.text == words)
    return next(a for a in menu.actions() if a.text == path[-1])


def test_a_sentence_is_tied_to_another_place_by_the_menu(reader: Any) -> None:
    reader.choose("Total lung volume")
    reader.user.key("R")
    assert reader.ui.retieButton.menu().visible
    menu_action(reader, "Lungs", "left lung").trigger()
    reader.ui.retieButton.menu().close()
    (anchor,) = reader.chosen.anchors
    assert (anchor.place.name, anchor.source.value) == ("left lung", "reader")
    assert reader.away_mm(anchor.place.point_mm) < 0.01
    menu_action(reader, "It has no place").trigger()
    assert reader.chosen.placeless


def test_a_sentence_is_tied_to_a_box_that_is_drawn(reader: Any) -> None:
    import slicer

    reader.choose("Total lung volume")
    menu_action(reader, "Lungs", "Draw a box…").trigger()
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
    menu_action(reader, "Lungs", "Draw a box…").trigger()
    menu_action(reader, "Leave it").trigger()
    assert slicer.mrmlScene.GetFirstNodeByName("Place of the sentence") is None


def test_signing_is_refused_until_all_is_judged_and_viewed_and_locks_then(
    reader: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("RegionReportSlicer.reviewing.confirm_sign", lambda name, count: asked.append(name) or True)
    asked: list[str] = []
    ui = reader.ui
    assert not ui.signButton.enabled
    assert "not judged yet" in ui.signButton.toolTip
    order = len(reader.session.report.sentences)
    reader.judge_all()
    for sentence in reader.session.report.sentences:  # those about no place need a word about it
        if not sentence.anchors and not sentence.placeless:
            reader.click_link(f"rr:choose/{sentence.id}")
            menu_action(reader, "It has no place").trigger()
    assert f"{order} of {order} judged" in ui.standingLabel.text
    assert "ready to sign" in ui.standingLabel.text
    reader.user.click(ui.signButton)
    assert asked == ["Dr Åse Test"]
    assert "Signed" in ui.standingLabel.text and "Dr Åse Test" in ui.standingLabel.text
    assert reader.session.report.status.value == "signed"
    for button in (ui.acceptButton, ui.rejectButton, ui.editButton, ui.addButton, ui.undoButton, ui.signButton):
        assert not button.enabled
    reader.user.key("Up")
    assert reader.chosen is not None  # pointing goes on
    before = reader.session.report
    for key in ("A", "X", "Return", "N", "S", "M", "Ctrl+Z"):
        reader.user.key(key)
    assert reader.session.report == before


def test_the_link_to_what_is_open_leads_through_it(reader: Any) -> None:
    reader.choose("Total lung volume")
    reader.user.key("A")
    reader.user.key("O")
    assert reader.chosen.verdict.value == "pending"
    assert "next open" in reader.ui.standingLabel.text


def test_the_text_goes_to_the_clipboard_and_the_page_to_a_file(reader: Any, tmp_path: Path) -> None:
    import slicer

    reader.user.click(reader.ui.copyButton)
    text = slicer.app.clipboard().text()
    assert reader.session.report.sentences[0].text in text
    assert "DRAFT" in text

    def name_file(dialog: Any) -> None:
        dialog.setOption(dialog.DontUseNativeDialog, True)
        dialog.selectFile(str(tmp_path / "out.html"))
        dialog.accept()

    reader.user.in_dialog(name_file)
    reader.user.click(reader.ui.exportButton)
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "(right 2.3 L, left 2.5 L)." in page
    assert "out.html" in reader.status
