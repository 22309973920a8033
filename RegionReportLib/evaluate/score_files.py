"""Scores as JSON values, CSV tables and Markdown; an undefined number is empty, null or a dash, never 0.

No text of a report is written, only what it is worth.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .findings import Average, Confusion, Efficacy
from .regions_table import METRICS, RegionRow, Scoreboard, SetScores
from .text_overlap import DEFINITIONS

_PACKAGES = ("sacrebleu", "rouge-score", "nltk", "pycocoevalcap", "rapidfuzz")
_SHOWN = ("bleu_1", "bleu_4", "rouge_1", "rouge_l", "meteor", "cider", "word_edit_rate")
_NOTE = (
    "Overlap, edits and exact matches reward the usual words: compare with a constant normal template, and read them "
    "beside finding recall. *written*: texts that both sides have; *all*: a missing text counts as empty."
)


def scores_json(scoreboard: Scoreboard | None, efficacy: Efficacy | None) -> dict[str, Any]:
    """Return everything as JSON values, with the definitions and the versions of the packages that computed it."""
    value: dict[str, Any] = {}
    if scoreboard is not None:
        packages = {name: version(name) for name in _PACKAGES}
        value["texts"] = {
            "definitions": DEFINITIONS,
            "packages": packages,
            "rows": [_row_json(row) for row in scoreboard.rows],
        }
    if efficacy is not None:
        value["findings"] = _efficacy_json(efficacy)
    return value


def markdown(scoreboard: Scoreboard | None, efficacy: Efficacy | None) -> str:
    """Return the scores as Markdown tables."""
    parts = []
    if scoreboard is not None:
        lines = _head("text", "n", "recall", "precision", "over", *_SHOWN, "corpus BLEU-4")
        for row in scoreboard.rows:
            counts = (row.region, row.in_reference, _shown(row.recall), _shown(row.precision))
            lines.append(_line((*counts, "written", *_set_cells(row.written))))
            if row.in_both < row.in_reference:
                lines.append(_line(("", "", "", "", "all", *_set_cells(row.all_texts))))
        parts.append("\n".join((*lines, "", _NOTE)))
    if efficacy is not None:
        lines = _head("finding", "precision", "recall", "F1", "support")
        lines += [_line(list(entry.values())) for entry in _efficacy_rows(efficacy)]
        parts.append("\n".join((*lines, "", f"{efficacy.count} reports, CRG {_shown(efficacy.crg)}.")))
    return "\n\n".join(parts) + "\n"


def write_region_csv(path: Path, scoreboard: Scoreboard) -> None:
    """Write one line per region and set of texts: counts, and mean and standard deviation of each metric."""
    head = ["region", "over", "n_reference", "n_prediction", "n_both", "region_recall", "region_precision"]
    head += [f"{name}_{kind}" for name in METRICS for kind in ("mean", "std")]
    head += [f"corpus_bleu_{n}" for n in (1, 2, 3, 4)]
    lines: list[list[Any]] = []
    for row in scoreboard.rows:
        for over, scores in (("written", row.written), ("all", row.all_texts)):
            spreads = [scores.means[name] for name in METRICS]
            values = [v for s in spreads for v in ((s.mean, s.deviation) if s else (None, None))]
            counts = [row.region, over, row.in_reference, row.in_prediction, row.in_both, row.recall, row.precision]
            lines.append([*counts, *values, *scores.corpus_bleu])
    _write(path, head, lines)


def write_text_csv(path: Path, scoreboard: Scoreboard) -> None:
    """Write one line per text of the reference: case, region, whether the prediction lacks it, and each metric."""
    rows = [[t.case, t.region, int(t.missing), *(t.values[m] for m in METRICS)] for t in scoreboard.texts]
    _write(path, ["case", "region", "missing", *METRICS], rows)


def write_finding_csv(path: Path, efficacy: Efficacy) -> None:
    """Write one line per finding, and one for each average."""
    rows = _efficacy_rows(efficacy, digits=None)
    _write(path, list(rows[0]), [list(row.values()) for row in rows])


def _row_json(row: RegionRow) -> dict[str, Any]:
    return {
        "region": row.region,
        "in_reference": row.in_reference,
        "in_prediction": row.in_prediction,
        "in_both": row.in_both,
        "recall": row.recall,
        "precision": row.precision,
        "written": _set_json(row.written),
        "all": _set_json(row.all_texts),
    }


def _set_json(scores: SetScores) -> dict[str, Any]:
    means = {
        name: {"mean": s.mean, "std": s.deviation, "n": s.count} if s else None for name, s in scores.means.items()
    }
    return {"n": scores.count, **means, **{f"corpus_bleu_{n}": b for n, b in enumerate(scores.corpus_bleu, start=1)}}


def _efficacy_json(efficacy: Efficacy) -> dict[str, Any]:
    rows = {row.pop("finding"): row for row in _efficacy_rows(efficacy, digits=None)}
    return {"count": efficacy.count, "crg": efficacy.crg, "scores": rows}


def _efficacy_rows(efficacy: Efficacy, digits: int | None = 4) -> list[dict[str, Any]]:
    named: list[tuple[str, Confusion | Average]] = list(zip(efficacy.labels, efficacy.by_label, strict=True))
    named += [("micro", efficacy.micro), ("macro", efficacy.macro), ("weighted", efficacy.weighted)]
    return [
        {
            "finding": name,
            **{
                key: value if digits is None else _shown(value, digits)
                for key, value in (("precision", one.precision), ("recall", one.recall), ("F1", one.f1))
            },
            "support": one.support if isinstance(one, Confusion) else efficacy.micro.support,
        }
        for name, one in named
    ]


def _set_cells(scores: SetScores) -> list[str]:
    cells = []
    for name in _SHOWN:
        spread = scores.means[name]
        cells.append("-" if spread is None else f"{spread.mean:.4f} ± {spread.deviation:.4f}")
    return [*cells, _shown(scores.corpus_bleu[3])]


def _shown(value: float | None, digits: int = 4) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _head(*cells: str) -> list[str]:
    return [_line(cells), _line(["---"] * len(cells))]


def _line(cells: Sequence[object]) -> str:
    # A region's name comes from a file: a bar in it must not make a new column.
    return f"| {' | '.join(str(cell).replace('|', '/') for cell in cells)} |"


def _write(path: Path, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)
