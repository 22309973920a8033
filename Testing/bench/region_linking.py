"""Prints how well sentences are linked to regions, the links that are wrong, and how many links survive edits.

Usage: python Testing/bench/region_linking.py FOLDER [--wrong A] (FOLDER holds the published `<region>_reports.csv`)
"""

from __future__ import annotations

import argparse
import collections
from pathlib import Path

from RegionReportLib.evaluate.regions import Linked, Share, half_of, link_all, read_region_texts, share_right
from RegionReportLib.grounding.mentions import ground_sentence
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
