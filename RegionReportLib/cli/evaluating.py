"""The command that scores reports against references: `regionreport evaluate`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import InputRefused, NeedMissing
from ..evaluate.findings import LABELS, Efficacy, efficacy
from ..evaluate.table import TextPair, pair_up, read_labels, read_pairs, read_texts
from ..imaging.atomic import whole_files
from ..model.folders import models_home
from .ablating import ablate
from .outputs import write_json
from .watch import run, tell


def evaluate(arguments: argparse.Namespace) -> None:
    """Print the scores, and write them as CSV, JSON and Markdown if a folder is given."""
    if arguments.ablation is not None:
        ablate(arguments)
        return
    _refuse_unclear(arguments)
    pairs = _pairs(arguments)
    if arguments.by_region and any(pair.region is None for pair in pairs or ()):
        raise InputRefused("--by-region needs a column 'region' (or files named <region>_reports.csv)")
    found = _labelled(arguments, pairs) if arguments.labeller is not None and pairs else _efficacy(arguments)
    files, scoring = _room("score_files"), _room("regions_table")
    scores = run(scoring.score_reports(pairs, arguments.by_region), arguments.json_progress) if pairs else None
    if arguments.output is not None:
        _write(arguments, files, scores, found)
    if not arguments.json_progress:
        print(files.markdown(scores, found), end="")
    elif arguments.output is None:
        tell(scores=files.scores_json(scores, found))
    else:
        tell(done=[str(arguments.output / name) for name in ("scores.md", "scores.json")])


def _refuse_unclear(arguments: argparse.Namespace) -> None:
    """Raise InputRefused unless the options name whole pairs of tables."""
    if (arguments.reference is None) != (arguments.prediction is None):
        raise InputRefused("--reference and --prediction are needed together")
    if (arguments.reference_labels is None) != (arguments.prediction_labels is None):
        raise InputRefused("--reference-labels and --prediction-labels are needed together")
    if arguments.pairs and arguments.reference is not None:
        raise InputRefused("give either --pairs or --reference and --prediction, not both")
    if not arguments.pairs and arguments.reference is None and arguments.reference_labels is None:
        raise InputRefused("nothing to score: give --reference and --prediction, or --pairs, or two tables of labels")
    without_texts = not arguments.pairs and arguments.reference is None
    for word, wanted in (("--by-region", arguments.by_region), ("--labeller", arguments.labeller is not None)):
        if wanted and without_texts:
            raise InputRefused(f"{word} is for texts; give --pairs, or --reference and --prediction")
    if arguments.labeller is not None and arguments.reference_labels is not None:
        raise InputRefused("give either --labeller or two tables of labels, not both")


def _pairs(arguments: argparse.Namespace) -> tuple[TextPair, ...] | None:
    if arguments.pairs:
        pairs = read_pairs(arguments.pairs)
    elif arguments.reference is not None:
        pairs = pair_up(read_texts(arguments.reference), read_texts(arguments.prediction))
    else:
        return None
    if all(pair.reference is None for pair in pairs):
        raise InputRefused("the reference holds no words at all")
    return pairs


def _efficacy(arguments: argparse.Namespace) -> Efficacy | None:
    if arguments.reference_labels is None:
        return None
    truth, said = (read_labels(path, LABELS) for path in (arguments.reference_labels, arguments.prediction_labels))
    if not truth.keys() & said.keys():
        raise InputRefused("the two tables of labels have no case in common")
    # A report that was never written names no finding.
    nothing = (False,) * len(LABELS)
    return efficacy([truth[key] for key in truth], [said.get(key, nothing) for key in truth])


def _labelled(arguments: argparse.Namespace, pairs: Sequence[TextPair]) -> Efficacy:
    """Return the findings of the reports of each case, both sides read by the labeller."""
    folder = arguments.labeller or models_home() / "radbert"
    labeller = _labeller(folder)
    if labeller.labels != len(LABELS):
        raise InputRefused(f"the labeller in {folder} knows {labeller.labels} findings, CT-RATE has {len(LABELS)}")
    cases: dict[str, tuple[list[str], list[str]]] = {}
    for pair in pairs:
        reference, prediction = cases.setdefault(pair.case, ([], []))
        reference.append(pair.reference or "")
        prediction.append(pair.prediction or "")
    texts = [" ".join(side[n]).strip() for n in (0, 1) for side in cases.values()]
    found = run(labeller.label(texts), arguments.json_progress)
    return efficacy(found[: len(cases)], found[len(cases) :])


def _labeller(folder: Path) -> Any:
    try:
        opening = import_module("RegionReportLib.model.radbert")
    except ModuleNotFoundError as cause:
        package = str(cause.name).partition(".")[0]
        raise NeedMissing(f"labelling needs the package {package}: pip install 'regionreport[model]'") from cause
    return opening.open_labeller(folder)


def _write(arguments: argparse.Namespace, files: Any, scores: Any, found: Efficacy | None) -> None:
    with whole_files(arguments.output) as folder:
        write_json(folder / "scores.json", files.scores_json(scores, found))
        (folder / "scores.md").write_text(files.markdown(scores, found), encoding="utf-8")
        if scores is not None:
            files.write_region_csv(folder / "scores.csv", scores)
            files.write_text_csv(folder / "texts.csv", scores)
        if found is not None:
            files.write_finding_csv(folder / "findings.csv", found)


def _room(name: str) -> Any:
    """Return a module of the scoring room, whose packages are optional."""
    try:
        return import_module(f"RegionReportLib.evaluate.{name}")
    except ModuleNotFoundError as cause:
        package = str(cause.name).partition(".")[0]
        raise NeedMissing(f"scoring needs the package {package}: pip install 'regionreport[evaluate]'") from cause
