"""The command that says what each part of a network is worth: `regionreport evaluate --ablation MODEL`."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import InputRefused, NeedMissing
from ..imaging.atomic import whole_files
from .outputs import write_json
from .watch import run, tell

PATIENTS, FIRST = 300, 3_000_000


def add_ablation_arguments(evaluate: argparse.ArgumentParser) -> None:
    """Add what `evaluate --ablation` takes."""
    group = evaluate.add_argument_group("ablation", "a trained network on phantoms that it never saw, part by part")
    group.add_argument("--ablation", type=Path, metavar="MODEL", help="the folder of a region-token model; needs -o")
    group.add_argument("--phantoms", type=int, default=PATIENTS, metavar="N", help=f"patients (default: {PATIENTS})")
    group.add_argument("--first", type=int, default=FIRST, metavar="SEED", help=f"first seed (default: {FIRST})")
    group.add_argument("--rows", default="", metavar="IDS", help="only these rows, with commas (default: all)")
    group.add_argument("--jobs", type=int, default=1, metavar="K", help="processes, a thread each (default: 1)")
    group.add_argument("--cache", type=Path, metavar="DIR", help="where made cases are kept (default: in the output)")


def ablate(arguments: argparse.Namespace) -> None:
    """Run the ablation or go on with it, write its tables, and print them."""
    if arguments.output is None:
        raise InputRefused("an ablation takes minutes and can go on after a stop: say with -o where it is kept")
    if arguments.pairs or arguments.reference or arguments.reference_labels:
        raise InputRefused("give either --ablation or texts and labels to score, not both")
    if arguments.jobs < 1:
        raise InputRefused(f"--jobs must be at least 1, got {arguments.jobs}")
    running, tables = _room("run"), _room("tables")
    work = running.ablate(_order(arguments), arguments.output, arguments.jobs)
    found = run(work, arguments.json_progress)
    with whole_files(arguments.output) as folder:
        write_json(folder / "ablation.json", tables.ablation_json(found))
        (folder / "ablation.md").write_text(tables.markdown(found), encoding="utf-8")
        (folder / "findings.md").write_text(tables.findings_markdown(found), encoding="utf-8")
    if arguments.json_progress:
        tell(done=[str(arguments.output / name) for name in ("ablation.md", "findings.md", "ablation.json")])
    else:
        print(tables.markdown(found), end="")


def _order(arguments: argparse.Namespace) -> Any:
    order, held, rows = _room("order"), _room("heldout"), _room("rows")
    data = held.held_out(arguments.ablation, arguments.first, arguments.phantoms)
    ids = tuple(row.id for row in rows.rows_named([name for name in arguments.rows.split(",") if name]))
    cache = arguments.cache or arguments.output / "cases"
    return order.Order(arguments.ablation, data, arguments.first, arguments.phantoms, ids, cache)


def _room(name: str) -> Any:
    """Return a module of the ablation room, whose packages are optional."""
    try:
        return import_module(f"RegionReportLib.ablation.{name}")
    except ModuleNotFoundError as cause:
        package = str(cause.name).partition(".")[0]
        raise NeedMissing(f"an ablation needs {package}: pip install 'regionreport[model,evaluate]'") from cause
