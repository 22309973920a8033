"""What the driver of a cohort and its workers say to each other: an order goes out, an outcome comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from ..draft.choose import WriterChoice
from .table import StudyRow


@dataclass(frozen=True, slots=True)
class Settings:
    """What is the same for all studies of a cohort; `created_at` is ISO 8601 with zone, the time of its beginning."""

    created_at: str
    segmenter: str = "classical"
    writer: WriterChoice = field(default_factory=WriterChoice)


@dataclass(frozen=True, slots=True)
class Order:
    """To a worker: draft the study `row` into `folder` (absolute), which is there whole or not at all."""

    row: StudyRow
    folder: str
    settings: Settings


@dataclass(frozen=True, slots=True)
class Done:
    """From a worker: the study is drafted.

    `digest` is that of its content (see `study.digest_of`), `seconds` by stage, `size` in bytes on disk.
    """

    id: str
    digest: str
    seconds: dict[str, float]
    size: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The study could not be drafted: `kind` is refused, missing, memory, files, died, late or defect."""

    id: str
    kind: str
    reason: str


Outcome: TypeAlias = "Done | Failed"
