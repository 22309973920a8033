"""What was written about one held-out patient and what is true of it: values, and their plain form for files.

Everything that scores are made from is here, so scores can be made anew without writing anything again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..anatomy.regions import Side
from ..evaluate.existence import ConfidentBox
from ..imaging.box import Box
from ..report.sentence import Polarity
from ..train.case import CaseSentence, Topic

TRUE = "true"
"""The kind of a claim that holds."""


@dataclass(frozen=True, slots=True)
class ToldSentence:
    """A sentence that was written. `wrong` tells whether it is false for the patient, None where it claims nothing.

    `boxes` are all that the network thought of, unlikely ones too. `support` is its agreement with the image, if asked.
    """

    region_id: str
    text: str
    wrong: bool | None = None
    boxes: tuple[ConfidentBox, ...] = ()
    support: float | None = None


@dataclass(frozen=True, slots=True)
class ToldReport:
    """All that a row wrote; `seconds` are its share of the time of writing, None where no network wrote."""

    sentences: tuple[ToldSentence, ...]
    seconds: float | None = None

    @property
    def texts(self) -> dict[str, str]:
        """The report as one text per region."""
        return texts_of(self.sentences)


@dataclass(frozen=True, slots=True)
class JudgedClaim:
    """A sentence put to the support score: `kind` is `TRUE` or what is wrong with it."""

    kind: str
    score: float


@dataclass(frozen=True, slots=True)
class PatientRecord:
    """One patient: the true report, the judged claims, and the report of each row by its id."""

    seed: int
    truth: tuple[CaseSentence, ...]
    claims: tuple[JudgedClaim, ...]
    reports: dict[str, ToldReport]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; boxes are rounded to 0.1 mm, scores to six digits."""
        return {
            "seed": self.seed,
            "truth": [_truth_plain(s) for s in self.truth],
            "claims": [[c.kind, round(c.score, 6)] for c in self.claims],
            "reports": {row: report_plain(told) for row, told in self.reports.items()},
        }

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> PatientRecord:
        """Return the record of `to_dict`'s values; ValueError, KeyError or TypeError for anything else."""
        return cls(
            int(value["seed"]),
            tuple(_truth(s) for s in value["truth"]),
            tuple(JudgedClaim(str(kind), float(score)) for kind, score in value["claims"]),
            {row: report_from_plain(told) for row, told in value["reports"].items()},
        )


def texts_of(sentences: tuple[CaseSentence, ...] | tuple[ToldSentence, ...]) -> dict[str, str]:
    """Return sentences as one text per region, in the order in which the regions come."""
    out: dict[str, list[str]] = {}
    for sentence in sentences:
        out.setdefault(sentence.region_id, []).append(sentence.text)
    return {region_id: " ".join(texts) for region_id, texts in out.items()}


def report_plain(report: ToldReport) -> dict[str, Any]:
    """Return a report as plain JSON values."""
    return {"seconds": report.seconds, "sentences": [_told_plain(s) for s in report.sentences]}


def report_from_plain(value: dict[str, Any]) -> ToldReport:
    """Return the report of `report_plain`'s values."""
    return ToldReport(tuple(_told(s) for s in value["sentences"]), value["seconds"])


def _truth_plain(sentence: CaseSentence) -> dict[str, Any]:
    return {
        "region": sentence.region_id,
        "text": sentence.text,
        "boxes": [_box_plain(box) for box in sentence.boxes],
        "topics": [[t.kind, t.polarity.value, [s.value for s in t.sides]] for t in sentence.topics],
    }


def _truth(value: dict[str, Any]) -> CaseSentence:
    topics = (Topic(kind, Polarity(polarity), tuple(map(Side, sides))) for kind, polarity, sides in value["topics"])
    return CaseSentence(value["region"], value["text"], tuple(map(_box, value["boxes"])), tuple(topics))


def _told_plain(sentence: ToldSentence) -> dict[str, Any]:
    return {
        "region": sentence.region_id,
        "text": sentence.text,
        "wrong": sentence.wrong,
        "boxes": [[*_box_plain(found.box), round(found.confidence, 6)] for found in sentence.boxes],
        "support": None if sentence.support is None else round(sentence.support, 6),
    }


def _told(value: dict[str, Any]) -> ToldSentence:
    boxes = tuple(ConfidentBox(_box(numbers[:6]), float(numbers[6])) for numbers in value["boxes"])
    return ToldSentence(value["region"], value["text"], value["wrong"], boxes, value["support"])


def _box_plain(box: Box) -> list[float]:
    return [round(x, 1) for x in (*box.min_mm, *box.max_mm)]


def _box(numbers: list[float]) -> Box:
    x0, y0, z0, x1, y1, z1 = numbers
    return Box((x0, y0, z0), (x1, y1, z1))
