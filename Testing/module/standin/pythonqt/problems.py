"""What went wrong where nobody could catch it: in slots, virtual functions and timers. A test fails if any is left."""

from __future__ import annotations

import sys
import traceback
from types import TracebackType

PROBLEMS: list[str] = []


def record(error: BaseException) -> None:
    """Keep an exception that PythonQt would print and drop."""
    text = "".join(traceback.format_exception(error))
    PROBLEMS.append(text)
    sys.__stderr__.write(text) if sys.__stderr__ else None


def take() -> list[str]:
    """Return the problems so far and forget them."""
    found = PROBLEMS[:]
    PROBLEMS.clear()
    return found


def _hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    record(error.with_traceback(trace))


def listen() -> None:
    """Hear of exceptions that PySide6 reports past Python: in overridden virtual functions and single shots."""
    sys.excepthook = _hook
    sys.unraisablehook = lambda unraisable: record(unraisable.exc_value or RuntimeError(str(unraisable.err_msg)))
