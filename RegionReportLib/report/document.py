"""The report: all sentences about one scan, the places and measurements they rest on, and its state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

from ..anatomy import regions as anatomy
from ..anatomy.regions import Coverage
from ..imaging.grid import Grid
from ..imaging.volume import DicomSource
from .measurement import Measurement
from .place import Place
from .sentence import Flag, Sentence

SCHEMA = "regionreport.report/1"


class Status(str, Enum):
    """The state of a report; a signed one is locked."""

    DRAFT = "draft"
    SIGNED = "signed"


@dataclass(frozen=True, slots=True)
class Study:
    """The scan that is reported: file, SHA-256 of its content, grid, DICOM identifiers if it came from DICOM.

    `prior` tells that an earlier examination is loaded, so that comparisons can be true.
    """

    path: str
    digest: str
    grid: Grid
    dicom: DicomSource | None = None
    prior: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed, when (ISO 8601 with zone), and the SHA-256 of the canonical JSON of what was signed.

    `trail_sha256` and `trail_length` are the head and the number of entries of the audit trail at that moment, so
    that a trail cut short is noticed; empty and 0 where there is none.
    """

    name: str
    signed_at: str
    content_sha256: str
    trail_sha256: str = ""
    trail_length: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report, immutable.

    `coverage` holds one entry per region. `places` are computed once from the masks, so that no later step needs
    them. `notes` are what the reader must know about the whole draft. `predecessor` is the id of the signed report
    that this one amends. `flags` are contradictions that no sentence carries, such as a region without a sentence.
    Raises ValueError for doubled ids, sentences that cite unknown measurements, or a status
    that does not fit the signature.
    """

    id: str
    study: Study
    coverage: dict[str, Coverage]
    coverage_notes: dict[str, str]
    places: tuple[Place, ...]
    measurements: tuple[Measurement, ...]
    sentences: tuple[Sentence, ...]
    writer: str
    segmenter: str
    created_at: str
    notes: tuple[str, ...] = ()
    status: Status = Status.DRAFT
    signature: Signature | None = None
    predecessor: str | None = None
    flags: tuple[Flag, ...] = ()

    def __post_init__(self) -> None:
        if set(self.coverage) != set(anatomy.REGION_IDS):
            raise ValueError(f"coverage must name each of {anatomy.REGION_IDS}, got {sorted(self.coverage)}")
        _refuse_doubles("sentence", (s.id for s in self.sentences))
        _refuse_doubles("measurement", (m.id for m in self.measurements))
        known = {m.id for m in self.measurements}
        for sentence in self.sentences:
            unknown = set(sentence.evidence) - known
            if unknown:
                raise ValueError(f"sentence {sentence.id} cites unknown measurements {sorted(unknown)}")
        if (self.status is Status.SIGNED) != (self.signature is not None):
            raise ValueError(f"a report is signed exactly if it has a signature, got status {self.status.value}")

    def sentence(self, sentence_id: str) -> Sentence:
        """Return a sentence by its id; KeyError if there is none."""
        for sentence in self.sentences:
            if sentence.id == sentence_id:
                return sentence
        raise KeyError(sentence_id)

    def measurement(self, measurement_id: str) -> Measurement:
        """Return a measurement by its id; KeyError if there is none."""
        for measurement in self.measurements:
            if measurement.id == measurement_id:
                return measurement
        raise KeyError(measurement_id)

    def by_region(self) -> list[tuple[anatomy.Region | None, tuple[Sentence, ...]]]:
        """Return the sentences grouped by their first region in report order; None collects those without a region."""
        groups: list[tuple[anatomy.Region | None, tuple[Sentence, ...]]] = [
            (region, tuple(s for s in self.sentences if s.regions[:1] == (region.id,))) for region in anatomy.regions()
        ]
        homeless = tuple(s for s in self.sentences if not s.regions)
        return [*groups, (None, homeless)] if homeless else groups

    def with_sentences(self, sentences: Iterable[Sentence]) -> Report:
        """Return the same report with other sentences."""
        return replace(self, sentences=tuple(sentences))


def _refuse_doubles(what: str, ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            raise ValueError(f"{what} id {one!r} occurs twice")
        seen.add(one)
