"""Plants errors in reports and prints how many are caught, and what is flagged in reports that nobody touched.

Usage: python Testing/bench/seeded_errors.py REPORTS [--regions FOLDER] [--seed N]
REPORTS holds `*.jsonl` with real reports (keys `findings` or `report`); FOLDER the published `<region>_reports.csv`,
whose reference texts are joined to one report per case. Neither has masks, so places come from hand-made ones; sizes
are planted in drafts written from made-up measurements.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import made_reports as made

from RegionReportLib.evaluate.regions import half_of, read_region_texts
from RegionReportLib.grounding.anchors import ground, suggest
from RegionReportLib.grounding.contradictions import check
from RegionReportLib.grounding.sentences import sentences_of
from RegionReportLib.report.document import Report
from RegionReportLib.report.sentence import FlagKind, Sentence

PER_CLASS = 400
_OTHER_SIDE = {"right": "left", "left": "right"}
_SIDE = re.compile(r"\b(right|left)\b", re.IGNORECASE)
# Dictated by hand, not taken from the lexicon.
COMPARISONS = (
    "unchanged",
    "stable compared with the prior CT",
    "increased since the previous examination",
    "decreased in size since the last scan",
    "regressed in the interval",
    "larger than before",
    "without significant change from the earlier study",
    "newly appeared",
    "no longer as large as on the previous scan",
    "progressive in comparison with the older images",
)
REWORDED = (
    ("observed", "seen"),
    ("detected", "noted"),
    ("is", "was"),
    ("are", "were"),
    ("a", "the"),
    ("nodules", "nodule"),
)


@dataclass(frozen=True, slots=True)
class Seed:
    """One planted error: the report with it and the id of the sentence that holds it."""

    report: Report
    sentence_id: str


def caught(seed: Seed, before: Report, kinds: frozenset[FlagKind]) -> bool:
    """Tell whether the sentence has a flag of these kinds that the report did not have before the seed."""
    known = {flag.key for s in before.sentences for flag in s.flags}
    flags = check(seed.report).sentence(seed.sentence_id).flags
    return any(flag.kind in kinds and flag.key not in known for flag in flags)


def with_text(report: Report, sentence: Sentence, text: str) -> Seed:
    """Change the words of a sentence and nothing else: its tie survives, as an edit's does."""
    new = replace(sentence, text=text, key_phrase=None)
    return Seed(report.with_sentences(new if s is sentence else s for s in report.sentences), sentence.id)


def swapped_sides(report: Report) -> Iterator[Seed]:
    """Swap right and left in a sentence that names one side and is tied to one."""
    for s in report.sentences:
        sides = {m.group().lower() for m in _SIDE.finditer(s.text)}
        if len(sides) == 1 and any(a.place.side for a in s.anchors):
            yield with_text(report, s, _SIDE.sub(lambda m: _matched(m.group(), _OTHER_SIDE[m.group().lower()]), s.text))


def _matched(old: str, new: str) -> str:
    return new.capitalize() if old[0].isupper() else new


def flipped(report: Report) -> Iterator[Seed]:
    """Drop or add a "no" or "not" in a sentence that states or denies something."""
    for s in report.sentences:
        if re.match(r"No\b", s.text):
            rest = re.sub(r"^No\s+", "", s.text)
            yield with_text(report, s, rest[0].upper() + rest[1:])
        elif re.search(r"\b(?:was|is|are|were) not\b", s.text):
            yield with_text(report, s, re.sub(r"\b(was|is|are|were) not\b", r"\1", s.text, count=1))
        elif re.search(r"\b(?:was|is|are|were) (?:seen|observed|present|enlarged|normal)", s.text):
            yield with_text(report, s, re.sub(r"\b(was|is|are|were) ", r"\1 not ", s.text, count=1))


def compared(report: Report, chance: random.Random) -> Iterator[Seed]:
    """Add a comparison to a sentence that has none."""
    for s in report.sentences:
        if s.anchors and not any(f.kind is FlagKind.COMPARISON for f in s.flags):
            yield with_text(report, s, f"{s.text.rstrip('.')}, {chance.choice(COMPARISONS)}.")


def doubled(report: Report, chance: random.Random) -> Iterator[Seed]:
    """Put a copy of a sentence, at times slightly reworded, somewhere behind it."""
    for n, s in enumerate(report.sentences):
        if any(f.kind is FlagKind.DUPLICATE for f in s.flags) or len(s.text) < 12:
            continue
        text = s.text
        if chance.random() < 0.5:
            for old, new in REWORDED:
                text = re.sub(rf"\b{old}\b", new, text, count=1)
        tie = suggest(text, report.places)
        copy = replace(s, id="copy", text=text, anchors=tie.anchors, key_phrase=None)
        at = chance.randint(n + 1, len(report.sentences))
        yield Seed(report.with_sentences((*report.sentences[:at], copy, *report.sentences[at:])), "copy")


def missized(report: Report, chance: random.Random) -> Iterator[Seed]:
    """Spoil a number that has a unit: another unit, a moved point, swapped or wrong digits."""
    number = re.compile(r"(?<![<≥−\d.] )(?<![\d.−<])(\d+(?:\.\d+)?) (mm|cm|mL|L|HU)\b")
    for s in report.sentences:
        found = [m for m in number.finditer(s.text) if not re.search(r"(?:<|below|for L1) ?$", s.text[: m.start()])]
        if not found:
            continue
        m = chance.choice(found)
        spoiled = chance.choice((_other_unit, _moved_point, _wrong_digit))(m.group(1), m.group(2))
        if spoiled is not None:
            yield with_text(report, s, s.text[: m.start()] + spoiled + s.text[m.end() :])


def _other_unit(number: str, unit: str) -> str | None:
    other = {"mm": "cm", "cm": "mm", "mL": "L", "L": "mL"}.get(unit)
    return f"{number} {other}" if other else None


def _moved_point(number: str, unit: str) -> str:
    return f"{float(number) * 10:g} {unit}" if "." in number else f"{float(number) / 10:g} {unit}"


def _wrong_digit(number: str, unit: str) -> str:
    first = str((int(number[0]) + 3) % 9 + 1)
    return f"{first}{number[1:]} {unit}"


def real_reports(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield name and text of the real reports."""
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            yield entry["id"], entry.get("findings") or entry["report"]


def joined_reports(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield case and text of the reports that the reference texts of its regions make up, each sentence once."""
    cases: dict[str, dict[str, None]] = {}
    for text in read_region_texts(folder):
        for piece in sentences_of(text.reference):
            cases.setdefault(text.case, {})[text.reference[piece.start : piece.stop]] = None
    for case, sentences in cases.items():
        yield case, " ".join(sentences)


def drafted(name: str, text: str) -> Report:
    """Ground a text on the hand-made places and check it."""
    return check(made.report(name, ground(text, made.PLACES)))


def line(name: str, seeds: list[tuple[Seed, Report]], kinds: frozenset[FlagKind]) -> str:
    """Return a row of the table."""
    hit = sum(caught(seed, before, kinds) for seed, before in seeds)
    share = f"{100 * hit / len(seeds):.1f} %" if seeds else "-"
    return f"| {name} | {len(seeds)} | {hit} | {share} |"


def flags_line(name: str, reports: list[Report]) -> str:
    """Return a row of what is flagged in untouched reports."""
    flags = Counter(f.kind.value for r in reports for s in r.sentences for f in s.flags)
    cells = " | ".join(str(flags[k]) for k in ("side", "place", "unit", "duplicate", "contradiction", "comparison"))
    return f"| {name} | {len(reports)} | {sum(len(r.sentences) for r in reports)} | {cells} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reports", type=Path)
    parser.add_argument("--regions", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    real = [drafted(name, text) for name, text in real_reports(arguments.reports)]
    joined = [drafted(name, text) for name, text in joined_reports(arguments.regions)] if arguments.regions else []
    measured = [check(one) for one in made.measured_reports(random.Random(arguments.seed), 150)]
    dictated = [check(one) for one in made.dictated_reports(random.Random(arguments.seed), 150)]
    untouched = [*real, *joined]
    kind = FlagKind
    print("| error | planted | caught | share |\n|---|---|---|---|")
    for name, plant, reports, kinds in (
        ("right and left swapped", swapped_sides, untouched, {kind.SIDE}),
        ("invented comparison", lambda r: compared(r, chance), untouched, {kind.COMPARISON}),
        ("sentence doubled", lambda r: doubled(r, chance), untouched, {kind.DUPLICATE}),
        ("wrong size, measured drafts", lambda r: missized(r, chance), measured, {kind.SIZE}),
        ("wrong size, dictated beside measurements", lambda r: missized(r, chance), dictated, {kind.SIZE}),
        ("negation flipped, beside measurements", flipped, dictated, {kind.NEGATION, kind.CONTRADICTION}),
        ("negation flipped, text alone", flipped, untouched, {kind.NEGATION, kind.CONTRADICTION}),
    ):
        seeds = [(seed, report) for report in reports for seed in plant(report)]
        chance.shuffle(seeds)
        print(line(name, seeds[:PER_CLASS], frozenset(kinds)))
    print("\n| untouched | reports | sentences | side | place | unit | duplicate | contradiction | comparison |")
    print("|---|---|---|---|---|---|---|---|---|")
    print(flags_line("real reports", real))
    for half in "AB" if joined else "":
        print(flags_line(f"joined, half {half}", [r for r in joined if half_of(r.id) == half]))
    for name, reports in (("measured drafts", measured), ("dictated beside measurements", dictated)):
        flags = Counter(f.kind.value for r in reports for s in r.sentences for f in s.flags)
        print(f"{name}: {sum(len(r.sentences) for r in reports)} sentences, flags {dict(flags)}")


if __name__ == "__main__":
    main()
