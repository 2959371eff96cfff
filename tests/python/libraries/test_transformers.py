"""transformers: save_pretrained and from_pretrained of small random models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import transformers
from safetensors import safe_open
from transformers import (
    BertConfig,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    T5Config,
    T5ForConditionalGeneration,
)

from states import assert_same_model

INDEX = "model.safetensors.index.json"


def bert() -> PreTrainedModel:
    return BertModel(
        BertConfig(vocab_size=64, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32)
    )


def gpt2() -> PreTrainedModel:
    """Its head is tied to its embedding."""
    return GPT2LMHeadModel(GPT2Config(vocab_size=64, n_positions=32, n_embd=16, n_layer=2, n_head=2))


def t5() -> PreTrainedModel:
    """One embedding for encoder, decoder and head."""
    return T5ForConditionalGeneration(T5Config(vocab_size=64, d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2))


def llama() -> PreTrainedModel:
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=64,
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=2,
        )
    )


def load(model: PreTrainedModel, folder: Path, **options: object) -> PreTrainedModel:
    """What from_pretrained makes of FOLDER, with every name accounted for."""
    loaded, report = type(model).from_pretrained(folder, output_loading_info=True, **options)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    assert not report["mismatched_keys"]
    return loaded


@pytest.mark.parametrize("make", [bert, gpt2, t5, llama])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_a_model_comes_back_as_it_was_saved(make, dtype: torch.dtype, tmp_path: Path) -> None:
    model = make().to(dtype).eval()
    model.save_pretrained(tmp_path)
    assert (tmp_path / "model.safetensors").is_file()
    assert_same_model(load(model, tmp_path, dtype=dtype), model)


@pytest.mark.parametrize("make", [gpt2, t5])
def test_tied_weights_are_stored_once_and_tied_again(make, tmp_path: Path) -> None:
    model = make()
    model.save_pretrained(tmp_path)
    with safe_open(tmp_path / "model.safetensors", "pt") as file:
        names = set(file.keys())
        assert file.metadata() == {"format": "pt"}
    assert "lm_head.weight" not in names
    loaded = load(model, tmp_path)
    assert loaded.lm_head.weight.data_ptr() == loaded.get_input_embeddings().weight.data_ptr()


@pytest.mark.parametrize("make", [gpt2, llama])
def test_a_model_comes_back_from_shards(make, tmp_path: Path) -> None:
    model = make()
    model.save_pretrained(tmp_path, max_shard_size="10KB")
    index = json.loads((tmp_path / INDEX).read_text())
    shards = set(index["weight_map"].values())
    assert len(shards) > 2
    assert {path.name for path in tmp_path.glob("*.safetensors")} == shards
    assert_same_model(load(model, tmp_path), model)


def test_weights_are_cast_on_the_way_in(tmp_path: Path) -> None:
    model = llama()
    model.save_pretrained(tmp_path)
    loaded = load(model, tmp_path, dtype=torch.float16)
    assert_same_model(loaded, model.to(torch.float16))


def test_a_saved_model_may_be_written_over_while_it_is_in_use(tmp_path: Path) -> None:
    model = gpt2()
    model.save_pretrained(tmp_path)
    loaded = load(model, tmp_path)
    loaded.save_pretrained(tmp_path)
    assert_same_model(loaded, model)
    assert_same_model(load(model, tmp_path), model)


def test_a_device_map_places_and_offloads_the_layers(tmp_path: Path) -> None:
    model = llama().eval()
    model.save_pretrained(tmp_path / "model")
    device_map = {
        "model.embed_tokens": "cpu",
        "model.layers.0": "cpu",
        "model.layers.1": "disk",
        "model.layers.2": "disk",
        "model.layers.3": "cpu",
        "model.norm": "cpu",
        "model.rotary_emb": "cpu",
        "lm_head": "cpu",
    }
    loaded = LlamaForCausalLM.from_pretrained(
        tmp_path / "model", device_map=device_map, offload_folder=tmp_path / "offload"
    )
    tokens = torch.arange(8).unsqueeze(0)
    with torch.no_grad():
        assert torch.equal(loaded(tokens).logits, model(tokens).logits)


def test_logits_are_those_of_the_model_that_was_saved(tmp_path: Path) -> None:
    model = llama().eval()
    model.save_pretrained(tmp_path, max_shard_size="10KB")
    tokens = torch.arange(12).reshape(2, 6)
    with torch.no_grad():
        assert torch.equal(load(model, tmp_path).eval()(tokens).logits, model(tokens).logits)


def test_the_version_that_transformers_asks_for_is_there() -> None:
    transformers.dependency_versions_check.dep_version_check("safetensors")
