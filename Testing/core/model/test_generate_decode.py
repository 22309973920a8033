"""Six prompts at once are written as each would be alone, word by word."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

from RegionReportLib.model.generate_decode import Batch, Prefix, read_prefix

LENGTHS = (3, 7, 1, 5, 5, 2)
STEPS = 14


def language(kind: str) -> Any:
    sizes = {
        "vocab_size": 61,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "initializer_range": 0.4,  # large, so that what is written depends on what was read
        "tie_word_embeddings": False,
    }
    torch.manual_seed(3)
    model: Any = Qwen2ForCausalLM(Qwen2Config(**sizes)) if kind == "qwen2" else LlamaForCausalLM(LlamaConfig(**sizes))
    if kind == "llama, eager":
        model.set_attn_implementation("eager")  # whose attention is left as it is: the prefix is copied for each row
    return model.eval()


@pytest.fixture(scope="module", params=["llama", "qwen2", "llama, eager"])
def model(request: pytest.FixtureRequest) -> Any:
    return language(request.param)


def vectors(seed: int, count: int) -> Tensor:
    return torch.randn(count, 32, generator=torch.Generator().manual_seed(seed))


def prompts() -> list[Tensor]:
    return [vectors(10 + n, length) for n, length in enumerate(LENGTHS)]


@torch.inference_mode()
def written_alone(model: Any, prefix: Tensor, prompt: Tensor) -> tuple[list[int], list[Tensor]]:
    """The plain way: all is read anew for each word, without a cache, padding or positions."""
    embeds, ids, states = torch.cat((prefix[0], prompt)), [], []
    for _ in range(STEPS):
        out = model(inputs_embeds=embeds[None], output_hidden_states=True)
        ids.append(int(out.logits[0, -1].argmax()))
        states.append(out.hidden_states[-1][0, -1])
        embeds = torch.cat((embeds, model.get_input_embeddings()(torch.tensor(ids[-1:]))))
    return ids, states


def written_at_once(
    model: Any, prefix: Prefix | Sequence[Prefix], rows: Sequence[Tensor], stop: dict[int, int] | None = None
) -> list[list[int]]:
    """`stop` tells after how many words a row leaves the batch."""
    batch = Batch(model, [prefix] * len(rows) if isinstance(prefix, Prefix) else prefix, rows)
    following, _ = batch.read_prompts()
    out: list[list[int]] = [[] for _ in rows]
    for _ in range(STEPS):
        ids = following.logits.argmax(dim=-1)
        for row, token in zip(batch.rows, ids.tolist(), strict=True):
            out[row].append(token)
        going = [place for place, row in enumerate(batch.rows) if len(out[row]) != (stop or {}).get(row)]
        if not going:
            break
        batch.keep(going)
        following = batch.read(ids[going])
    return out


def test_a_batch_of_six_is_written_as_each_alone(model: Any) -> None:
    prefix = vectors(1, 9)[None]
    alone = [written_alone(model, prefix, prompt)[0] for prompt in prompts()]
    assert written_at_once(model, read_prefix(model, prefix), prompts()) == alone
    # The comparison says something: the six differ, and none of them says one word for ever.
    assert all(a != b for a, b in itertools.combinations(alone, 2))
    assert min(len(set(ids)) for ids in alone) > 3


PREFIXES = (9, 4, 9, 1)
OF_PREFIX = (0, 0, 1, 1, 1, 2, 3, 3)
"""Which prefix each row begins with, in the tests of several scans."""


def rows_of_several(model: Any) -> tuple[list[Tensor], list[Prefix], list[Tensor]]:
    """For each row: the vectors of its prefix, what was read of them, and a prompt."""
    said = [vectors(30 + n, length)[None] for n, length in enumerate(PREFIXES)]
    read = [read_prefix(model, prefix) for prefix in said]
    rows = [vectors(50 + n, 1 + 3 * n % 8) for n in range(len(OF_PREFIX))]
    return [said[n] for n in OF_PREFIX], [read[n] for n in OF_PREFIX], rows


def test_rows_with_several_beginnings_are_written_as_each_alone(model: Any) -> None:
    said, read, rows = rows_of_several(model)
    alone = [written_alone(model, prefix, prompt)[0] for prefix, prompt in zip(said, rows, strict=True)]
    assert written_at_once(model, read, rows) == alone
    assert all(a != b for a, b in itertools.combinations(alone, 2))


def test_beginnings_whose_rows_have_all_ended_leave_the_others_as_they_were(model: Any) -> None:
    _, read, rows = rows_of_several(model)
    whole = written_at_once(model, read, rows)
    for cut in ({0: 2, 1: 5}, {5: 1, 3: 4}, {6: 3, 7: 3, 2: 6}, dict.fromkeys((0, 1, 2, 3, 4), 1)):
        some = written_at_once(model, read, rows, cut)
        assert some == [ids[: cut.get(row, STEPS)] for row, ids in enumerate(whole)], cut


def test_states_are_those_of_each_row_alone(model: Any) -> None:
    prefix = vectors(1, 9)[None]
    batch = Batch(model, [read_prefix(model, prefix)] * 6, prompts())
    following, _ = batch.read_prompts()
    following = batch.read(following.logits.argmax(dim=-1))
    for row, prompt in enumerate(prompts()):
        assert torch.allclose(following.states[row], written_alone(model, prefix, prompt)[1][1], atol=1e-4)


def test_rows_that_end_leave_the_others_as_they_were(model: Any) -> None:
    prefix = read_prefix(model, vectors(1, 9)[None])
    whole = written_at_once(model, prefix, prompts())
    cut = {0: 4, 3: 1, 5: 9}
    some = written_at_once(model, prefix, prompts(), cut)
    assert some == [ids[: cut.get(row, STEPS)] for row, ids in enumerate(whole)]


def test_a_prefix_serves_again_and_one_row_can_be_written_alone(model: Any) -> None:
    prefix = read_prefix(model, vectors(1, 9)[None])
    whole = written_at_once(model, prefix, prompts())
    assert written_at_once(model, prefix, prompts()) == whole
    assert written_at_once(model, prefix, prompts()[1:2]) == whole[1:2]
    assert prefix.cache.get_seq_length() == prefix.length == 9


def test_what_the_prefix_says_changes_what_is_written(model: Any) -> None:
    first = written_at_once(model, read_prefix(model, vectors(1, 9)[None]), prompts())
    other = written_at_once(model, read_prefix(model, vectors(2, 9)[None]), prompts())
    assert all(a != b for a, b in zip(first, other, strict=True))


def test_ids_that_are_given_are_read_as_if_written_and_their_chance_is_told(model: Any) -> None:
    prefix = vectors(1, 9)[None]
    given: list[list[int]] = [[5, 6, 7], [], [8], [9, 10], [11], [12, 13, 14, 15]]
    table = model.get_input_embeddings()
    longer = [
        torch.cat((p, table(torch.tensor(ids, dtype=torch.long)))) for p, ids in zip(prompts(), given, strict=True)
    ]
    batch = Batch(model, [read_prefix(model, prefix)] * 6, prompts())
    following, chances = batch.read_prompts(given)
    for row, prompt in enumerate(longer):
        with torch.inference_mode():
            logits = model(inputs_embeds=torch.cat((prefix[0], prompt))[None]).logits[0]
        assert int(following.logits[row].argmax()) == int(logits[-1].argmax())
        expected = 1.0
        for back, token in enumerate(reversed(given[row])):
            expected *= float(logits[-2 - back].softmax(-1)[token])
        assert chances[row] == (pytest.approx(expected, rel=1e-3) if given[row] else None)


def test_the_prefix_is_held_once_where_attention_allows_and_left_as_it_was(model: Any) -> None:
    kind = model.config._attn_implementation
    prefix = read_prefix(model, vectors(1, 9)[None])
    batch = Batch(model, [prefix] * 6, prompts())
    batch.read_prompts()
    held = batch._cache.layers[0].keys
    longest = max(LENGTHS)
    assert held.shape == ((6, 2, longest, 8) if kind == "sdpa" else (6, 2, 9 + longest, 8))
    assert model.config._attn_implementation == kind
    assert prefix.cache.get_seq_length() == 9


def test_an_empty_prompt_and_one_without_prefix_are_refused(model: Any) -> None:
    prefix = read_prefix(model, vectors(1, 9)[None])
    with pytest.raises(ValueError, match="each prompt needs a vector"):
        Batch(model, [prefix] * 2, [vectors(3, 2), vectors(3, 0)])
    with pytest.raises(ValueError, match="each prompt needs its prefix, got 1 for 2"):
        Batch(model, [prefix], [vectors(3, 2), vectors(3, 2)])
