"""The held-out patients: each with what the network is shown, what the measured writer says, and planted errors.

A phantom is made and measured once for all three; what was made is kept beside the cases of training.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..imaging.atomic import whole_file
from ..measure.examine import measure
from ..phantom.case import PhantomCase
from ..phantom.errors import planted_errors
from ..progress import finish
from ..report.measurement import Measurement
from ..train.case import Case
from ..train.case_cache import Cached
from ..train.phantom_source import PhantomSource
from .baselines import measured_report
from .judging import Put
from .told import ToldReport, report_from_plain, report_plain

VERSION = 1
"""Counts changes of what is kept of a patient besides the case."""


@dataclass(frozen=True, slots=True, eq=False)
class Patient:
    """A held-out phantom. `errors` are sentences that are false for it, `measured` is the measured writer's report."""

    seed: int
    case: Case
    measured: ToldReport
    errors: tuple[Put, ...]


@dataclass(frozen=True, slots=True)
class Patients:
    """The patients of a source, kept in `folder`."""

    source: PhantomSource
    folder: Path

    def patient(self, number: int) -> Patient:
        """Return a patient from disk, or make it and keep it; what is damaged is made anew."""
        seed = self.source.first + number
        path = self.folder / self.source.name / f"known-{VERSION}" / f"{number:06d}.json"
        cached = Cached(self.source, self.folder)
        try:
            known = json.loads(path.read_text(encoding="utf-8"))
            errors = tuple(Put(*values) for values in known["errors"])
            return Patient(seed, cached.case(number), report_from_plain(known["measured"]), errors)
        except (OSError, ValueError, KeyError, TypeError):
            return self._made(number, path)

    def _made(self, number: int, path: Path) -> Patient:
        seed = self.source.first + number
        phantom = self.source.phantom(number)
        measurements = finish(measure(phantom.volume, phantom.masks))
        case = Cached(_Examined(self.source, phantom, measurements), self.folder).case(number)
        measured = measured_report(phantom, measurements)
        planted = planted_errors(phantom, np.random.default_rng([seed, 4]))
        errors = tuple(Put(e.error.value, e.sentence.region_id, e.sentence.text) for e in planted)
        known: dict[str, Any] = {
            "measured": report_plain(measured),
            "errors": [[put.kind, put.region_id, put.text] for put in errors],
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            file.write(json.dumps(known).encode())
        return Patient(seed, case, measured, errors)


@dataclass(frozen=True, slots=True, eq=False)
class _Examined:
    """A source that knows the phantom of the case that is asked of it."""

    source: PhantomSource
    phantom: PhantomCase
    measurements: tuple[Measurement, ...]

    @property
    def name(self) -> str:
        return self.source.name

    def __len__(self) -> int:
        return len(self.source)

    def case(self, number: int) -> Case:
        return self.source.case_of(number, self.phantom, self.measurements)
