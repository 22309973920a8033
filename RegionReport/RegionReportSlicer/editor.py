"""The field below the sentences in which words are changed; it has a fixed place, so nothing moves under the hand."""

import qt


class Editor:
    """Edits one text at a time: `start(text, done)`; Ctrl+Enter keeps it, Esc leaves it."""

    def __init__(self, field, busy):
        self._field = field
        self._busy = busy
        self._done = None
        # Held here: a shortcut dies with its last Python reference.
        self._keep = self._key("Ctrl+Return", lambda: self.end(True))
        self._leave = self._key("Esc", lambda: self.end(False))

    @property
    def open(self):
        """Tell whether something is being edited."""
        return self._done is not None

    @property
    def cursor(self):
        """The character that the cursor stands before."""
        return self._field.textCursor().position()

    def start(self, text, done):
        """Edit `text`; `done(words)` is called when it is kept and not empty."""
        self._done = done
        self._busy(True)
        self._field.enabled = True
        self._field.plainText = text
        self._field.setFocus()

    def end(self, keep):
        """Close the field and keep or leave its words."""
        if self._done is None:
            return
        done, self._done = self._done, None
        words = self._field.plainText.strip()
        self._field.plainText = ""
        self._field.enabled = False
        self._busy(False)
        if keep and words:
            done(words)

    def _key(self, key, act):
        shortcut = qt.QShortcut(qt.QKeySequence(key), self._field)
        shortcut.setContext(qt.Qt.WidgetShortcut)
        shortcut.connect("activated()", act)
        return shortcut
