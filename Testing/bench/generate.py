"""How fast regions are written: six at once, those of several scans at once, one long pass, and plain `generate`.

    python Testing/bench/generate.py [--size demo|small|7b] [--device cpu|cuda] [--runs N]

All ways have the same weights. They are random, so each sentence is given a fixed number of words and nobody ends
early: what is timed is the machinery, the same amount of text a scan in each row of the table. The prefix and prompts
have the length of the paper's setting. Prints a Markdown table of medians; on a computer that others use too, compare
the processor's seconds. Peak memory is that of the process (CPU) or of the device (CUDA) in a fresh process for each
way of writing.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import psutil
import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from RegionReportLib.model.generate import OpenStudy, SentenceWritten, Settings
from RegionReportLib.model.generate_decode import Batch, read_prefix
from RegionReportLib.model.generate_many import write_studies
from RegionReportLib.model.generate_sentences import Limits, Marks

REGIONS, SENTENCES, WORDS = 6, 5, 18
PREFIX, PROMPT = 480, 48
SIZES = {
    "demo": {"hidden_size": 256, "intermediate_size": 704, "num_hidden_layers": 6, "num_attention_heads": 8},
    "small": {"hidden_size": 1024, "intermediate_size": 2816, "num_hidden_layers": 12, "num_attention_heads": 16},
    "7b": {
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 128256,
    },
}
SEVERAL = {f"{n} scans at once": n for n in (2, 4, 8)}
WAYS = ("six at once", *SEVERAL, "one long pass", "plain generate, one long pass", "plain generate, six in turn")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="demo")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--ways", choices=WAYS, nargs="+", default=WAYS, metavar="WAY", help="only these rows")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        print(json.dumps(bench(arguments)))
        return
    ways = [way for way in WAYS if way in arguments.ways]
    rows = [in_own_process(arguments, way) for way in ways]
    print(f"{arguments.size} on {arguments.device}, {REGIONS * SENTENCES} sentences of {WORDS} words a scan, ", end="")
    print(f"{PREFIX} vectors in common and {PROMPT} for each region")
    print("| way | sentences/s | words/s | first sentence (s) | all (s) | processor (s a scan) | peak memory (MB) |")
    print("|" + " --- |" * 7)
    for way, row in zip(ways, rows, strict=True):
        total = SEVERAL.get(way, 1) * REGIONS * SENTENCES / row["all_s"]
        first = f"{row['first_s']:.3f}" if row["first_s"] is not None else "at the end"
        print(f"| {way} | {total:.1f} | {total * WORDS:.0f} | {first} | ", end="")
        print(f"{row['all_s']:.2f} | {row['processor_s'] / SEVERAL.get(way, 1):.2f} | {row['memory_mb']:.0f} |")


def in_own_process(arguments: argparse.Namespace, way: str) -> dict:
    words = [sys.executable, __file__, "--size", arguments.size, "--device", arguments.device]
    words += ["--runs", str(arguments.runs), "--way", way]
    return json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def bench(arguments: argparse.Namespace) -> dict:
    language = network(arguments)
    kind = language.dtype
    generator = torch.Generator(device=arguments.device).manual_seed(0)
    width = language.config.hidden_size
    shape = {"device": arguments.device, "dtype": kind, "generator": generator}
    prefix = torch.randn(1, PREFIX, width, **shape) * 0.02
    prompts = [torch.randn(PROMPT, width, **shape) * 0.02 for _ in range(REGIONS)]
    way = WAY[arguments.way]
    way(language, prefix, prompts, 2)  # what is done once only is not timed
    timed = [timing(way, language, prefix, prompts) for _ in range(arguments.runs)]
    firsts = [first for first, *_ in timed if first is not None]
    return {
        "first_s": statistics.median(firsts) if firsts else None,
        "all_s": statistics.median(whole for _, whole, _ in timed),
        "processor_s": statistics.median(own for *_, own in timed),
        "memory_mb": peak_mb(arguments.device),
    }


def network(arguments: argparse.Namespace) -> Any:
    torch.manual_seed(0)
    kind = torch.bfloat16 if arguments.device == "cuda" else torch.float32
    settings = LlamaConfig(**{"vocab_size": 4096, **SIZES[arguments.size]}, max_position_embeddings=8192)
    with torch.device(arguments.device):
        torch.set_default_dtype(kind)
        model = LlamaForCausalLM(settings)
        torch.set_default_dtype(torch.float32)
    return model.eval()


def timing(way: Callable, language: Any, prefix: Tensor, prompts: list[Tensor]) -> tuple[float | None, float, float]:
    """Return the seconds to the first sentence and to the end, and those that the processors worked for this alone."""
    if prefix.is_cuda:
        torch.cuda.synchronize()
    start, worked = time.perf_counter(), time.process_time()
    first = way(language, prefix, prompts, SENTENCES)
    if prefix.is_cuda:
        torch.cuda.synchronize()
    return (first - start if first else None), time.perf_counter() - start, time.process_time() - worked


def six_at_once(language: Any, prefix: Tensor, prompts: list[Tensor], sentences: int) -> float | None:
    return scans_at_once(1, language, prefix, prompts, sentences)


def scans_at_once(scans: int, language: Any, prefix: Tensor, prompts: list[Tensor], sentences: int) -> float | None:
    """Write about so many scans, each with a reading of its own of a prefix."""
    ends = EveryNth(WORDS, scans * REGIONS)
    studies = [
        OpenStudy(
            language,
            read_prefix(language, prefix),
            {f"region {n}": prompt for n, prompt in enumerate(prompts)},
            ends,
            Marks(end=()),
        )
        for _ in range(scans)
    ]
    limits = Limits(region=sentences * WORDS, sentence=WORDS + 1)
    first = None
    count = 0
    for event in write_studies(studies, Settings(limits=limits)):
        if isinstance(event, SentenceWritten):
            first = first or time.perf_counter()
            count += 1
    assert count == scans * REGIONS * sentences, count
    return first


class EveryNth:
    """A decoder under which every n-th word of a row ends a line; words of the rows come in turn."""

    def __init__(self, words: int, rows: int) -> None:
        self.words, self.rows, self.taken, self.said = words, rows, 0, 0

    def __call__(self, ids: list[int]) -> str:
        if len(ids) > 1:
            self.said += 1
            return f"sentence {self.said}"
        self.taken += 1
        return "\n" if (self.taken - 1) // self.rows % self.words == self.words - 1 else " "


@torch.inference_mode()
def one_long_pass(language: Any, prefix: Tensor, prompts: list[Tensor], sentences: int) -> float | None:
    """The way of Reg2RG: all prompts first, then one text for all regions, with our own decoder."""
    batch = Batch(language, [read_prefix(language, prefix)], [torch.cat(prompts)])
    following, _ = batch.read_prompts()
    first = None
    for step in range(REGIONS * sentences * WORDS):
        ids = following.logits.argmax(dim=-1)
        ids.tolist()  # a word is read where it is written, as in use
        if step == WORDS - 1:
            first = time.perf_counter()
        following = batch.read(ids)
    return first


@torch.inference_mode()
def plain_long_pass(language: Any, prefix: Tensor, prompts: list[Tensor], sentences: int) -> None:
    plain(language, torch.cat((prefix[0], *prompts)), REGIONS * sentences * WORDS)


@torch.inference_mode()
def plain_in_turn(language: Any, prefix: Tensor, prompts: list[Tensor], sentences: int) -> None:
    for prompt in prompts:
        plain(language, torch.cat((prefix[0], prompt)), sentences * WORDS)


def plain(language: Any, embeds: Tensor, words: int) -> None:
    seen = torch.ones(1, len(embeds), dtype=torch.long, device=embeds.device)
    length = {"max_new_tokens": words, "min_new_tokens": words, "do_sample": False, "pad_token_id": 0}
    out = language.generate(inputs_embeds=embeds[None], attention_mask=seen, **length)
    assert out.shape[1] == words, out.shape


several = [partial(scans_at_once, scans) for scans in SEVERAL.values()]
WAY = dict(zip(WAYS, (six_at_once, *several, one_long_pass, plain_long_pass, plain_in_turn), strict=True))


def peak_mb(device: str) -> float:
    if device == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    memory = psutil.Process().memory_info()
    if hasattr(memory, "peak_wset"):
        return memory.peak_wset / 2**20
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
