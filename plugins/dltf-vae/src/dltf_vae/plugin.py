"""The shelves of this plugin."""

from __future__ import annotations

from dltf.plugin import Component, hookimpl


@hookimpl
def dltf_generators() -> list[Component]:
    """Encoders and decoders of pictures."""
    return [
        Component("vae", "dltf_vae.generator:Vae", "The convolutional VAE that `dltf vae train` makes."),
        Component("latent.onnx", "dltf_vae.onnx_pair:OnnxPair", "An encoder and a decoder in two ONNX files."),
        Component("latent.torch", "dltf_vae.torch_pair:TorchPair", "An encoder and a decoder in two .pt2 files."),
    ]


@hookimpl
def dltf_commands() -> list[Component]:
    """Training."""
    return [Component("vae", "dltf_vae.command:vae", "Train the generator of a profile.")]
