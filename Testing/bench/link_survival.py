"""Edits each sentence by a script and prints how many ties stay, how many are flagged, how many words still say it.

Usage: python Testing/bench/link_survival.py FOLDER (the folder of the published `<region>_reports.csv`)
Only sentences that are linked rightly, have an anchor and carry no flag of side or place are edited.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import made_reports as made

from RegionReportLib.evaluate.regions import read_region_texts
from RegionReportLib.evaluate.scripted_edits import EDITS
from RegionReportLib.grounding.anchors import ground, suggest
from RegionReportLib.grounding.contradictions import check
from RegionReportLib.report.apply import apply
from RegionReportLib.report.edits import ChangeText
from RegionReportLib.report.sentence import FlagKind, Sentence

SENTENCES = 3000
_PLACE = frozenset((FlagKind.SIDE, FlagKind.PLACE))


def flagged(sentence: Sentence) -> bool:
    """Tell whether a sentence has a flag of side or place."""
    return any(flag.kind in _PLACE for flag in sentence.flags)


def chosen(folder: Path) -> list[Sentence]:
    """Return distinct sentences with a right link and an anchor, drawn by chance from all regions."""
    found: dict[str, Sentence] = {}
    for text in read_region_texts(folder):
        for sentence in ground(text.reference, made.PLACES):
            if sentence.anchors and sentence.regions[0] == text.region_id:
                found.setdefault(sentence.text, sentence)
    sentences = list(found.values())
    random.Random(7).shuffle(sentences)
    return sentences[:SENTENCES]


def main() -> None:
    """Print the table."""
    reports = [check(made.report("r", (sentence,))) for sentence in chosen(Path(sys.argv[1]))]
    reports = [r for r in reports if not flagged(r.sentences[0])]
    print("| edit | moves the place | edited | tie kept | flagged | words alone give the same region |")
    print("|---|---|---|---|---|---|")
    for edit in EDITS:
        done = kept = told = same = 0
        for report in reports:
            (old,) = report.sentences
            text = edit.change(old.text)
            if text is None or text == old.text:
                continue
            (new,) = check(apply(report, ChangeText(old.id, text))).sentences
            done += 1
            kept += new.anchors == old.anchors and new.regions == old.regions
            told += flagged(new)
            same += suggest(text, made.PLACES, before=old.regions[0]).regions[:1] == old.regions[:1]
        cells = " | ".join(f"{100 * n / done:.1f} %" if done else "-" for n in (kept, told, same))
        print(f"| {edit.name} | {'yes' if edit.moves else 'no'} | {done} | {cells} |")


if __name__ == "__main__":
    main()
