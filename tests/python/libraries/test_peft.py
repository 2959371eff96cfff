"""peft: adapters saved beside, loaded onto, and merged into a small random model."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import IA3Config, LoraConfig, PeftConfig, PeftModel, PromptTuningConfig, TaskType, get_peft_model
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file
from transformers import GPT2Config, GPT2LMHeadModel

from states import assert_same_model, assert_same_tensors

ADAPTER = "adapter_model.safetensors"


def base() -> GPT2LMHeadModel:
    torch.manual_seed(7)
    return GPT2LMHeadModel(GPT2Config(vocab_size=64, n_positions=32, n_embd=16, n_layer=2, n_head=2)).eval()


def lora(**options: object) -> LoraConfig:
    return LoraConfig(task_type=TaskType.CAUSAL_LM, r=4, target_modules=["c_attn"], init_lora_weights=False, **options)


CONFIGS = {
    "lora": lora(),
    "dora": lora(use_dora=True),
    "lora and a whole module": lora(modules_to_save=["ln_f"]),
    "ia3": IA3Config(
        task_type=TaskType.CAUSAL_LM, target_modules=["c_attn"], feedforward_modules=[], init_ia3_weights=False
    ),
    "prompt": PromptTuningConfig(task_type=TaskType.CAUSAL_LM, num_virtual_tokens=4),
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_an_adapter_comes_back_as_it_was_saved(config: PeftConfig, tmp_path: Path) -> None:
    model = get_peft_model(base(), config).eval()
    model.save_pretrained(tmp_path)
    assert (tmp_path / ADAPTER).is_file()

    again = PeftModel.from_pretrained(base(), tmp_path).eval()
    assert_same_tensors(get_peft_model_state_dict(again), get_peft_model_state_dict(model))
    tokens = torch.arange(8).unsqueeze(0)
    with torch.no_grad():
        assert torch.equal(again(tokens).logits, model(tokens).logits)


def test_the_file_of_an_adapter_holds_the_adapter_alone(tmp_path: Path) -> None:
    model = get_peft_model(base(), lora())
    model.save_pretrained(tmp_path)
    stored = load_file(tmp_path / ADAPTER)
    assert len(stored) == 4
    assert_same_tensors(stored, get_peft_model_state_dict(model))


def test_two_adapters_live_in_one_model(tmp_path: Path) -> None:
    model = get_peft_model(base(), lora(), adapter_name="one")
    model.add_adapter("two", lora())
    model.save_pretrained(tmp_path)

    again = PeftModel.from_pretrained(base(), tmp_path / "one", adapter_name="one")
    again.load_adapter(tmp_path / "two", adapter_name="two")
    for name in ("one", "two"):
        assert_same_tensors(
            get_peft_model_state_dict(again, adapter_name=name), get_peft_model_state_dict(model, adapter_name=name)
        )


def test_a_merged_model_is_a_plain_model(tmp_path: Path) -> None:
    merged = get_peft_model(base(), lora()).merge_and_unload()
    merged.save_pretrained(tmp_path)
    assert_same_model(GPT2LMHeadModel.from_pretrained(tmp_path), merged)
