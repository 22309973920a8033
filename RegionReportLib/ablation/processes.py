"""Shares the patients among processes of this machine; each opens the network once and is handed two patients a time.

A process that loses its parent reads the end of its pipe and ends, so that nothing is left behind by a kill.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Generator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any

from .order import Order
from .told import PatientRecord

_TICK_S = 0.5


def records_by(
    order: Order, pairs: Sequence[tuple[int, ...]], jobs: int
) -> Generator[tuple[PatientRecord, ...] | None, None, None]:
    """Yield the records of pairs of patients as they are done, None at each tick in between.

    RuntimeError if a process fails, with what it said.
    """
    left = list(reversed(pairs))
    context = multiprocessing.get_context("spawn")  # a fork would share locks of threads that do not run in it
    busy: dict[Connection, Any] = {}
    began: list[Any] = []
    try:
        for _ in range(min(jobs, len(left))):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, order), daemon=True)
            process.start()
            began.append(process)
            theirs.close()
            ours.send(left.pop())
            busy[ours] = process
        while busy:
            ready = wait(list(busy), timeout=_TICK_S)
            if not ready:
                yield None
            for pipe in ready:
                assert isinstance(pipe, Connection)
                yield _answer(pipe)
                if left:
                    pipe.send(left.pop())
                else:
                    pipe.close()
                    del busy[pipe]
    finally:
        for pipe in busy:
            pipe.close()
        for process in began:
            process.terminate()
            process.join()


def _answer(pipe: Connection) -> tuple[PatientRecord, ...]:
    try:
        done = pipe.recv()
    except EOFError:
        raise RuntimeError("a process ended without a word: most likely killed for want of memory") from None
    if isinstance(done, str):
        raise RuntimeError(done)
    return tuple(PatientRecord.from_dict(value) for value in done)


def _serve(pipe: Connection, order: Order) -> None:
    """Write about pairs of patients until the pipe ends."""
    os.environ["OMP_NUM_THREADS"] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends its processes in order
    import torch

    from ..progress import finish
    from .writer import open_writer

    torch.set_num_threads(1)
    try:
        writer = finish(open_writer(order))
        while True:
            pair = pipe.recv()
            pipe.send([record.to_dict() for record in finish(writer.records(pair))])
    except (EOFError, BrokenPipeError):
        return  # the parent has all that it wants, or is gone
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}")
