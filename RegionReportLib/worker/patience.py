"""How long the client has waited for what the worker owes: a hello, a sign of life, progress, an end.

Time in which the viewer itself stood still (a modal window, a suspended machine) is not the worker's.
"""

from __future__ import annotations

from collections.abc import Callable

from .messages import ErrorKind, Timeouts

# Longest time between two looks that counts as waiting. More than that, nobody was looking.
_STEP_S = 1.0
# What a dead process wrote is in the pipe; a descendant may hold the pipe open for ever.
_LAST_WORDS_S = 0.5


class Patience:
    """Seconds of silence, of standstill, since the request to stop and since the death, counted by `tick`."""

    def __init__(self, timeouts: Timeouts, clock: Callable[[], float]) -> None:
        self._timeouts = timeouts
        self._clock = clock
        self._looked_at = clock()
        self.start()

    def start(self) -> None:
        """Begin to wait for a new job."""
        self._looked_at = self._clock()
        self._silent_s = self._still_s = self._dead_s = 0.0
        self._stopping_s: float | None = None
        self._stall_told = False

    def tick(self) -> None:
        """Count the time since the last look."""
        now = self._clock()
        passed_s, self._looked_at = min(now - self._looked_at, _STEP_S), now
        self._silent_s += passed_s
        self._still_s += passed_s
        if self._stopping_s is not None:
            self._stopping_s += passed_s

    def heard(self) -> None:
        """Note a sign of life."""
        self._silent_s = 0.0

    def advanced(self) -> None:
        """Note that the work goes on."""
        self._still_s, self._stall_told = 0.0, False

    def stop(self) -> None:
        """Note that the worker was asked to stop; a second request does not begin anew."""
        self._stopping_s = self._stopping_s or 0.0

    @property
    def stopping(self) -> bool:
        """Tell whether the worker was asked to stop."""
        return self._stopping_s is not None

    def enough_of_the_dead(self) -> bool:
        """Tell whether a dead worker's last words have had time to come; called once per look."""
        self._dead_s += max(self._clock() - self._looked_at, 0.01)
        return self._dead_s > _LAST_WORDS_S

    def stalled_s(self) -> float | None:
        """Return how long the work has stood still, once per standstill that is too long; None otherwise."""
        if self._still_s <= self._timeouts.stalled_s or self._stall_told or self.stopping:
            return None
        self._stall_told = True
        return round(self._still_s, 1)

    def overdue(self, greeted: bool) -> tuple[ErrorKind, str] | None:
        """Return why the worker has to be ended now, None while there is hope."""
        limits = self._timeouts
        if self._stopping_s is not None:
            late = self._stopping_s > limits.cancel_s
            return (ErrorKind.FROZEN, f"the worker did not stop within {limits.cancel_s:g} s") if late else None
        if not greeted and self._silent_s > limits.hello_s:
            return ErrorKind.NOT_STARTED, f"the worker did not say hello within {limits.hello_s:g} s"
        if greeted and self._silent_s > limits.frozen_s:
            return ErrorKind.FROZEN, f"the worker gave no sign of life for {limits.frozen_s:g} s and was ended"
        return None
