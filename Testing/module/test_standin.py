"""The stand-in refuses what PythonQt refuses; else the panel's tests would pass what fails in 3D Slicer."""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest

Take = Callable[[], list[str]]


@pytest.fixture
def qt(slicer_app: Any) -> Any:
    import qt

    return qt


# attributes


def test_a_property_is_an_attribute_and_calling_it_is_an_error(qt: Any) -> None:
    label = qt.QLabel("words")
    assert label.text == "words"
    label.text = "others"
    assert label.text == "others"
    label.setText("more")
    assert label.text == "more"
    with pytest.raises(TypeError):
        label.text()
    assert (label.visible, label.enabled, qt.QSpinBox().maximum) == (False, True, 99)
    assert label.isVisible() is False


@pytest.mark.parametrize(
    ("make", "name"),
    [
        ("QLabel", "txt"),  # unknown
        ("QLabel", "setText"),  # a method
        ("QLabel", "hasSelectedText"),  # read only
        ("QPushButton", "clicked"),  # a signal
        ("QTimer", "singleShot"),  # a static function in PythonQt
        ("QVBoxLayout", "margin"),  # Qt 5 only
        ("QWidget", "_mine"),  # nobody's
    ],
)
def test_what_cannot_be_written_raises(qt: Any, make: str, name: str) -> None:
    with pytest.raises(AttributeError, match=name):
        setattr(getattr(qt, make)(), name, True)


def test_what_is_not_there_cannot_be_read(qt: Any) -> None:
    with pytest.raises(AttributeError, match="toolTop"):
        _ = qt.QLabel().toolTop
    for name in ("QRegExp", "QDesktopWidget", "QWebEngineView", "Signal", "Slot", "Property", "nonsense"):
        with pytest.raises(AttributeError, match=name):
            getattr(qt, name)


def test_a_python_subclass_may_have_attributes_of_its_own_and_keeps_its_name(qt: Any) -> None:
    class Mine(qt.QWidget):
        def __init__(self) -> None:
            super().__init__()
            self.mine = 3

    made = Mine()
    made.more = 4
    assert (made.mine, made.more, made.className()) == (3, 4, "Mine")
    with pytest.raises(AttributeError):
        made.setVisible = 1


def test_children_and_dynamic_properties_are_found_by_name_last(qt: Any) -> None:
    parent = qt.QWidget()
    child = qt.QLabel("x", parent)
    child.setObjectName("title")
    parent.setProperty("SlicerParameterName", "volume")
    assert parent.title is child
    assert child.name == "title"
    assert parent.SlicerParameterName == "volume"
    assert parent.property("nothing") is None


def test_text_takes_anything_and_enums_are_flat_numbers(qt: Any) -> None:
    label = qt.QLabel()
    label.text = None
    assert label.text == "None"
    assert int(qt.Qt.AlignRight) == 2
    assert qt.Qt.UserRole + 1 == 257
    label.alignment = int(qt.Qt.AlignRight)
    assert int(label.alignment) & 2


def test_lists_are_read_back_as_tuples(qt: Any, slicer_app: Any) -> None:
    import slicer

    settings = slicer.app.settings()
    settings.setValue("RegionReport/list", ["a", "b"])
    assert settings.value("RegionReport/list") == ("a", "b")
    combo = qt.QComboBox()
    combo.addItem("x", ["a", "b"])
    assert combo.itemData(0) == ("a", "b")
    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes = ["vtkMRMLTextNode"]
    assert selector.nodeTypes == ("vtkMRMLTextNode",)


# signals


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


# .ui files

UI = """<ui version="4.0"><class>P</class>
<widget class="qMRMLWidget" name="P"><layout class="QVBoxLayout" name="v">
<item><widget class="{kind}" name="selector">{types}</widget></item>
<item><widget class="QCheckBox" name="box"/></item><item><widget class="QLabel" name="label"/></item>
</layout></widget>
<customwidgets>
<customwidget><class>qMRMLWidget</class><extends>QWidget</extends><header>q.h</header><container>1</container></customwidget>
<customwidget><class>{kind}</class><extends>QWidget</extends><header>q.h</header></customwidget>
</customwidgets>
<connections>{connections}
<connection><sender>box</sender><signal>toggled(bool)</signal><receiver>label</receiver><slot>setVisible(bool)</slot></connection>
</connections></ui>"""
TYPES = '<property name="nodeTypes"><stringlist><string>vtkMRMLTextNode</string></stringlist></property>'
CONNECTION = """<connection><sender>P</sender><signal>mrmlSceneChanged(vtkMRMLScene*)</signal>
<receiver>selector</receiver><slot>setMRMLScene(vtkMRMLScene*)</slot></connection>"""


def loaded(folder: Path, kind: str, connections: str) -> Any:
    import slicer

    file = folder / "panel.ui"
    file.write_text(UI.format(kind=kind, types=TYPES if "Node" in kind else "", connections=connections))
    return slicer.util.loadUI(str(file))


def test_a_selector_without_its_connection_stays_disabled_and_empty(clean_scene: Any, tmp_path: Path) -> None:
    import slicer

    clean_scene.AddNewNodeByClass("vtkMRMLTextNode", "text")
    for connections, works in ((CONNECTION, True), ("", False)):
        panel = loaded(tmp_path, "qMRMLNodeComboBox", connections)
        ui = slicer.util.childWidgetVariables(panel)
        panel.setMRMLScene(clean_scene)
        assert ui.selector.enabled is works
        assert (ui.selector.currentNode() is not None) is works
        panel.setMRMLScene(None)


def test_ordinary_connections_of_the_file_work(slicer_app: Any, tmp_path: Path) -> None:
    panel = loaded(tmp_path, "qMRMLNodeComboBox", CONNECTION)
    panel.show()
    panel.box.checked = True
    panel.box.checked = False
    assert not panel.label.visible
    panel.close()


def test_a_class_that_the_standin_lacks_is_named(slicer_app: Any, tmp_path: Path, no_problem_is_left: Take) -> None:
    with pytest.raises(RuntimeError, match="ctkNoSuchThing"):
        loaded(tmp_path, "ctkNoSuchThing", "")
    assert no_problem_is_left()
    import ctk
    import slicer

    for owner, name in ((ctk, "ctkNoSuchThing"), (slicer, "qMRMLNoSuchThing"), (slicer.modules, "nosuchmodule")):
        with pytest.raises(AttributeError, match=name):
            getattr(owner, name)


# node selectors


def heard_of(selector: Any) -> list[object]:
    heard: list[object] = []
    selector.connect("currentNodeChanged(vtkMRMLNode*)", lambda node: heard.append(node and node.GetName()))
    return heard


@pytest.fixture(name="selector")
def _selector(clean_scene: Any) -> Any:
    import slicer

    made = slicer.qMRMLNodeComboBox()
    made.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    yield made
    made.setMRMLScene(None)


def test_without_none_the_first_node_is_chosen_and_its_removal_told(selector: Any, clean_scene: Any) -> None:
    heard = heard_of(selector)
    selector.setMRMLScene(clean_scene)
    one = clean_scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "one")
    clean_scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "two")
    clean_scene.RemoveNode(one)
    clean_scene.Clear(0)
    assert heard == ["one", "two", None]


def test_with_none_nothing_is_chosen_until_somebody_does(selector: Any, clean_scene: Any, user: Any) -> None:
    selector.noneEnabled = True
    selector.noneDisplay = "New segmentation"
    selector.setMRMLScene(clean_scene)
    node = clean_scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "one")
    assert selector.currentNode() is None
    assert selector._combo.currentText == "New segmentation"
    heard = heard_of(selector)
    user.choose(selector, node)
    user.choose(selector, None)
    selector.setCurrentNodeID(node.GetID())
    assert heard == ["one", None, "one"]
    assert selector.currentNodeID == node.GetID()


def test_child_classes_and_attributes_narrow_the_list(selector: Any, clean_scene: Any) -> None:
    selector.setMRMLScene(clean_scene)
    clean_scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "plain").SetAttribute("kind", "ct")
    clean_scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    assert selector.nodeCount() == 2
    selector.showChildNodeTypes = False
    assert selector.nodeCount() == 1
    selector.addAttribute("vtkMRMLScalarVolumeNode", "kind", "mr")
    assert selector.nodeCount() == 0
    selector.removeAttribute("vtkMRMLScalarVolumeNode", "kind")
    selector.addAttribute("vtkMRMLScalarVolumeNode", "kind", "ct")
    assert selector.nodeCount() == 1


def test_a_batch_is_listed_when_it_is_over(selector: Any, clean_scene: Any) -> None:
    selector.setMRMLScene(clean_scene)
    clean_scene.StartState(clean_scene.BatchProcessState)
    clean_scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "one")
    assert selector.nodeCount() == 0
    clean_scene.EndState(clean_scene.BatchProcessState)
    assert selector.nodeCount() == 1


# parameter nodes


class Pace(enum.Enum):
    SLOW = 1
    FAST = 2


def wrapped(clean_scene: Any, kind: type[Any]) -> Any:
    from slicer.parameterNodeWrapper import parameterNodeWrapper

    return parameterNodeWrapper(kind)(clean_scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode"))


def test_fields_keep_their_types_and_refuse_others(clean_scene: Any) -> None:
    from slicer import vtkMRMLTextNode
    from slicer.parameterNodeWrapper import WithinRange

    class Fields:
        number = 3
        pace = Pace.FAST
        folder = Path("/models")

    Fields.__annotations__ = {
        "number": Annotated[int, WithinRange(0, 10)],
        "pace": Pace,
        "maybe": str | None,
        "folder": Path,
        "text": vtkMRMLTextNode,
    }
    node = wrapped(clean_scene, Fields)
    assert (node.number, node.pace, node.maybe, node.text) == (3, Pace.FAST, None, None)
    node.number, node.pace, node.maybe, node.folder = 7, Pace.SLOW, "", Path("/a b")
    node.text = clean_scene.AddNewNodeByClass("vtkMRMLTextNode", "report")
    again = type(node)(node.parameterNode)
    assert (again.number, again.pace, again.maybe, again.folder) == (7, Pace.SLOW, "", Path("/a b"))
    assert again.text.GetName() == "report"
    for name, value, error in (
        ("number", "7", TypeError),
        ("number", 11, ValueError),
        ("pace", "SLOW", TypeError),
        ("nunber", 1, AttributeError),
    ):
        with pytest.raises(error):
            setattr(node, name, value)
    with pytest.raises(AttributeError):
        _ = node.nunber


def test_a_field_of_an_unknown_type_is_refused_when_it_is_declared(clean_scene: Any) -> None:
    class Fields:
        table = None

    Fields.__annotations__ = {"table": dict[str, bytes]}
    with pytest.raises(TypeError, match="table"):
        wrapped(clean_scene, Fields)


def test_a_widget_bound_to_no_field_is_named(clean_scene: Any, qt: Any) -> None:
    class Fields:
        number = 3

    Fields.__annotations__ = {"number": int}
    panel = qt.QWidget()
    box = qt.QSpinBox(panel)
    box.setObjectName("box")
    box.setProperty("SlicerParameterName", "nunber")
    with pytest.raises(ValueError, match="nunber"):
        wrapped(clean_scene, Fields).connectGui(panel)
    box.setProperty("SlicerParameterName", "number")
    node = wrapped(clean_scene, Fields)
    tag = node.connectGui(panel)
    box.value = 5
    node.disconnectGui(tag)
    box.value = 6
    assert node.number == 5
    node.number = 9
    assert box.value == 6


# the user


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
