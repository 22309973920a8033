"""How many of the machine's cores this process may use."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """Return how many cores this process may use: fewer than there are where it is bound to some of them."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def threads() -> int:
    """Return how many threads a library may use that has to be told: `OMP_NUM_THREADS` if it is set, else a core each.

    Those that do not have to be told follow the same variable, so one setting rules all.
    """
    told = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(told) if told.isdecimal() and int(told) else usable_cores()
