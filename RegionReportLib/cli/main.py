"""The command line: reads arguments, runs one command, and turns what happens into an exit code.

0 done · 2 wrong usage · 3 input refused · 4 something needed is missing · 5 cancelled. Errors are one line on
standard error, a traceback only with --debug.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from types import FrameType

from .. import errors
from .arguments import parser

_EXIT_CODES: tuple[tuple[type[BaseException], int], ...] = (
    (errors.InputRefused, 3),
    (errors.Conflict, 3),
    (errors.NeedMissing, 4),
    (errors.Cancelled, 5),
    (KeyboardInterrupt, 5),
    (MemoryError, 4),
    (OSError, 3),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = parser().parse_args(argv)
    _cancel_on_terminate()
    try:
        arguments.run(arguments)
    except BrokenPipeError:
        # The reader of our output (head, less) went away: not an error of ours.
        sys.stderr.close()
        return 0
    except BaseException as error:
        code = next((code for kind, code in _EXIT_CODES if isinstance(error, kind)), None)
        if code is None or arguments.debug:
            if isinstance(error, SystemExit) or arguments.debug:
                raise
            print(f"regionreport: error: {_one_line(error)} (this is a defect; --debug shows where)", file=sys.stderr)
            return 1
        print(f"regionreport: error: {_one_line(error)}", file=sys.stderr)
        return code
    return 0


def _one_line(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt | errors.Cancelled):
        return str(error) or "cancelled; nothing was written"
    if isinstance(error, MemoryError):
        return "not enough memory for this step"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return " ".join(str(error).split()) or type(error).__name__


def _cancel_on_terminate() -> None:
    """Let a polite kill cancel like Ctrl-C does, so that nothing half-written stays behind."""

    def cancel(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, cancel)


if __name__ == "__main__":
    sys.exit(main())
