"""The stand-in's user can only do what a person can; the settings are not the user's own."""

from __future__ import annotations

from typing import Any

import pytest


def test_nobody_can_click_what_is_hidden_disabled_or_covered(qt: Any, user: Any) -> None:
    window = qt.QWidget()
    window.resize(200, 100)
    button = qt.QPushButton("b", window)
    cover = qt.QFrame(window)
    cover.setGeometry(0, 0, 200, 100)
    cover.hide()
    heard: list[int] = []
    button.connect("clicked()", lambda: heard.append(1))
    with pytest.raises(AssertionError, match="hidden"):
        user.click(button)
    window.show()
    user.click(button)
    cover.show()
    with pytest.raises(AssertionError, match="covered"):
        user.click(button)
    cover.hide()
    button.enabled = False
    with pytest.raises(AssertionError, match="disabled"):
        user.click(button)
    assert heard == [1]
    window.close()


def test_a_modal_dialog_can_be_answered(qt: Any, user: Any) -> None:
    def ask() -> None:
        dialog = qt.QInputDialog(user.window)
        dialog.setTextValue("")
        answers.append(dialog.exec_() == qt.QDialog.Accepted and dialog.textValue())

    answers: list[object] = []

    def sign(dialog: Any) -> None:
        dialog.setTextValue("Dr. A")
        dialog.accept()

    user.in_dialog(sign)
    ask()
    user.in_dialog(lambda dialog: None)
    ask()
    assert answers == ["Dr. A", False]


def test_keys_reach_shortcuts_of_the_window_and_letters_the_focus(qt: Any, user: Any) -> None:
    heard: list[str] = []
    shortcut = qt.QShortcut(qt.QKeySequence("A"), user.window)
    shortcut.connect("activated()", lambda: heard.append("A"))
    user.key("A")
    edit = qt.QLineEdit(user.window)
    edit.show()
    edit.setFocus()
    user.key("A")  # typed: an editor takes letters before shortcuts
    assert heard == ["A"]
    assert edit.text.lower() == "a"
    edit.deleteLater()
    shortcut.enabled = False
    user.window.setFocus()
    user.key("A")
    assert heard == ["A"]
    shortcut.setParent(None)


def test_settings_are_not_the_users_own_and_begin_empty(qt: Any, slicer_app: Any) -> None:
    import slicer

    assert slicer_app.temporaryPath in qt.QSettings().fileName()
    assert list(qt.QSettings().allKeys()) == []
    qt.QSettings().setValue("RegionReport/Reader", "Dr. A")
    assert slicer.app.settings().value("RegionReport/Reader") == "Dr. A"
    assert slicer.util.settingsValue("RegionReport/Reader", "") == "Dr. A"
    assert slicer.app.applicationName == "Slicer"


def test_settings_pages_keep_what_was_chosen(qt: Any) -> None:
    import ctk
    import slicer

    panel, edit = ctk.ctkSettingsPanel(), qt.QLineEdit()
    panel.registerProperty("RegionReport/python", edit, "text", "textChanged(QString)")
    edit.text = "/usr/bin/python3"
    again = qt.QLineEdit()
    ctk.ctkSettingsPanel().registerProperty("RegionReport/python", again, "text", "textChanged(QString)")
    assert again.text == "/usr/bin/python3"
    slicer.app.settings().remove("RegionReport/python")
