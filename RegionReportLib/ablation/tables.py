"""The ablation as Markdown and JSON; an undefined number is a dash or null, never 0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..evaluate.findings import Average, Confusion, Efficacy
from ..evaluate.intervals import Interval
from ..evaluate.phantom_scores import BoxScores
from ..evaluate.regions import Share
from .rows import ALL, MEASURED
from .scores import MEASURES, Ablation, PartScores, RowScores

_FINDINGS = ("writer", "P", "R", "F1 (95 %)", "Δ to all parts (95 %)", "macro F1", "F1 unhedged", "denied", "wrong")
_PLACES = ("writer", "side", "region", "size", "box hits", "Δ to all parts (95 %)", "told", "IoU", "extra boxes")
_WORTH = ("f1", "hits")
_REST = ("writer", "BLEU-4", "ROUGE-L", "box error", "own AUROC", "sentences", "sentences/s")


def markdown(found: Ablation) -> str:
    """Return all tables but the one by finding."""
    last = found.first + found.patients - 1
    parts = [
        f"# Ablation on {found.patients} held-out phantoms\n\nSeeds {found.first} to {last}. Shares in per cent.",
        "## Findings\n\n" + _table(_FINDINGS, [_findings(row) for row in found.rows]),
        "## Places\n\n" + _table(_PLACES, [_places(row) for row in found.rows]),
        "## What each part is worth\n\n" + _parts(found.parts),
        "## Words, confidence and speed\n\n" + _table(_REST, [_rest(row) for row in found.rows]),
        "## Support score on sentences that are known to be true or wrong\n\n" + _claims(found),
        "## Confidence of boxes (all parts)\n\n" + _bins(found),
    ]
    return "\n\n".join(parts) + "\n"


def findings_markdown(found: Ablation) -> str:
    """Return precision, recall and F1 of each finding for the full model and the measured writer."""
    full, measured = found.row(ALL).reports.findings, found.row(MEASURED).reports.findings
    lines = []
    for name, own, other in zip(full.labels, full.by_label, measured.by_label, strict=True):
        lines.append([name.replace("_", " "), own.support, *_three(own), *_three(other)])
    lines.append(["micro", full.micro.support, *_three(full.micro), *_three(measured.micro)])
    lines.append(["macro", "", *_three(full.macro), *_three(measured.macro)])
    head = ("finding", "patients", "P", "R", "F1", "measured P", "measured R", "measured F1")
    return f"# By finding, {found.patients} held-out phantoms\n\nHedged findings count.\n\n{_table(head, lines)}\n"


def ablation_json(found: Ablation) -> dict[str, Any]:
    """Return everything as JSON values."""
    return {
        "first": found.first,
        "patients": found.patients,
        "rows": {row.id: _row_json(row) for row in found.rows},
        "parts": [
            {
                "part": part.title,
                "verdict": part.verdict,
                "alone": {name: _interval_json(value) for name, value in part.alone.items()},
                "step": {name: _interval_json(value) for name, value in part.step.items()},
            }
            for part in found.parts
        ],
        "claims": {
            "true": found.claims.true,
            "auroc": found.claims.auroc,
            "calibration_error": found.claims.error,
            "kinds": {kind: {"n": n, "auroc": value} for kind, (n, value) in found.claims.kinds.items()},
        },
    }


def _findings(row: RowScores) -> list[object]:
    micro = row.reports.findings.micro
    return [
        row.title,
        *(_number(value) for value in (micro.precision, micro.recall)),
        _interval(row.measured["f1"]),
        _interval(row.change["f1"], signed=True),
        _number(row.reports.findings.macro.f1),
        _number(row.plain.micro.f1),
        _percent(row.reports.denied),
        _percent(Share(*row.wrong)),
    ]


def _places(row: RowScores) -> list[object]:
    return [
        row.title,
        *(_percent(share) for share in (row.reports.side, row.reports.region, row.reports.size, row.boxes.hits)),
        _interval(row.change["hits"], signed=True),
        _percent(row.told_boxes.hits),
        _number(row.boxes.iou),
        _percent(row.boxes.extra),
    ]


def _rest(row: RowScores) -> list[object]:
    speed = row.sentences / row.seconds if row.seconds else None
    numbers = [_number(value) for value in (row.bleu_4, row.rouge_l, row.existence.error, row.own_auroc)]
    return [row.title, *numbers, row.sentences, _number(speed, 1)]


def _parts(parts: Sequence[PartScores]) -> str:
    head = ["part", "verdict by finding F1"]
    for name in _WORTH:
        head += [f"{MEASURES[name]}: all less without it", f"{MEASURES[name]}: when it came"]
    lines = []
    for part in parts:
        cells = [_interval(of[name], signed=True) for name in _WORTH for of in (part.alone, part.step)]
        lines.append([part.title, part.verdict, *cells])
    return _table(head, lines)


def _claims(found: Ablation) -> str:
    claims = found.claims
    lines = [[kind, n, _number(value)] for kind, (n, value) in claims.kinds.items()]
    lines.append(["all", sum(n for n, _ in claims.kinds.values()), _number(claims.auroc)])
    note = f"{claims.true} true sentences; calibration error {_number(claims.error)}."
    return _table(("wrong sentences", "n", "AUROC"), lines) + f"\n\n{note}"


def _bins(found: Ablation) -> str:
    told = found.row(ALL).existence
    lines = [
        [f"{b.low:.1f}-{b.high:.1f}", b.hits.total, _number(b.confidence), _percent(b.hits)]
        for b in told.bins
        if b.hits.total
    ]
    note = f"Expected calibration error {_number(told.error)}."
    return _table(("confidence", "boxes", "mean", "hits"), lines) + f"\n\n{note}"


def _row_json(row: RowScores) -> dict[str, Any]:
    shares = {"side": row.reports.side, "region": row.reports.region, "size": row.reports.size}
    return {
        "title": row.title,
        "findings": _efficacy_json(row.reports.findings),
        "findings_unhedged": _efficacy_json(row.plain),
        **{name: _share_json(share) for name, share in shares.items()},
        "denied": _share_json(row.reports.denied),
        "wrong_sentences": _share_json(Share(*row.wrong)),
        "bleu_4": row.bleu_4,
        "rouge_l": row.rouge_l,
        "boxes": _boxes_json(row.boxes),
        "boxes_of_told_findings": _boxes_json(row.told_boxes),
        "existence": {
            "error": row.existence.error,
            "bins": [[b.low, b.high, b.hits.total, b.confidence, b.hits.right] for b in row.existence.bins],
        },
        "own_auroc": row.own_auroc,
        "sentences": row.sentences,
        "seconds": row.seconds,
        "intervals": {name: _interval_json(value) for name, value in row.measured.items()},
        "less_all_parts": {name: _interval_json(value) for name, value in row.change.items()},
    }


def _efficacy_json(found: Efficacy) -> dict[str, Any]:
    named: dict[str, Confusion | Average] = dict(zip(found.labels, found.by_label, strict=True))
    named |= {"micro": found.micro, "macro": found.macro}
    return {
        name: {"precision": one.precision, "recall": one.recall, "f1": one.f1}
        | ({"support": one.support} if isinstance(one, Confusion) else {})
        for name, one in named.items()
    }


def _boxes_json(boxes: BoxScores) -> dict[str, Any]:
    return {"iou": boxes.iou, "hits": _share_json(boxes.hits), "extra": _share_json(boxes.extra)}


def _share_json(share: Share) -> list[int]:
    return [share.right, share.total]


def _interval_json(value: Interval | None) -> list[float] | None:
    return None if value is None else [value.value, value.low, value.high]


def _three(one: Confusion | Average) -> list[str]:
    return [_number(value) for value in (one.precision, one.recall, one.f1)]


def _interval(value: Interval | None, *, signed: bool = False) -> str:
    if value is None:
        return "-"
    one, low, high = (f"{x:+.3f}" if signed else f"{x:.3f}" for x in (value.value, value.low, value.high))
    return f"{one} ({low} to {high})"


def _percent(share: Share) -> str:
    return "-" if share.percent is None else f"{share.percent:.1f}"


def _number(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)
