"""Wrong sentences of a known kind about a phantom, to try whether a support score tells them from true ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from ..anatomy.regions import Coverage, Side, Zone
from ..imaging.box import Box
from .case import PhantomCase
from .grammar import one_of
from .kinds import SIDED, SIZES, VARIETIES, ZONED, FindingKind
from .lesions import ZONES, Lesion, Planted
from .other_findings import NODE_SITES
from .phrases import phrase_table
from .wording import TrueSentence, deny, tell
from .words import Claim

K = FindingKind


class ErrorKind(str, Enum):
    """What is wrong with a sentence."""

    SIDE = "side"
    PLACE = "place"
    SIZE = "size"
    ADDED = "added"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class WrongSentence:
    """A sentence that is false for the patient, its claims as said; `original` is the true one that it was made from.

    The claims name no lesions, except a denied one, which names those that it denies.
    """

    sentence: TrueSentence
    error: ErrorKind
    original: TrueSentence | None = None


def planted_errors(case: PhantomCase, rng: np.random.Generator) -> tuple[WrongSentence, ...]:
    """Return one wrong sentence of each kind for each true sentence that allows it, and as many added findings.

    A wrong sentence is never true by chance: a side, zone or size is changed only to one that no lesion of the same
    finding has, and only findings are added that the patient does not have and the scan would show.
    """
    out: list[WrongSentence] = []
    for sentence in case.sentences:
        if len(sentence.claims) == 1 and sentence.claims[0].lesions:
            for change in _CHANGES:
                wrong = change(case, sentence, rng)
                if wrong is not None:
                    out.append(wrong)
    free = [kind for kind, phrases in phrase_table().findings.items() if _can_be_added(case, kind, phrases.region_id)]
    wanted = max(1, sum(1 for w in out if w.error is ErrorKind.DENIED))
    for n in rng.permutation(len(free))[:wanted]:
        said = tell(_imagined(free[int(n)], rng), rng)
        claims = tuple(replace(claim, lesions=()) for claim in said.claims)
        out.append(WrongSentence(replace(said, claims=claims), ErrorKind.ADDED))
    return tuple(out)


def _same_kind(case: PhantomCase, claim: Claim) -> list[Planted]:
    return [x.planted for x in case.lesions if x.planted.kind is claim.kind]


def _wrong(sentence: TrueSentence, text: str, error: ErrorKind, **said: object) -> WrongSentence:
    claim = replace(sentence.claims[0], lesions=(), **said)  # type: ignore[arg-type]
    return WrongSentence(replace(sentence, text=text, claims=(claim,)), error, sentence)


def _other_side(case: PhantomCase, sentence: TrueSentence, rng: np.random.Generator) -> WrongSentence | None:
    (claim,) = sentence.claims
    there = {p.side for p in _same_kind(case, claim)}
    if claim.kind not in SIDED or len(claim.sides) != 1 or claim.lobe == "middle" or there != {claim.sides[0]}:
        return None
    mirror = {"right": "left", "left": "right", "Right": "Left", "Left": "Right"}
    text = re.sub(r"\b(right|left)\b", lambda m: mirror[m[1]], sentence.text, flags=re.IGNORECASE)
    return _wrong(sentence, text, ErrorKind.SIDE, sides=(Side(mirror[claim.sides[0].value]),))


def _other_place(case: PhantomCase, sentence: TrueSentence, rng: np.random.Generator) -> WrongSentence | None:
    (claim,) = sentence.claims
    swap = {"upper": "lower", "lower": "upper"}
    said = claim.lobe or (claim.zone.value if claim.zone else "")
    if claim.kind not in ZONED or said not in swap:
        return None
    on_side = [p for p in _same_kind(case, claim) if p.side in claim.sides]
    if any(swap[said] in (p.lobe, p.zone.value if p.zone else "") or p.zone is Zone.MIDDLE for p in on_side):
        return None
    text = re.sub(rf"\b{said}\b", swap[said], sentence.text, flags=re.IGNORECASE)
    text = text[:1].upper() + text[1:]
    if claim.lobe:
        return _wrong(sentence, text, ErrorKind.PLACE, lobe=swap[said])
    return _wrong(sentence, text, ErrorKind.PLACE, zone=Zone(swap[said]))


def _other_size(case: PhantomCase, sentence: TrueSentence, rng: np.random.Generator) -> WrongSentence | None:
    (claim,) = sentence.claims
    if claim.size_mm is None:
        return None
    size = max(1, round(claim.size_mm * float(rng.choice([0.4, 0.5, 2.0, 2.6]))))
    if any(abs(size - p.size) < 0.4 * p.size for p in _same_kind(case, claim)):
        return None
    text = re.sub(r"\d+(\.\d+)? (mm|cm)\b", f"{size} mm", sentence.text, count=1)
    return _wrong(sentence, text, ErrorKind.SIZE, size_mm=float(size))


def _denied(case: PhantomCase, sentence: TrueSentence, rng: np.random.Generator) -> WrongSentence | None:
    (claim,) = sentence.claims
    false = deny((claim.kind,), rng, plain=True)
    region = sentence.region_id
    claims = (replace(false.claims[0], lesions=claim.lesions),)
    return WrongSentence(replace(false, region_id=region, claims=claims), ErrorKind.DENIED, sentence)


_CHANGES: tuple[Callable[[PhantomCase, TrueSentence, np.random.Generator], WrongSentence | None], ...] = (
    _other_side,
    _other_place,
    _other_size,
    _denied,
)


def _can_be_added(case: PhantomCase, kind: FindingKind, region_id: str) -> bool:
    if kind in case.planted:
        return False
    if region_id == "upper_abdomen":
        return bool(case.masks.structure("liver").any())
    return case.masks.coverage[region_id] is Coverage.COMPLETE


def _imagined(kind: FindingKind, rng: np.random.Generator) -> Lesion:
    """Return a lesion that is nowhere, to be told of."""
    unit, low, high = SIZES[kind]
    # The middle of the range by its logarithm, because small findings are the more frequent ones.
    size = float(np.exp(rng.uniform(np.log(max(low, 0.5)), np.log(max(high * 0.6, low + 0.01)))))
    side = one_of(tuple(Side), rng) if kind in SIDED else None
    zone = one_of(ZONES, rng) if kind in ZONED else None
    variety = one_of(VARIETIES.get(kind, ("",)), rng)
    if variety in ("linear", "wires"):  # whose size or region is another
        variety = VARIETIES[kind][0]
    lobe = _lobe(kind, side, zone, rng)
    phrases = phrase_table().findings[kind]
    planted = Planted(0, kind, phrases.region_id, None, size, unit, None, side, zone, lobe, variety)
    nowhere = Box((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    nothing = slice(0, 1)
    volume = size if unit == "mL" else 1.0
    mask = np.zeros((1, 1, 1), dtype=bool)
    return Lesion(planted, (nothing, nothing, nothing), mask, nowhere, (0.0, 0.0, 0.0), volume, (nowhere,))


def _lobe(kind: FindingKind, side: Side | None, zone: Zone | None, rng: np.random.Generator) -> str:
    if kind is K.LYMPHADENOPATHY:
        return one_of(tuple(NODE_SITES), rng)
    if kind is K.BONE_LESION:
        return f"T{int(rng.integers(3, 13))}"
    if kind is K.LIVER_CYST:
        return one_of(("right", "left"), rng)
    if zone is None:
        return ""
    if zone is Zone.MIDDLE and side is Side.LEFT:
        return "upper"
    return zone.value
