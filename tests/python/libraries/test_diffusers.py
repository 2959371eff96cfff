"""diffusers: models, sharded models, a whole pipeline and LoRA weights, saved and loaded."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDPMPipeline, DDPMScheduler, UNet2DConditionModel, UNet2DModel
from diffusers.loaders import StableDiffusionLoraLoaderMixin
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict

from states import assert_same_model, assert_same_tensors

INDEX = "diffusion_pytorch_model.safetensors.index.json"


def unet() -> UNet2DModel:
    return UNet2DModel(
        sample_size=8,
        in_channels=1,
        out_channels=1,
        layers_per_block=1,
        norm_num_groups=4,
        block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
    )


def conditional_unet() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=8,
        layers_per_block=1,
        norm_num_groups=4,
        cross_attention_dim=8,
        attention_head_dim=2,
        block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    )


def autoencoder() -> AutoencoderKL:
    return AutoencoderKL(block_out_channels=(8,), norm_num_groups=4)


def test_a_model_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    for model in (unet(), autoencoder()):
        folder = tmp_path / type(model).__name__
        model.save_pretrained(folder)
        assert (folder / "diffusion_pytorch_model.safetensors").is_file()
        assert_same_model(type(model).from_pretrained(folder), model)


def test_half_precision_and_a_variant_name(tmp_path: Path) -> None:
    model = unet().to(torch.float16)
    model.save_pretrained(tmp_path, variant="fp16")
    assert (tmp_path / "diffusion_pytorch_model.fp16.safetensors").is_file()
    assert_same_model(UNet2DModel.from_pretrained(tmp_path, variant="fp16", torch_dtype=torch.float16), model)


def test_a_model_comes_back_from_shards(tmp_path: Path) -> None:
    model = unet()
    model.save_pretrained(tmp_path, max_shard_size="20KB")
    index = json.loads((tmp_path / INDEX).read_text())
    assert len(set(index["weight_map"].values())) > 2
    assert_same_model(UNet2DModel.from_pretrained(tmp_path), model)


def test_a_pipeline_draws_the_same_picture(tmp_path: Path) -> None:
    pipeline = DDPMPipeline(unet(), DDPMScheduler(num_train_timesteps=10))
    pipeline.set_progress_bar_config(disable=True)
    pipeline.save_pretrained(tmp_path, safe_serialization=True)
    assert not list(tmp_path.rglob("*.bin"))

    again = DDPMPipeline.from_pretrained(tmp_path)
    again.set_progress_bar_config(disable=True)
    draw = {"num_inference_steps": 2, "output_type": "np"}
    wanted = pipeline(generator=torch.manual_seed(3), **draw).images
    assert (again(generator=torch.manual_seed(3), **draw).images == wanted).all()


def test_lora_weights_travel_alone(tmp_path: Path) -> None:
    model = conditional_unet()
    model.add_adapter(LoraConfig(r=2, target_modules=["to_q", "to_v"], init_lora_weights="gaussian"))
    lora = get_peft_model_state_dict(model)
    StableDiffusionLoraLoaderMixin.save_lora_weights(tmp_path, unet_lora_layers=lora)
    assert (tmp_path / "pytorch_lora_weights.safetensors").is_file()

    found, _ = StableDiffusionLoraLoaderMixin.lora_state_dict(tmp_path, weight_name="pytorch_lora_weights.safetensors")
    assert_same_tensors(found, {f"unet.{name}": tensor for name, tensor in lora.items()})
