"""Finding one's way in the panel: the list, the places, the filter, flags, and clicks in the views."""

from __future__ import annotations

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
    reader.user.key("L")  # round to the first
    assert reader.ui.filterComboBox.currentText == "all"
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


@pytest.mark.parametrize("way", ["key", "link"])
def test_a_wrong_side_is_flagged_and_both_sides_can_be_shown(reader: Any, way: str) -> None:
    flagged = wrong_side(reader)
    kinds = [f.kind.value for f in flagged.flags]
    assert "side" in kinds
    assert flagged.flags[0].message in reader.text
    assert "flag" in reader.ui.standingLabel.text
    resting = reader.opacities()
    reader.user.key("B") if way == "key" else reader.click_link(f"rr:both/{flagged.id}/{kinds.index('side')}")
    both = reader.opacities()
    assert both["lung_left"] == both["lung_right"] > both["mediastinum"]
    assert resting != both
    left = next(p for p in reader.session.report.places if p.name == "left lung")
    assert reader.away_mm(left.point_mm) < 0.01


@pytest.mark.parametrize("way", ["key", "link"])
def test_a_flag_is_overridden_with_a_reason_and_says_so(reader: Any, way: str) -> None:
    flagged = wrong_side(reader)
    asked: list[str] = []

    def answer(dialog: Any) -> None:
        asked.append(dialog.labelText())
        dialog.setTextValue("image is mirrored")
        dialog.accept()

    def override() -> None:
        reader.user.key("K") if way == "key" else reader.click_link(f"rr:flag/{flagged.id}/0")

    reader.user.in_dialog(lambda dialog: None)
    override()
    assert reader.chosen.flags[0].answer is None  # a closed dialog answers nothing
    reader.user.in_dialog(answer)
    override()
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


def test_the_link_to_what_is_open_leads_through_it(reader: Any) -> None:
    reader.choose("Total lung volume")
    reader.user.key("A")
    reader.user.key("O")
    assert reader.chosen.verdict.value == "pending"
    assert "next open" in reader.ui.standingLabel.text
