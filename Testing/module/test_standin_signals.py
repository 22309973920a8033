"""Signals and slots of the stand-in behave as PythonQt's, and no exception in a slot is lost."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

Take = Callable[[], list[str]]


def test_a_slot_gets_as_many_arguments_as_it_declares_with_defaults_counted(qt: Any) -> None:
    heard: list[object] = []

    class Panel:
        def plain(self) -> None:
            heard.append("plain")

        def default(self, first: object = "mine") -> None:
            heard.append(first)

    panel, button = Panel(), qt.QPushButton()
    for slot in (
        panel.plain,
        panel.default,
        lambda: heard.append("lambda"),
        lambda x="bound": heard.append(x),
        lambda *every: heard.append(every),
        functools.partial(lambda *every: heard.append(every), "first"),
    ):
        button.connect("clicked(bool)", slot)
    button.click()
    # The last but two is the trap: the signal's argument takes the place of the default.
    assert heard == ["plain", False, "lambda", False, (False,), ("first", False)]


def test_the_short_form_passes_the_checked_flag_too_and_signals_can_be_called(qt: Any) -> None:
    heard: list[object] = []
    button = qt.QPushButton()
    button.clicked.connect(lambda *every: heard.append(every))
    button.clicked(True)
    button.clicked.emit(False)
    assert heard == [(True,), (False,)]


def test_a_wrong_signal_or_slot_raises_at_once(qt: Any) -> None:
    button = qt.QPushButton()
    with pytest.raises(ValueError, match=r"clickd\(\)"):
        button.connect("clickd()", print)
    with pytest.raises(ValueError, match="clicked"):
        button.connect("clicked", print)
    with pytest.raises(TypeError, match="called"):
        button.connect("clicked()", "print")
    combo = qt.QComboBox()
    with pytest.raises(ValueError, match="QString"):
        combo.connect("currentIndexChanged(QString)", print)  # Qt 5 only
    combo.connect("currentTextChanged(QString)", print)


def test_a_connection_can_be_undone_once(qt: Any) -> None:
    heard: list[str] = []

    class Panel:
        def on(self) -> None:
            heard.append("on")

    panel, button = Panel(), qt.QPushButton()
    button.connect("clicked()", panel.on)
    assert button.disconnect("clicked()", panel.on) is True
    assert button.disconnect("clicked()", panel.on) is False
    button.click()
    assert heard == []


def test_an_exception_in_a_slot_is_not_lost(qt: Any, no_problem_is_left: Take) -> None:
    button = qt.QPushButton()
    button.connect("clicked()", lambda: 1 / 0)
    button.click()
    (problem,) = no_problem_is_left()
    assert "ZeroDivisionError" in problem
    assert no_problem_is_left() == []


def test_exceptions_in_event_filters_and_single_shots_are_not_lost(
    qt: Any, user: Any, no_problem_is_left: Take
) -> None:
    class Filter(qt.QObject):
        def eventFilter(self, watched: Any, event: Any) -> bool:
            if event.type() == qt.QEvent.User:
                raise ValueError("in the filter")
            return False

    button, watcher = qt.QPushButton(), Filter()
    button.installEventFilter(watcher)
    qt.QApplication.sendEvent(button, qt.QEvent(qt.QEvent.User))
    assert ["in the filter" in one for one in no_problem_is_left()] == [True]
    qt.QTimer.singleShot(0, lambda: {}["absent"])
    user.wait(lambda: bool(_left()))
    assert ["KeyError" in one for one in no_problem_is_left()] == [True]


def _left() -> list[str]:
    from pythonqt import problems

    return problems.PROBLEMS


def test_an_error_shown_to_the_user_is_still_a_problem_of_the_test(qt: Any, no_problem_is_left: Take) -> None:
    import slicer

    def slot() -> None:
        with slicer.util.tryWithErrorDisplay("Failed.", waitCursor=True):
            raise RuntimeError("what went wrong")

    button = qt.QPushButton()
    button.connect("clicked()", slot)
    button.click()
    assert ["what went wrong" in one for one in no_problem_is_left()] == [True]
    assert qt.QApplication.overrideCursor() is None
