"""The ablation, told once: held-out patients are written about, their records kept, and the records scored."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

from ..progress import Progress, Work, part
from .journal import Journal
from .order import Order
from .processes import records_by
from .rows import rows_named
from .scores import Ablation, score
from .writer import open_writer


def ablate(order: Order, folder: Path, jobs: int = 1) -> Work[Ablation]:
    """Return the scores of all rows; a run that was stopped goes on in its `folder`.

    With more than one of `jobs` as many processes share the patients, one thread each. InputRefused if the folder holds
    another ablation, NeedMissing without a model.
    """
    rows = rows_named(order.rows)
    journal = Journal(folder)
    journal.open(order.to_dict())
    pairs = order.pairs(journal.records())
    if pairs:
        work = _shared(order, pairs, journal, jobs) if jobs > 1 else _here(order, pairs, journal)
        yield from part(work, 0.0, 0.97)
    records = journal.records()
    wanted = [records[seed] for seed in range(order.first, order.first + order.count)]
    return (yield from part(score(wanted, rows), 0.97, 1.0))


def _here(order: Order, pairs: Sequence[tuple[int, ...]], journal: Journal) -> Work[None]:
    writer = yield from part(open_writer(order), 0.0, 0.01)
    ends = [0.01 + 0.99 * n / len(pairs) for n in range(len(pairs) + 1)]
    for pair, (start, stop) in zip(pairs, itertools.pairwise(ends), strict=True):
        for record in (yield from part(writer.records(pair), start, stop)):
            journal.append(record)


def _shared(order: Order, pairs: Sequence[tuple[int, ...]], journal: Journal, jobs: int) -> Work[None]:
    total, done = sum(map(len, pairs)), 0
    work = records_by(order, pairs, jobs)
    try:
        yield Progress(0.0, "opening the model")
        for records in work:
            for record in records or ():
                journal.append(record)
                done += 1
            yield Progress(done / total, f"{done} of {total} patients written")
    finally:
        work.close()
