"""Prints how the published Reg2RG drafts and a constant normal template compare with the references, by region.

Usage: python Testing/bench/reg2rg_table.py FOLDER (FOLDER holds the tables published with Reg2RG)
Finding recall is read twice: as published (RadBERT labels, all volumes, drafts only) and by the rules of `grounding`
on the rows at hand, for drafts and template alike.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from RegionReportLib.evaluate.edit_burden import burden, constant_template
from RegionReportLib.evaluate.findings import LABELS, Efficacy, efficacy
from RegionReportLib.evaluate.regions import RegionText, read_region_texts
from RegionReportLib.evaluate.regions_table import WHOLE, RegionRow, score_reports
from RegionReportLib.evaluate.table import TextPair
from RegionReportLib.grounding.mentions import ground_sentence
from RegionReportLib.grounding.sentences import sentences_of
from RegionReportLib.progress import finish
from RegionReportLib.report.sentence import Polarity

VOLUMES = 1564  # of the published scores


def as_written(texts: Sequence[RegionText]) -> str:
    """Return the constant template with its capitals and stops, which some metrics count."""
    template = constant_template(texts)
    return next(t.reference for t in texts if burden(t.reference, template).exact)


def template_pairs(texts: Sequence[RegionText]) -> list[TextPair]:
    """Return the most frequent reference of each region and half of the patients, as the draft of the other half."""
    pairs: list[TextPair] = []
    for label in sorted({t.label for t in texts}):
        own = [t for t in texts if t.label == label]
        for chosen, judged in (("A", "B"), ("B", "A")):
            seen = [t for t in own if t.half == chosen]
            said = as_written(seen) if seen else None
            pairs += [TextPair(t.case, label, t.reference, said) for t in own if t.half == judged]
    return pairs


@cache
def findings_of(text: str) -> frozenset[str]:
    """Return the findings that a text states as present, by the rules of the grounding room."""
    found: set[str] = set()
    before: str | None = None
    for span in sentences_of(text):
        mentions = ground_sentence(text[span.start : span.stop], before=before)
        before = mentions.regions[0] if mentions.regions else None
        found |= {f.id for f in mentions.findings if f.polarity is Polarity.PRESENT}
    return frozenset(found)


def finding_cells(pairs: Sequence[TextPair], texts: int) -> list[str]:
    """Return findings stated per text, and their micro recall and precision, as words; regions are not mixed."""
    hits = in_reference = in_draft = 0
    for pair in pairs:
        truth, said = findings_of(pair.reference or ""), findings_of(pair.prediction or "")
        hits, in_reference, in_draft = hits + len(truth & said), in_reference + len(truth), in_draft + len(said)
    shares = [f"{hits / n:.3f}" if n else "-" for n in (in_reference, in_draft)]
    return [f"{in_draft / texts:.2f}", *shares]


def published_recall(folder: Path) -> dict[str, str]:
    """Return the published micro recall by region, and of the whole report from its labels."""
    with (folder / "all_regions_micro_avg_results.csv").open(encoding="utf-8", newline="") as file:
        recalls = {row["region"]: f"{float(row['recall']):.3f}" for row in csv.DictReader(file)}
    recalls[WHOLE] = f"{published_efficacy(folder).micro.recall:.3f}"
    return recalls


def published_efficacy(folder: Path) -> Efficacy:
    """Return the efficacy whose counts give the published precision, recall and support of each finding.

    A precision of 0 does not tell how many false alarms there were; the published micro precision does.
    """
    with (folder / "metrics_manual.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["Label"]: row for row in csv.DictReader(file)}
    numbers = [[float(rows[label][name]) for name in ("Precision", "Recall", "Support")] for label in LABELS]
    hits = [round(recall * support) for _, recall, support in numbers]
    alarms = [round(h / n[0]) - h if n[0] else 0 for h, n in zip(hits, numbers, strict=True)]
    report = (folder / "test_classification_report.txt").read_text(encoding="utf-8")
    micro = re.search(r"micro avg +([\d.]+)", report)
    assert micro is not None, "test_classification_report.txt has no micro average"
    left = round(sum(hits) / float(micro[1])) - sum(hits) - sum(alarms)
    alarms[next(n for n, (precision, _, _) in enumerate(numbers) if not precision)] = left
    truth, said = np.zeros((2, VOLUMES, len(LABELS)), dtype=bool)
    for column, (_, _, support) in enumerate(numbers):
        truth[: int(support), column] = True
        said[: hits[column], column] = True
        said[int(support) : int(support) + alarms[column], column] = True
    return efficacy(truth, said)


def line(row: RegionRow, writer: str, found: list[str], published: str) -> str:
    """Return one line of the table."""
    means = row.written.means
    scores = [means[m] for m in ("bleu_4", "rouge_l", "cider", "word_edit_rate")]
    cells = ["-" if s is None else f"{s.mean:.3f}" for s in scores]
    corpus, exact = row.written.corpus_bleu[3], means["exact"]
    cells.insert(1, "-" if corpus is None else f"{corpus:.3f}")
    cells.append("-" if exact is None else f"{100 * exact.mean:.1f} %")
    return f"| {row.region} | {row.in_both} | {writer} | {' | '.join([*cells, *found, published])} |"


def main() -> None:
    """Print the table, and the efficacy that the published labels give."""
    folder = Path(sys.argv[1])
    texts = read_region_texts(folder)
    writers = {
        "Reg2RG": [TextPair(t.case, t.label, t.reference, t.prediction) for t in texts],
        "template": template_pairs(texts),
        "reference": [TextPair(t.case, t.label, t.reference, t.reference) for t in texts],
    }
    boards = {writer: finish(score_reports(pairs, by_region=True)) for writer, pairs in writers.items()}
    rows = {(writer, row.region): row for writer, board in boards.items() for row in board.rows}
    published = published_recall(folder)
    print("| region | n | text | BLEU-4 | corpus BLEU-4 | ROUGE-L | CIDEr | word edit rate | exact |", end="")
    print(" findings per text | their recall | their precision | published recall |\n|" + "---|" * 13)
    for region in [*sorted({t.label for t in texts}), WHOLE]:
        for writer, pairs in writers.items():
            own = [p for p in pairs if region in (p.region, WHOLE)]
            row = rows[writer, region]
            told = published[region] if writer == "Reg2RG" else "-"
            print(line(row, writer, finding_cells(own, row.in_reference), told))
    whole = published_efficacy(folder)
    micro = whole.micro
    print(
        f"\nPublished labels, all {VOLUMES} volumes: micro precision {micro.precision:.4f}, recall {micro.recall:.4f},"
    )
    print(f"F1 {micro.f1:.4f}; weighted F1 {whole.weighted.f1:.4f}; CRG {whole.crg:.4f}")


if __name__ == "__main__":
    main()
