"""The process that holds a model and writes for the processes that draft: what waits is written as one batch.

There is no waiting for a batch to fill: while one is written the next questions gather. A process that drafts asks
about one study and waits, so that no more questions can wait than there are such processes.
"""

from __future__ import annotations

import logging
import os
import pickle
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Protocol

from ..draft.choose import WriterChoice
from ..draft.region_token_asking import Ask, Asked, Texts, need_several
from ..errors import InputRefused, NeedMissing

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Together:
    """At most so many studies are written at once, by this writer; InputRefused if it writes one at a time."""

    writer: WriterChoice
    most: int

    def __post_init__(self) -> None:
        need_several(self.writer)
        if self.most < 1:
            raise ValueError(f"at least one study is written at a time, got {self.most}")


class WritesMany(Protocol):
    """Writes about several scans at once."""

    def write(self, asked: Sequence[Asked]) -> list[Texts | Exception]:
        """Return for each scan its texts, or what kept them from being written."""
        ...


class TextServer:
    """Answers questions from any number of threads, at most `most` at once."""

    def __init__(self, writer: WritesMany, most: int) -> None:
        self._writer, self._most = writer, most
        self._waiting: SimpleQueue[tuple[Asked, Future[Texts]]] = SimpleQueue()
        threading.Thread(target=self._serve, daemon=True, name="writing").start()

    def ask(self, asked: Asked) -> Texts:
        """Return the texts, as soon as they are written; raises what kept them from being written."""
        answer: Future[Texts] = Future()
        self._waiting.put((asked, answer))
        return answer.result()

    def write(self, question: bytes) -> bytes:
        """Do what `ask` does between processes; an error comes back as the answer."""
        try:
            return pickle.dumps(self.ask(pickle.loads(question)))
        except Exception as error:
            return pickle.dumps(_plain(error))

    def _serve(self) -> None:
        while True:
            batch = [self._waiting.get()]
            while len(batch) < self._most:
                try:
                    batch.append(self._waiting.get_nowait())
                except Empty:
                    break
            try:
                answers = self._writer.write([asked for asked, _ in batch])
            except Exception as error:  # else all that ask would wait for ever
                answers = [error] * len(batch)
            for (_, future), answer in zip(batch, answers, strict=True):
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)


def asking(call: Callable[[bytes], bytes]) -> Ask:
    """Return how a process that drafts asks a server elsewhere, of which `call` is the method `write`.

    A server that is gone takes this process with it: then the engine starts both anew and tries the studies again.
    """

    def ask(asked: Asked) -> Texts:
        question = pickle.dumps(asked)
        try:
            answer = pickle.loads(call(question))
        except (EOFError, OSError) as error:
            _log.error("the process that writes is gone: %s", error)
            os._exit(1)
        if isinstance(answer, Exception):
            raise answer
        texts: Texts = answer
        return texts

    return ask


def _plain(error: Exception) -> Exception:
    """Return an error that any process can read, of the kind that tells why a study failed."""
    if type(error) in (InputRefused, NeedMissing, MemoryError):
        return error
    if isinstance(error, OSError):
        return OSError(error.errno, error.strerror or str(error), error.filename)
    if type(error).__name__ == "OutOfMemoryError":  # torch's, for the memory of a GPU
        return MemoryError(str(error))
    return RuntimeError(f"{type(error).__name__}: {error}")
