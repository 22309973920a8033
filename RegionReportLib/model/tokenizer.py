"""Words to numbers: a small tokenizer trained on given texts, or that of a language model's folder, with our marks.

Marks stand for places where the network puts or expects something else than a word. Text that comes from outside can
never become a mark unless the caller says that it may.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from ..anatomy.regions import REGION_IDS
from ..errors import InputRefused, NeedMissing
from .inputs import NOTHING

END, PAD, BOX = "<end>", "<pad>", "<box>"
IMAGE, IMAGE_END, REGION_END = "<image>", "</image>", "</region>"
SLOTS = tuple(f"<region{n}>" for n in range(len(REGION_IDS)))
MARKS = (PAD, END, BOX, NOTHING, IMAGE, IMAGE_END, *SLOTS, REGION_END)
FILE_NAME = "tokenizer.json"


class ReportTokenizer:
    """Encodes plain text and, where asked for, the marks in it; all ids by name.

    `pad_id`, `end_id` (the region is finished), `box_id`, `none_id` (nothing to report), `image_id`, `image_end_id`,
    `region_end_id`, `slot_ids`; `begin_id` is what the language model wants at the very beginning, if anything.
    """

    def __init__(self, inner: Tokenizer, begin_id: int | None = None) -> None:
        inner.add_special_tokens(list(MARKS))
        inner.no_padding()
        inner.no_truncation()
        self._inner = inner
        self.begin_id = begin_id
        self.pad_id, self.end_id, self.box_id, self.none_id = map(self._id, (PAD, END, BOX, NOTHING))
        self.image_id, self.image_end_id, self.region_end_id = map(self._id, (IMAGE, IMAGE_END, REGION_END))
        self.slot_ids = tuple(map(self._id, SLOTS))

    @classmethod
    def train(cls, texts: Iterable[str], size: int = 2048) -> ReportTokenizer:
        """Return a byte-level tokenizer of at most `size` pieces, each digit its own, learned from `texts`."""
        inner = Tokenizer(models.BPE())
        inner.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
        inner.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=size,
            special_tokens=list(MARKS),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        inner.train_from_iterator(texts, trainer)
        return cls(inner)

    @classmethod
    def open(cls, folder: Path, begin_id: int | None = None) -> ReportTokenizer:
        """Return the tokenizer of a folder; NeedMissing without `tokenizer.json`, InputRefused if it is none."""
        return cls(tokenizer_in(folder), begin_id)

    def save(self, folder: Path) -> None:
        """Write `tokenizer.json` into `folder`."""
        (folder / FILE_NAME).write_text(self._inner.to_str(), encoding="utf-8")

    @property
    def size(self) -> int:
        """Number of ids, marks included."""
        return max(self._inner.get_vocab(with_added_tokens=True).values()) + 1

    @property
    def mark_ids(self) -> tuple[int, ...]:
        """The ids of all marks."""
        return tuple(map(self._id, MARKS))

    def encode(self, text: str, *, marks: bool = False) -> list[int]:
        """Return the ids of a text; with `marks` the names of marks in it become marks, else they stay letters."""
        self._inner.encode_special_tokens = not marks
        ids: list[int] = self._inner.encode(text, add_special_tokens=False).ids
        return ids

    def decode(self, ids: Sequence[int], *, marks: bool = False) -> str:
        """Return the text of ids; marks are left out unless asked for."""
        text: str = self._inner.decode(list(ids), skip_special_tokens=not marks)
        return text

    def _id(self, mark: str) -> int:
        found: int | None = self._inner.token_to_id(mark)
        assert found is not None
        return found


def tokenizer_in(folder: Path) -> Tokenizer:
    """Return the tokenizer of a folder as it is; NeedMissing without `tokenizer.json`, InputRefused if it is none."""
    file = folder / FILE_NAME
    if not file.is_file():
        raise NeedMissing(f"no {FILE_NAME} in {folder}: a fast tokenizer is needed")
    try:
        return Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises bare Exception
        raise InputRefused(f"{file} is no tokenizer: {error}") from error
