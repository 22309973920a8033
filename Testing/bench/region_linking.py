"""Prints how well sentences are linked to regions, the links that are wrong, and how many links survive edits.

Usage: python Testing/bench/region_linking.py FOLDER [--wrong A] (FOLDER holds the published `<region>_reports.csv`)
"""

from __future__ import annotations

import argparse
import collections
import re
from pathlib import Path

from RegionReportLib.evaluate.regions import Linked, Share, half_of, link_all, read_region_texts, share_right
from RegionReportLib.grounding.mentions import ground_sentence, mentions_of
from RegionReportLib.grounding.sentences import sentences_of


def split(text: str) -> list[str]:
    """Return the sentences of a text."""
    return [text[p.start : p.stop] for p in sentences_of(text)]


def link(text: str, before: str | None) -> tuple[tuple[str, ...], str]:
    """Return the regions of a sentence and what it states."""
    mentions = ground_sentence(text, before=before)
    return mentions.regions, mentions.statement.value


def row(name: str, linked: list[Linked]) -> str:
    """Return one line of the table."""
    fair, strict = share_right(linked), share_right(linked, strict=True)
    return f"| {name} | {fair.total} | {shown(fair)} | {shown(strict)} |"


def shown(share: Share) -> str:
    """Return a share as per cent."""
    return "-" if share.percent is None else f"{share.percent:.2f} %"


def why(one: Linked, labels_of: dict[str, set[str]]) -> str:
    """Sort a wrong link by its cause; `labels_of` holds the labels of the same words over all cases."""
    own = mentions_of(one.text)
    strength = own.scores[0][1] if own.scores else 0.0
    if one.linked in labels_of[one.text] - one.labels:
        return "label: the same words are filed under the linked region in another case"
    if one.linked == "mediastinum" and "lungs" in one.labels and re.search(r"hil|lymph|tracheal", one.text):
        return "label: hilar or paratracheal nodes filed under the lungs"
    if strength < 2.0 or own.regions[:1] != (one.linked,):
        return "no place in the words, and the sentence before does not tell it"
    if {one.linked} | one.labels <= {"airways", "lungs"}:
        return "airways or lungs: disease of the bronchi"
    if strength >= 2.95:
        return "names the linked organ plainly: filed elsewhere, or it only says where something else is"
    return "error: led astray by a weak word"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--wrong", choices=("A", "B"), help="list the wrong links of one half")
    arguments = parser.parse_args()
    linked = link_all(read_region_texts(arguments.folder), split, link)
    print("| sentences | n | right | right by label alone |\n|---|---|---|---|")
    print(row("all", list(linked)))
    for half in "AB":
        print(row(f"half {half}", [one for one in linked if half_of(one.case) == half]))
    for statement in ("positive", "negative", "normal", "unassessed"):
        print(row(statement, [one for one in linked if one.statement == statement]))
    labels_of: dict[str, set[str]] = collections.defaultdict(set)
    for one in linked:
        labels_of[one.text] |= one.labels
    print("\n| cause of a wrong link | half A | half B |\n|---|---|---|")
    causes = collections.Counter((why(one, labels_of), half_of(one.case)) for one in linked if not one.right)
    for cause in sorted({cause for cause, _ in causes}):
        print(f"| {cause} | {causes[cause, 'A']} | {causes[cause, 'B']} |")
    if arguments.wrong:
        wrong = collections.Counter(
            (one.text, "|".join(sorted(one.labels)), one.linked or "-")
            for one in linked
            if not one.right and half_of(one.case) == arguments.wrong
        )
        for (text, labels, found), count in wrong.most_common():
            print(f"{count:3d}  {labels} -> {found}: {text}")


if __name__ == "__main__":
    main()
