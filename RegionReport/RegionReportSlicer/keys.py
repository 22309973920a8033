"""One key per act, active only while the module is open."""

import qt
import slicer

_ITEMS = (
    "↑↓ choose",
    "Enter edit",
    "A accept",
    "X reject",
    "R re-tie",
    "P place by words",
    "N new",
    "S split",
    "M merge",
    "Alt+↑↓ move",
    "B both sides",
    "K keep flagged",
    "D redraft region",
    "O next open",
    "F find place",
    "L list",
    "Ctrl+Z/Y undo, redo",
)
# A line may end between two keys only.
HELP = "\N{NO-BREAK SPACE}· ".join(item.replace(" ", "\N{NO-BREAK SPACE}") for item in _ITEMS)


class Keys:
    """Shortcuts of the main window (or, without one, of `fallback`) for a table of key → act."""

    def __init__(self, acts, fallback):
        window = slicer.util.mainWindow() or fallback
        # Held here: a shortcut dies with its last Python reference.
        self._shortcuts = []
        for key, act in acts.items():
            shortcut = qt.QShortcut(qt.QKeySequence(key), window)
            shortcut.setEnabled(False)
            shortcut.connect("activated()", act)
            self._shortcuts.append(shortcut)

    def enable(self, on):
        """Switch all keys on or off."""
        for shortcut in self._shortcuts:
            shortcut.setEnabled(on)

    def remove(self):
        """Take the keys away for good."""
        for shortcut in self._shortcuts:
            shortcut.setEnabled(False)
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._shortcuts = []
