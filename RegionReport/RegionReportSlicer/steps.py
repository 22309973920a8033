"""Runs long work of the library between the events of the application, so that the interface stays responsive."""

import logging
import time

import qt

from RegionReportLib.errors import RegionReportError
from RegionReportLib.worker.doing import Waiting

# A click must not wait longer than a tenth of a second; a fifth of that leaves room for the step that overruns.
_BUDGET_S = 0.02
_PAUSE_MS = 20


class Steps:
    """One work in progress: `watch(progress)` while it runs, then `done(result)` or `failed(message, error)` once."""

    def __init__(self, work, watch, done, failed):
        self._work = work
        self._watch = watch
        self._done = done
        self._failed = failed
        self.started = time.monotonic()
        # Held here: a timer dies with its last Python reference.
        self._timer = qt.QTimer()
        self._timer.setInterval(_PAUSE_MS)
        self._timer.connect("timeout()", self._tick)
        self._timer.start()

    @property
    def running(self):
        """Tell whether there is still something to do."""
        return self._work is not None

    def cancel(self):
        """End the work now; what it has begun is taken back, and nobody is called any more."""
        self._timer.stop()
        work, self._work = self._work, None
        if work is not None:
            work.close()

    def _tick(self):
        end = time.monotonic() + _BUDGET_S
        progress = None
        try:
            while self._work is not None and time.monotonic() < end and not isinstance(progress, Waiting):
                progress = next(self._work)
        except StopIteration as stop:
            self._end()
            self._done(stop.value)
            return
        except RegionReportError as error:
            self._end()
            self._failed(str(error), error)
            return
        except Exception as error:  # the event loop would swallow it
            logging.exception("RegionReport: an error of the program")
            self._end()
            self._failed(f"an error of the program, see the log: {error}", error)
            return
        if progress is not None:
            self._watch(progress)

    def _end(self):
        self._timer.stop()
        self._work = None
