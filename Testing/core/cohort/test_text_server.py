"""What asks while a batch is written becomes the next batch; each gets its own answer, or its own reason."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from RegionReportLib.cohort.text_server import TextServer, Together, asking
from RegionReportLib.draft.choose import WriterChoice
from RegionReportLib.errors import InputRefused, NeedMissing

# The server looks into neither questions nor answers: words stand in for tensors and texts.
QUESTIONS = [f"scan {n}" for n in range(6)]


@dataclass
class Gate:
    """Answers each question with its words, but the first batch only when told to."""

    open: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)
    batches: list[list[str]] = field(default_factory=list)
    wrong: dict[str, Exception] = field(default_factory=dict)

    def write(self, asked: Sequence[Any]) -> list[Any]:
        self.batches.append(list(asked))
        self.begun.set()
        assert self.open.wait(60)
        return [self.wrong.get(words, f"about {words}") for words in asked]


def asked_while_the_first_is_written(gate: Gate, most: int) -> list[Any]:
    """Ask the first question, and the others in their order while it is written; return the futures."""
    server: Any = TextServer(gate, most)
    pool = ThreadPoolExecutor(len(QUESTIONS))
    first = pool.submit(server.ask, QUESTIONS[0])
    assert gate.begun.wait(60)
    others = []
    for number, words in enumerate(QUESTIONS[1:], 1):
        others.append(pool.submit(server.ask, words))
        while server._waiting.qsize() < number:
            time.sleep(0.01)
    gate.open.set()
    pool.shutdown(wait=True)
    return [first, *others]


def test_what_waits_is_written_together_up_to_the_most() -> None:
    gate = Gate()
    answers = asked_while_the_first_is_written(gate, 3)
    assert gate.batches == [QUESTIONS[:1], QUESTIONS[1:4], QUESTIONS[4:]]
    assert [answer.result() for answer in answers] == [f"about {words}" for words in QUESTIONS]


def test_one_that_cannot_be_written_does_not_touch_the_others_of_its_batch() -> None:
    gate = Gate(wrong={"scan 2": InputRefused("no voxel of any region")})
    answers = asked_while_the_first_is_written(gate, 6)
    with pytest.raises(InputRefused, match="no voxel of any region"):
        answers.pop(2).result()
    assert [answer.result() for answer in answers] == [f"about scan {n}" for n in (0, 1, 3, 4, 5)]


def test_a_writer_that_breaks_leaves_nobody_waiting_and_goes_on() -> None:
    class Broken:
        def write(self, asked: Sequence[Any]) -> list[Any]:
            if asked[0] == "worse":
                raise ZeroDivisionError("a defect")
            return ["well"]

    server: Any = TextServer(Broken(), 2)
    with pytest.raises(ZeroDivisionError):
        server.ask("worse")
    assert server.ask("better") == "well"


class OutOfMemoryError(RuntimeError):
    """Named as torch names that of a GPU."""


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (NeedMissing("no trained network"), NeedMissing, "no trained network"),
        (OSError(28, "No space left on device", "weights"), OSError, "No space left on device: 'weights'"),
        (OutOfMemoryError("tried to allocate 2 GiB"), MemoryError, "tried to allocate 2 GiB"),
        (KeyError("lungs"), RuntimeError, "KeyError: 'lungs'"),
    ],
)
def test_a_reason_reaches_the_process_that_asked(error: Exception, kind: type[Exception], words: str) -> None:
    gate = Gate(wrong={"scan 0": error})
    gate.open.set()
    ask: Any = asking(TextServer(gate, 1).write)
    with pytest.raises(kind, match=words):
        ask("scan 0")
    assert ask("scan 1") == "about scan 1"


def test_questions_cross_as_plain_bytes() -> None:
    crossed: list[bytes] = []

    def call(question: bytes) -> bytes:
        crossed.append(question)
        return pickle.dumps("an answer")

    ask: Any = asking(call)
    assert ask("a question") == "an answer"
    assert [pickle.loads(question) for question in crossed] == ["a question"]


def test_only_a_writer_that_can_writes_several_at_once() -> None:
    with pytest.raises(InputRefused, match="the measured writer writes about one study at a time"):
        Together(WriterChoice(), 4)
    with pytest.raises(ValueError, match="at least one study is written at a time, got 0"):
        Together(WriterChoice("region-tokens"), 0)
