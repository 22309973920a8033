"""The true report of a phantom: which sentences are said, in which order, region by region.

A report has a temper, terse or wordy, that decides how much of the normal is said; what is not said is not mentioned,
and never false. Lengths follow those of RadGenome-Chest CT (about 50 words for lungs, 40 for mediastinum and abdomen).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..anatomy import regions as anatomy
from ..anatomy.regions import REGION_IDS, Coverage
from ..imaging.box import Box
from ..imaging.masks import RegionMasks
from ..report.measurement import Measurement
from ..report.sentence import Polarity
from .grammar import expand, tidy
from .kinds import FindingKind
from .lesions import Lesion
from .phrases import Background, phrase_table
from .wording import TrueSentence, deny, tell_together, with_tail
from .words import Claim

# What speaks of the rest comes last.
_REST = re.compile(r"\b(?:otherwise|remaining)\b")
_BACKGROUND = {"lungs": 2, "airways": 2, "mediastinum": 4, "heart_great_vessels": 2, "bones": 2, "upper_abdomen": 5}


@dataclass(frozen=True, slots=True)
class RegionText:
    """The paragraph of one region (or of one RadGenome region): its sentences in order."""

    region_id: str
    sentences: tuple[TrueSentence, ...]

    @property
    def text(self) -> str:
        """The sentences joined by blanks, empty if there are none."""
        return " ".join(sentence.text for sentence in self.sentences)


@dataclass(frozen=True, slots=True, eq=False)
class Patient:
    """What a report is written from: the lesions seen, all kinds planted (seen or not), masks and true numbers."""

    lesions: tuple[Lesion, ...]
    planted: frozenset[FindingKind]
    masks: RegionMasks
    truth: tuple[Measurement, ...]
    enhanced: bool

    def value(self, quantity: str) -> float | None:
        """Return a true number, None where the patient has none."""
        return next((m.value for m in self.truth if m.quantity == quantity), None)


def true_sentences(patient: Patient, rng: np.random.Generator) -> tuple[TrueSentence, ...]:
    """Return the sentences of a report, region by region in report order.

    An absence is said only where the region is wholly in the scan (of the abdomen: where the liver is seen), and
    never of a kind that the patient has, in the scan or outside it.
    """
    wordy = float(rng.uniform(0.35, 1.0))
    out: list[TrueSentence] = []
    for region_id in REGION_IDS:
        out += _region(patient, region_id, wordy, rng)
    return tuple(out)


def region_texts(sentences: Iterable[TrueSentence]) -> dict[str, RegionText]:
    """Return the six paragraphs of a report by region id, in report order."""
    said = tuple(sentences)
    return {r: RegionText(r, tuple(s for s in said if s.region_id == r)) for r in REGION_IDS}


def radgenome_texts(sentences: Iterable[TrueSentence]) -> dict[str, RegionText]:
    """Return the paragraphs by RadGenome-Chest CT region; those with no sentence are left out."""
    said = tuple(sentences)
    names = sorted({s.part for s in said if s.part})
    return {name: RegionText(name, tuple(s for s in said if s.part == name)) for name in names}


def boxes_of(sentence: TrueSentence, lesions: Iterable[Lesion]) -> tuple[Box, ...]:
    """Return the true boxes in RAS mm of what a sentence tells of, one per lesion and side; none for an absence."""
    numbers = sentence.lesions
    return tuple(box for lesion in lesions if lesion.planted.number in numbers for box in lesion.boxes)


def _region(patient: Patient, region_id: str, wordy: float, rng: np.random.Generator) -> list[TrueSentence]:
    coverage = patient.masks.coverage[region_id]
    if coverage is Coverage.ABSENT:
        return [_not_shown(region_id, "not included in the scan")]
    present = _present(patient, region_id, rng)
    whole = coverage is Coverage.COMPLETE
    if region_id == "upper_abdomen":
        whole = bool(patient.masks.structure("liver").any())
    if not whole:
        note = patient.masks.coverage_notes.get(region_id, "")
        return [*present, _not_shown(region_id, f"only partly included ({note})" if note else "only partly included")]
    background, denied = _background(patient, region_id, wordy, rng)
    rest = [s for s in background if _REST.search(s.text)]
    background = [s for s in background if s not in rest]
    free = [k for k, p in phrase_table().findings.items() if p.region_id == region_id and k not in patient.planted]
    kept = [kind for kind in free if kind not in denied and rng.random() < 0.25 + 0.55 * wordy]
    absent = _absences(kept, present, rng)
    order = rng.random()
    if order < 0.7:
        return [*present, *absent, *background, *rest]
    return [*background, *present, *absent, *rest] if order < 0.9 else [*absent, *background, *present, *rest]


def _present(patient: Patient, region_id: str, rng: np.random.Generator) -> list[TrueSentence]:
    by_kind: dict[FindingKind, list[Lesion]] = {}
    for lesion in patient.lesions:
        if lesion.planted.region_id == region_id:
            by_kind.setdefault(lesion.planted.kind, []).append(lesion)
    groups = list(by_kind.values())
    return [s for n in rng.permutation(len(groups)) for s in tell_together(groups[int(n)], rng)]


def _absences(
    kinds: Sequence[FindingKind], present: list[TrueSentence], rng: np.random.Generator
) -> list[TrueSentence]:
    """Return denials of the kinds, some of them in lists of up to three; one may end up as the tail of a finding."""
    by_part: dict[str, list[FindingKind]] = {}
    for kind in kinds:
        by_part.setdefault(phrase_table().findings[kind].part, []).append(kind)
    out = []
    for part, group in by_part.items():
        rest = [group[int(n)] for n in rng.permutation(len(group))]
        hosts = [n for n, s in enumerate(present) if s.part == part and len(s.claims) == 1]
        if hosts and rest and rng.random() < 0.25:
            host = hosts[int(rng.integers(len(hosts)))]
            present[host] = with_tail(present[host], (rest.pop(),), rng)
        while rest:
            count = int(rng.choice([1, 2, 3], p=[0.45, 0.35, 0.2]))
            out.append(deny(rest[:count], rng))
            rest = rest[count:]
    return [out[int(n)] for n in rng.permutation(len(out))]


def _background(
    patient: Patient, region_id: str, wordy: float, rng: np.random.Generator
) -> tuple[list[TrueSentence], set[FindingKind]]:
    """Return normal statements that hold, and the kinds that they deny; at most one of them denies any."""
    rows = [row for row in phrase_table().background[region_id] if _holds(row, patient)]
    wanted = round(wordy * _BACKGROUND[region_id] + float(rng.uniform(-0.4, 0.6)))
    wanted = max(wanted, 1 if region_id == "airways" else 0)
    out: list[TrueSentence] = []
    denied: set[FindingKind] = set()
    for n in rng.permutation(len(rows)):
        row = rows[int(n)]
        if len(out) == wanted or (row.denies and denied):
            continue
        denied |= set(row.denies)
        text = expand(row.text, rng).format(**_numbers(patient))
        claims = tuple(Claim(kind, Polarity.ABSENT) for kind in row.denies)
        out.append(TrueSentence(tidy(text), region_id, Polarity.ABSENT, claims, row.part))
    return out, denied


def _numbers(patient: Patient) -> dict[str, str]:
    """Return the true numbers that normal statements quote."""
    forms = {
        "trachea": ("transverse_diameter", "{:.0f} mm"),
        "ctr": ("cardiothoracic_ratio", "{:.2f}"),
        "trabecular": ("trabecular_density", "{:.0f} HU"),
        "liver": ("liver_density", "{:.0f} HU"),
    }
    return {name: form.format(patient.value(quantity)) for name, (quantity, form) in forms.items()}


def _holds(row: Background, patient: Patient) -> bool:
    if set(row.denies) & patient.planted:
        return False
    table = phrase_table().findings
    found = any(table[kind].part == row.part for kind in patient.planted)
    return {
        "": True,
        "findings": found,
        "clean": not found,
        "plain": not patient.enhanced,
        "contrast": patient.enhanced,
        "no material": FindingKind.MEDICAL_MATERIAL not in patient.planted,
        "no hernia": FindingKind.HIATAL_HERNIA not in patient.planted,
    }[row.condition]


def _not_shown(region_id: str, how: str) -> TrueSentence:
    name = anatomy.region(region_id).name
    verb = "are" if name.endswith("s") else "is"
    return TrueSentence(tidy(f"The {name[:1].lower()}{name[1:]} {verb} {how}"), region_id, Polarity.UNCERTAIN)
