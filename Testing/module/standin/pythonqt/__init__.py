"""PySide6 made to behave like PythonQt, as far as 3D Slicer's scripted modules can tell; strict where it is silent.

Importing `install` changes PySide6's classes for the whole process, so nothing else in it may rely on PySide6's own
manners. Stricter than PythonQt on purpose: a wrong signal raises, an exception in a slot fails the test, unknown
classes of ctk and qMRML raise instead of being there.

What tests on it cannot see:
- `isinstance(child, qt.QWidget)` is often False in PythonQt for widgets made in C++; here it is True.
- An object without a parent dies with its last Python reference in both, but not always at the same moment.
- Python threads starve in 3D Slicer while the event loop idles; here they run.
- Qt is version 6 here and 5.15 there: names that only Qt 6 has are not refused (those that only Qt 5 has are).
- A `bool *ok` argument is a BoolResult there.
- How an Enum field fills a combo box, and how fields are written into the node, follows the published manners only.
- Menus of node selectors (rename, delete), drag and drop, translations.
"""
