"""Makes the two tiny models of tests/data/vision and what the reference library answers on them.

    pip install "transformers==4.46.3" "jax[cpu]" flax safetensors pillow && python tests/vision_reference.py

Weights are random with a fixed seed; names are those of the library's PyTorch models, as model folders have them.
"""
import json
import os

import jax
import numpy as np
from flax.traverse_util import flatten_dict
from PIL import Image
from safetensors.numpy import save_file
from transformers import CLIPConfig, CLIPImageProcessor, Dinov2Config, FlaxCLIPModel, FlaxDinov2Model

HERE = os.path.join(os.path.dirname(__file__), "data", "vision")


def torch_names(params, prefix=""):
    out = {}
    for path, value in flatten_dict(params).items():
        value = np.asarray(value, np.float32)
        *front, last = path
        if last == "kernel":
            value = value.transpose(3, 2, 0, 1) if value.ndim == 4 else value.T
            last = "weight"
        elif last in ("scale", "embedding"):
            last = "weight"
        out[prefix + ".".join([*map(str, front), last])] = np.ascontiguousarray(value)
    return out


def roughen(params, seed):
    """Biases and norms begin at 0 and 1, where a mistake would not show."""
    keys = iter(jax.random.split(jax.random.PRNGKey(seed), 1000))
    return jax.tree_util.tree_map(lambda value: value + 0.05 * jax.random.normal(next(keys), value.shape), params)


def numbers(n, side):
    return np.sin(np.arange(n * 3 * side * side, dtype=np.float64) * 0.7).astype(np.float32).reshape(n, 3, side, side)


def keep(name, config, processor, weights, answer, **more):
    folder = os.path.join(HERE, name)
    os.makedirs(folder, exist_ok=True)
    json.dump(config, open(os.path.join(folder, "config.json"), "w"), indent=1)
    json.dump(processor, open(os.path.join(folder, "preprocessor_config.json"), "w"), indent=1)
    save_file(weights, os.path.join(folder, "model.safetensors"))
    expected = {"rows": [[round(float(v), 6) for v in row] for row in np.asarray(answer)], **more}
    json.dump(expected, open(os.path.join(folder, "expected.json"), "w"))


vision = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, image_size=32, patch_size=8, projection_dim=16)
text = dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, vocab_size=50, max_position_embeddings=8)
config = CLIPConfig(vision_config=vision, text_config=text, projection_dim=16)
model = FlaxCLIPModel(config, seed=1)
params = roughen(model.params, 3)
processor = dict(size={"shortest_edge": 36}, crop_size={"height": 32, "width": 32}, do_center_crop=True,
                 image_mean=[0.48145466, 0.4578275, 0.40821073], image_std=[0.26862954, 0.26130258, 0.27577711])
picture = np.fromfunction(lambda y, x, c: 127 + 100 * np.sin(x * 0.11 + c) * np.cos(y * 0.07 + c), (60, 80, 3)).astype(np.uint8)
pixels = CLIPImageProcessor(**processor)(Image.fromarray(picture), return_tensors="np")["pixel_values"][0]
weights = {k: v for k, v in torch_names(params).items() if k.startswith(("vision_model", "visual_projection"))}
keep("clip", {"model_type": "clip", "projection_dim": 16, "vision_config": config.vision_config.to_dict()}, processor, weights,
     model.get_image_features(numbers(2, 32), params=params), pixels=[round(float(v), 3) for v in pixels.ravel()])

config = Dinov2Config(hidden_size=36, num_hidden_layers=2, num_attention_heads=3, mlp_ratio=2, image_size=56, patch_size=14)
model = FlaxDinov2Model(config, seed=2, input_shape=(1, 56, 56, 3))
params = roughen(model.params, 4)
weights = {k.replace("encoder.layer.", "encoder.layer."): v for k, v in torch_names(params).items() if "mask_token" not in k}
processor = dict(size={"shortest_edge": 64}, crop_size={"height": 56, "width": 56}, image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225])
keep("dinov2", {**config.to_dict(), "model_type": "dinov2"}, processor, weights, model(numbers(2, 56), params=params).pooler_output)
