"""The field below the sentences in which words are changed; it is there only while something is edited."""

import qt


class Editor:
    """Edits one text at a time: `start(text, done)`; Ctrl+Enter keeps it, Esc leaves it."""

    def __init__(self, field, busy):
        self._field = field
        self._busy = busy
        self._done = None
        # Held here: a shortcut dies with its last Python reference.
        self._keys = [
            self._key("Ctrl+Return", True),
            self._key("Ctrl+Enter", True),
            self._key("Esc", False),
        ]

    @property
    def open(self):
        """Tell whether something is being edited."""
        return self._done is not None

    def start(self, text, done, at=None):
        """Edit `text`; `done(words, cursor)` is called when it is kept and not empty; the cursor begins at `at`."""
        self._done = done
        self._field.plainText = text
        cursor = self._field.textCursor()
        cursor.setPosition(len(text) if at is None else at)
        self._field.setTextCursor(cursor)
        self._field.visible = True
        self._field.setFocus()
        self._busy(True)

    def end(self, keep):
        """Close the field and keep or leave its words."""
        if self._done is None:
            return
        done, self._done = self._done, None
        words, at = self._field.plainText, self._field.textCursor().position()
        self._field.plainText = ""
        self._field.visible = False
        self._busy(False)
        if keep and words.strip():
            done(words, at)

    def _key(self, key, keep):
        shortcut = qt.QShortcut(qt.QKeySequence(key), self._field)
        shortcut.setContext(qt.Qt.WidgetShortcut)
        shortcut.connect("activated()", lambda: self.end(keep))
        return shortcut
