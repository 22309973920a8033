"""The words around the tokens: Reg2RG's prompt, byte for byte, and how its answer is read back into regions.

No tensors here. The tokenizer is read from its own file and not through a model class, because classes have changed
how text behind an added token is split, and the published weights know only one way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tokenizers import AddedToken, Tokenizer

from ..errors import InputRefused, NeedMissing
from .reg2rg_config import PUBLISHED, Reg2RGConfig

UNKNOWN_ID, BEGIN_ID, END_ID = 0, 1, 2

INSTRUCTION = (
    "Given the provided global and regional information from this CT scan, please generate a comprehensive medical "
    "report for each region. First, identify the anatomical area corresponding to each region, then provide detailed "
    "information about these anatomical structures and any abnormalities that are essential. You can refer to the "
    "global information as the context and take it as a supplement when generating each region report."
)

_HEADER = re.compile(r"The region (\d+) is ([^:\n]{1,60}):")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model wrote for one slot: the region it `named` there and its `text`, without the header."""

    slot: int
    named: str
    text: str


def added_tokens(config: Reg2RGConfig = PUBLISHED) -> tuple[str, ...]:
    """Return the tokens beyond the vocabulary in the order of their ids."""
    return (
        "<image>",
        "</image>",
        "<region>",
        "</region>",
        *(f"<image{n}>" for n in range(config.image_tokens)),
        *(f"<region{n}>" for n in range(config.region_tokens * config.max_regions)),
    )


def prompt(regions: int, config: Reg2RGConfig = PUBLISHED) -> str:
    """Return the prompt for a number of regions; ValueError if there are none or too many."""
    if not 1 <= regions <= config.max_regions:
        raise ValueError(f"1 to {config.max_regions} regions can be shown, got {regions}")
    image = "".join(f"<image{n}>" for n in range(config.image_tokens))
    parts = [f"The global information is provided as the context: <image>{image}</image>. "]
    for slot in range(regions):
        start = config.region_tokens * slot
        tokens = "".join(f"<region{n}>" for n in range(start, start + config.region_tokens))
        parts.append(f"The region {slot} is <region>{tokens}</region>. ")
    return "".join(parts) + INSTRUCTION


def target(named: list[tuple[str, str]]) -> str:
    """Return the text that the model was trained to write for (region name, sentences) in slot order."""
    return "".join(f"The region {slot} is {name}: {text} " for slot, (name, text) in enumerate(named))


def read_answers(text: str) -> tuple[Answer, ...]:
    """Return the answers in the order written; what stands before the first header belongs to no region."""
    headers = list(_HEADER.finditer(text))
    ends = [h.start() for h in headers[1:]] + [len(text)] * bool(headers)
    return tuple(
        Answer(int(h[1]), h[2].strip().lower(), text[h.end() : end].strip())
        for h, end in zip(headers, ends, strict=True)
    )


class Words:
    """The tokenizer of the base language model with Reg2RG's tokens behind its own."""

    def __init__(self, tokenizer: Tokenizer, config: Reg2RGConfig = PUBLISHED) -> None:
        """Add the tokens; InputRefused if they do not get the ids that the weights were trained with."""
        names = added_tokens(config)
        tokenizer.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in names])
        for offset, name in enumerate(names):
            if tokenizer.token_to_id(name) != config.image_open_id + offset:
                raise InputRefused(
                    f"the tokenizer gives {name} the id {tokenizer.token_to_id(name)}, the weights know it as "
                    f"{config.image_open_id + offset}: it must be the unchanged tokenizer of the base model"
                )
        self._tokenizer = tokenizer
        self._config = config

    @classmethod
    def read(cls, folder: Path, config: Reg2RGConfig = PUBLISHED) -> Words:
        """Read `tokenizer.json` of a folder; NeedMissing says where to get it."""
        file = folder / "tokenizer.json"
        if not file.is_file():
            raise NeedMissing(
                f"no tokenizer.json in {folder}: it belongs to the base model meta-llama/Llama-2-7b-chat-hf, whose "
                "licence must be accepted on its page before it can be downloaded"
            )
        try:
            tokenizer = Tokenizer.from_file(str(file))
        except Exception as error:  # the tokenizers library raises nothing narrower
            raise InputRefused(f"{file} is no tokenizer: {error}") from error
        return cls(tokenizer, config)

    def ids(self, text: str) -> list[int]:
        """Return the ids of a text, the begin mark in front."""
        ids: list[int] = self._tokenizer.encode(text).ids
        return ids if ids[:1] == [BEGIN_ID] else [BEGIN_ID, *ids]

    def prompt_ids(self, regions: int) -> list[int]:
        """Return the ids of the prompt for a number of regions."""
        return self.ids(prompt(regions, self._config))

    def text(self, ids: list[int]) -> str:
        """Return the text of written ids without marks."""
        out: str = self._tokenizer.decode(ids, skip_special_tokens=True)
        return out
