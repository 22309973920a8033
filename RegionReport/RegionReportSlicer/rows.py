"""The list of sentences on the screen: rich text in a browser that stays where it is while rows change."""

import qt

from .sentences import DARK, LIGHT

# One row, roughly: a chosen sentence whose row begins lower than this above the edge is scrolled into view.
_ROW_PX = 60


class Rows:
    """Shows rich text in `browser`."""

    def __init__(self, browser):
        self._browser = browser

    def show(self, rows, chosen="", to_end=False):
        """Show what `rows(palette)` writes; the row with anchor `chosen` or the end comes into view."""
        browser = self._browser
        bar = browser.verticalScrollBar()
        before = bar.value
        dark = browser.palette.color(qt.QPalette.Base).lightness() < 128
        browser.setHtml(rows(DARK if dark else LIGHT))
        if to_end:
            before = bar.maximum
        elif chosen:
            browser.scrollToAnchor(chosen)
            top, height = bar.value, browser.viewport().height
            # Nothing moves under the hand while the chosen row is in view already.
            before = before if before <= top <= before + height - _ROW_PX else max(0, top - height // 3)
        bar.setValue(before)
