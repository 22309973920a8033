"""Language models from settings and from folders, with adapters, and what they need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM

from RegionReportLib.errors import NeedMissing
from RegionReportLib.model.build import Folders, build
from RegionReportLib.model.config import Backbone, LoraConfig, ModelConfig
from RegionReportLib.model.inputs import StudyInputs
from RegionReportLib.model.language_model import base_of, language_model
from RegionReportLib.model.network import RegionReporter, TrainingStudy
from RegionReportLib.model.tokenizer import ReportTokenizer

Make = Callable[..., RegionReporter]
LORA = LoraConfig(rank=2, alpha=4, dropout=0.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Llama with two tables of words and 50 pieces, as it would lie on a disk."""
    path = tmp_path_factory.mktemp("llama")
    torch.manual_seed(3)
    sizes = LlamaConfig(
        vocab_size=50,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        bos_token_id=1,
        tie_word_embeddings=False,
    )
    LlamaForCausalLM(sizes).save_pretrained(path)
    words = {word: n for n, word in enumerate(["<unk>", "<s>", "</s>", *"abcdefghijklmnopqrstuvwxyz", ":", "."])}
    inner = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    inner.add_special_tokens(["<unk>", "<s>", "</s>"])
    inner.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    inner.save(str(path / "tokenizer.json"))
    return path


def test_a_folder_brings_words_weights_and_its_mark_of_the_beginning(
    toy_config: ModelConfig, toy_study: StudyInputs, folder: Path
) -> None:
    model = build(toy_config, folders=Folders(language=folder))
    original = LlamaForCausalLM.from_pretrained(folder)
    assert model.config.language.width == 16
    assert model.config.box is not None
    assert model.config.box.state_width == 16  # follows the folder
    base = base_of(model.language_model)
    assert base.config._attn_implementation == "sdpa"
    table = base.get_input_embeddings().weight
    # 31 pieces and 13 marks fit into the 50 rows that are there.
    assert (model.tokenizer.size, len(table)) == (44, 50)
    assert torch.equal(table, original.get_input_embeddings().weight)
    assert torch.equal(base.lm_head.weight, original.lm_head.weight)
    assert model.tokenizer.begin_id == 1
    with torch.inference_mode():
        assert torch.equal(model.prefix(toy_study)[0, 0], table[1])


def test_a_table_that_is_too_short_for_the_marks_grows(toy_config: ModelConfig, folder: Path) -> None:
    words = ReportTokenizer.train(["A sentence with more pieces than the folder has rows."])
    placed = replace(toy_config.language, folder=str(folder))
    settings = LlamaConfig.from_pretrained(folder).to_dict()
    config = replace(toy_config, language=replace(placed, settings=settings), box=None)
    grown = base_of(language_model(config, words, weights=True))
    original = LlamaForCausalLM.from_pretrained(folder)
    assert grown.get_input_embeddings().num_embeddings == words.size > 50
    assert torch.equal(grown.get_input_embeddings().weight[:50], original.get_input_embeddings().weight)


def test_adapters_train_themselves_and_the_rows_of_the_marks_only(
    toy_config: ModelConfig, toy_study: StudyInputs, folder: Path
) -> None:
    model = build(replace(toy_config, lora=LORA), folders=Folders(language=folder)).train()
    trained = {n for n, p in model.language_model.named_parameters() if p.requires_grad}
    assert trained
    assert all("lora_" in name or "trainable_tokens" in name for name in trained)
    assert sum("lora_" in name for name in trained) == 2 * 4 * 2  # layers, projections, both factors
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=1.0)
    marks, letter = model.tokenizer.mark_ids, model.tokenizer.encode("a")
    before, before_letter = model.words(marks).detach().clone(), model.words(letter).detach().clone()
    written = model([TrainingStudy(toy_study, {"lungs": "a b <box>."})], contrast=False).written
    assert written is not None
    (written.logits.square().mean() + written.logits[..., list(marks)].sum()).backward()
    optimizer.step()
    assert torch.equal(model.words(letter), before_letter)
    moved = (model.words(marks) != before).any(dim=1)
    assert moved[marks.index(model.tokenizer.box_id)]
    head = [n for n in trained if "trainable_tokens" in n]
    assert len(head) == 2  # the table of input and the one of output


def test_one_table_for_both_ways_stays_one_beneath_adapters(toy_config: ModelConfig) -> None:
    model = build(replace(toy_config, lora=LORA), words=["Lungs: nodule."])
    rows = [p for n, p in model.language_model.named_parameters() if "trainable_tokens" in n]
    assert len(rows) == 1
    torch.nn.init.normal_(rows[0], generator=torch.Generator().manual_seed(1))
    state = torch.ones(1, model.config.language.width)
    said = base_of(model.language_model).get_output_embeddings()(state)
    assert torch.allclose(said, state @ model.words(range(model.tokenizer.size)).T, atol=1e-5)


def test_gradients_pass_through_recomputed_layers(toy_reporter: Make, toy_study: StudyInputs) -> None:
    plain, saving = toy_reporter().train(), toy_reporter().train()
    saving.save_memory()
    assert base_of(saving.language_model).is_gradient_checkpointing
    grads = []
    for model in (plain, saving):
        written = model([TrainingStudy(toy_study, {"lungs": "Nodule."})], contrast=False).written
        assert written is not None
        written.logits.square().sum().backward()
        weight = model.visual.connector.weight
        assert weight.grad is not None
        grads.append(weight.grad)
    assert torch.allclose(grads[0], grads[1], rtol=1e-3, atol=1e-4)


def test_half_precision_is_that_of_the_language_model_alone(toy_config: ModelConfig, toy_study: StudyInputs) -> None:
    model = build(toy_config, words=["Lungs: nodule."], dtype=torch.bfloat16).eval()
    with torch.inference_mode():
        assert model.prefix(toy_study).dtype == torch.bfloat16
        written = model([TrainingStudy(toy_study, {})]).written
    assert written is not None
    assert written.logits.dtype == torch.bfloat16
    assert model.visual.connector.weight.dtype == torch.float32


@pytest.mark.skipif(find_spec("bitsandbytes") is not None, reason="bitsandbytes is installed")
def test_four_bits_need_their_package(toy_config: ModelConfig, folder: Path) -> None:
    with pytest.raises(NeedMissing, match="bitsandbytes"):
        build(replace(toy_config, four_bit=True), folders=Folders(language=folder))


def test_a_folder_that_is_not_there_is_named(toy_config: ModelConfig, tmp_path: Path) -> None:
    with pytest.raises(NeedMissing, match="nowhere"):
        build(toy_config, folders=Folders(language=tmp_path / "nowhere"))


@pytest.mark.parametrize("kind", ["qwen2", "phi3", "mistral", "llama"])
def test_other_families_enter_by_the_same_door(toy_config: ModelConfig, toy_study: StudyInputs, kind: str) -> None:
    settings = {**toy_config.language.settings, "model_type": kind, "num_key_value_heads": 1, "pad_token_id": 0}
    model = build(replace(toy_config, language=Backbone(settings)), words=["Lungs: nodule."]).eval()
    with torch.inference_mode():
        written = model([TrainingStudy(toy_study, {"lungs": "nodule."})]).written
        assert written is not None
        prefix, prompt = model.prefix(toy_study), model.region_prompt(toy_study, "lungs")
        both = torch.cat((prefix, prompt), dim=1)
        alone = base_of(model.language_model)(inputs_embeds=both, output_hidden_states=True)
    here, there = slice(0, prompt.shape[1]), slice(prefix.shape[1], None)
    assert torch.allclose(written.logits[0, here], alone.logits[0, there], atol=1e-5)
    assert torch.allclose(written.hidden[0, here], alone.hidden_states[-1][0, there], atol=1e-5)
