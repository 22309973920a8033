"""Prints by region how much the published drafts and a constant template must be edited to reach the references.

Usage: python Testing/bench/edit_burden.py FOLDER (the folder of the published `<region>_reports.csv`)
"""

from __future__ import annotations

import sys
from pathlib import Path

from RegionReportLib.evaluate.edit_burden import BurdenSummary, burden, burden_of_template, summary
from RegionReportLib.evaluate.regions import read_region_texts


def cells(s: BurdenSummary) -> str:
    """Return the means as cells of a table."""
    if s.exact_percent is None or s.word_edit_rate is None or s.similarity is None:
        return "- | - | -"
    return f"{s.word_edit_rate:.2f} | {s.similarity:.2f} | {s.exact_percent:.1f} %"


def main() -> None:
    """Print the table."""
    texts = read_region_texts(Path(sys.argv[1]))
    print(
        "| region | n | drafts: word edit rate | similarity | exact | template: word edit rate | similarity | exact |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for label in sorted({t.label for t in texts}):
        own = [t for t in texts if t.label == label]
        drafts = summary(burden(t.prediction, t.reference) for t in own)
        print(f"| {label} | {len(own)} | {cells(drafts)} | {cells(burden_of_template(own))} |")


if __name__ == "__main__":
    main()
