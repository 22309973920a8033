"""True sentences about a phantom: what is there, with place and size, and what is not there.

They are exact because the patient is known. Each knows its region and makes claims, and a claim knows its lesions.
How sentences make a report is `reports`' matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..anatomy.regions import Side
from ..report.sentence import Polarity
from .grammar import expand, listed, one_of, tidy
from .kinds import FindingKind
from .lesions import Lesion
from .phrases import phrase_table
from .words import Claim, Company, Words

K = FindingKind
# Below this size (in the unit of the size; mL of what is planted in mL) a reader would often hedge.
_SUBTLE: dict[FindingKind, float] = {
    K.NODULE: 6,
    K.GROUND_GLASS: 40,
    K.CONSOLIDATION: 25,
    K.LYMPHADENOPATHY: 13,
    K.BRONCHIECTASIS: 5.5,
    K.SEPTAL: 1.1,
    K.PERIBRONCHIAL: 1.9,
    K.EFFUSION: 60,
    K.PERICARDIAL_EFFUSION: 7,
    K.CORONARY_CALCIUM: 60,
    K.MOSAIC: 20,
    K.FIBROSIS: 26,
}
_HEDGE_SUBTLE, _HEDGE_PLAIN = 0.3, 0.03


@dataclass(frozen=True, slots=True)
class TrueSentence:
    """A sentence that holds for the patient: what it claims, none for background such as "trachea midline".

    `part` is the region's name in RadGenome-Chest CT. `polarity` is that of the first claim; background that says
    something normal is ABSENT, a note on what the scan does not show UNCERTAIN.
    """

    text: str
    region_id: str
    polarity: Polarity
    claims: tuple[Claim, ...] = ()
    part: str = ""

    @property
    def kind(self) -> FindingKind | None:
        """The finding of the first claim, None for background."""
        return self.claims[0].kind if self.claims else None

    @property
    def side(self) -> Side | None:
        """The side that the first claim names, None if it names none or both."""
        sides = self.claims[0].sides if self.claims else ()
        return sides[0] if len(sides) == 1 else None

    @property
    def lesions(self) -> tuple[int, ...]:
        """The numbers of all lesions that the sentence tells of."""
        return tuple(dict.fromkeys(number for claim in self.claims for number in claim.lesions))

    def to_dict(self) -> dict[str, Any]:
        """Return the sentence as plain JSON values."""
        return {
            "text": self.text,
            "region": self.region_id,
            "part": self.part or None,
            "polarity": self.polarity.value,
            "kind": self.kind.value if self.kind else None,
            "side": self.side.value if self.side else None,
            "lesions": list(self.lesions),
            "claims": [claim_dict(claim) for claim in self.claims],
        }


def claim_dict(claim: Claim) -> dict[str, Any]:
    """Return a claim as plain JSON values."""
    return {
        "kind": claim.kind.value,
        "polarity": claim.polarity.value,
        "sides": [side.value for side in claim.sides],
        "zone": claim.zone.value if claim.zone else None,
        "lobe": claim.lobe or None,
        "size_mm": claim.size_mm,
        "volume_ml": claim.volume_ml,
        "lesions": list(claim.lesions),
    }


def tell(lesion: Lesion, rng: np.random.Generator) -> TrueSentence:
    """Return a sentence about one lesion; a subtle one is sometimes hedged."""
    p = lesion.planted
    phrases = phrase_table().findings[p.kind]
    value = lesion.volume_ml if p.unit == "mL" else p.size
    hedge = rng.random() < (_HEDGE_SUBTLE if value < _SUBTLE.get(p.kind, -np.inf) else _HEDGE_PLAIN)
    if hedge and phrases.hedged and p.variety != "linear":
        return _said(phrases.hedged, (lesion,), rng, Polarity.UNCERTAIN)
    return _said(phrases.special.get(p.variety, phrases.present), (lesion,), rng)


def tell_together(lesions: Sequence[Lesion], rng: np.random.Generator) -> tuple[TrueSentence, ...]:
    """Return sentences about all lesions of one kind, sometimes one for all of them."""
    phrases = phrase_table().findings[lesions[0].planted.kind]
    together = len(lesions) > 1 and rng.random() < 0.4
    kind = lesions[0].planted.kind
    if together and kind is K.NODULE and len({x.planted.variety for x in lesions}) == 1:
        first = max(lesions, key=lambda x: x.planted.size)
        ordered = (first, *(x for x in lesions if x is not first))
        return (_said(phrases.special["many"], ordered, rng),)
    if together and kind is K.EFFUSION and len({x.planted.side for x in lesions}) == 2:
        return (_both_sides(lesions, phrases.special["both"], rng),)
    return tuple(tell(lesion, rng) for lesion in lesions)


def _said(
    forms: Sequence[str],
    lesions: Sequence[Lesion],
    rng: np.random.Generator,
    polarity: Polarity = Polarity.PRESENT,
) -> TrueSentence:
    """Fill one of the forms with the words for the first lesion; it tells of all of them."""
    first = lesions[0].planted
    words = Words(lesions[0], rng, Company(len(lesions)))
    text = tidy(expand(one_of(forms, rng), rng).format_map(words))
    claim = words.claim(polarity, tuple(x.planted.number for x in lesions))
    return TrueSentence(text, first.region_id, polarity, (claim,), part_of(first.kind, first.region_id))


def _both_sides(lesions: Sequence[Lesion], forms: Sequence[str], rng: np.random.Generator) -> TrueSentence:
    larger = max(lesions, key=lambda x: x.volume_ml)
    words = Words(larger, rng, Company(len(lesions), larger.planted.side))
    text = tidy(expand(one_of(forms, rng), rng).format_map(words))
    numbers = tuple(x.planted.number for x in lesions)
    claim = Claim(K.EFFUSION, Polarity.PRESENT, tuple(Side), lesions=numbers)
    return TrueSentence(text, "lungs", Polarity.PRESENT, (claim,), "pleura")


def part_of(kind: FindingKind, region_id: str) -> str:
    """Return the RadGenome region of a finding; material belongs to where it is."""
    phrases = phrase_table().findings[kind]
    return phrases.part if region_id == phrases.region_id else {"bones": "bone"}.get(region_id, phrases.part)


def deny(kinds: Sequence[FindingKind], rng: np.random.Generator, *, plain: bool = False) -> TrueSentence:
    """Return a sentence that denies all of the kinds, which belong to one region.

    A `plain` one denies each kind as a whole, where others may deny a part of it ("no lytic lesion").
    """
    table = phrase_table()
    first = table.findings[kinds[0]]
    if len(kinds) == 1 and not plain and rng.random() < 0.8:
        text = expand(one_of(first.absent, rng), rng)
    else:
        nouns = [one_of(table.findings[kind].nouns, rng) for kind in kinds]
        if len(kinds) == 2 and rng.random() < 0.2:
            text = expand(one_of(table.pairs, rng), rng).format(a=nouns[0], b=nouns[1])
        else:
            text = expand(one_of(table.lists, rng), rng).format(list=listed(nouns))
    claims = tuple(Claim(kind, Polarity.ABSENT) for kind in kinds)
    return TrueSentence(tidy(text), first.region_id, Polarity.ABSENT, claims, first.part)


def with_tail(sentence: TrueSentence, kinds: Sequence[FindingKind], rng: np.random.Generator) -> TrueSentence:
    """Return the sentence with a denial of other kinds at its end."""
    table = phrase_table()
    nouns = listed([one_of(table.findings[kind].nouns, rng) for kind in kinds])
    text = sentence.text.removesuffix(".") + expand(one_of(table.tails, rng), rng).format(list=nouns)
    claims = (*sentence.claims, *(Claim(kind, Polarity.ABSENT) for kind in kinds))
    return TrueSentence(tidy(text), sentence.region_id, sentence.polarity, claims, sentence.part)
