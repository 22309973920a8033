"""Keeps None alive: before Python 3.12, each call of PySide6 6.12 that returns nothing takes a reference to it.

After some ten thousand calls the interpreter would end with "deallocating None". Later Pythons never free None.
"""

from __future__ import annotations

import ctypes
import sys

# More than a process can lose, and far below the largest count.
_SPARE = 1 << 40


def spare_none() -> None:
    """Give None references to lose."""
    if sys.implementation.name == "cpython" and sys.version_info < (3, 12):
        ctypes.c_ssize_t.from_address(id(None)).value += _SPARE
