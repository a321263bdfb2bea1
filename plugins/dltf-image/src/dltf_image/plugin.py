"""The shelves of this plugin."""

from __future__ import annotations

from dltf.plugin import Component, hookimpl


@hookimpl
def dltf_domains() -> list[Component]:
    """Bring pictures."""
    return [Component("image", "dltf_image.domain:ImageDomain", "Pictures: uint8, grey or RGB.")]


@hookimpl
def dltf_seed_sources() -> list[Component]:
    """Bring folders, arrays and public data sets."""
    return [
        Component("image.folder", "dltf_image.seeds.folder:Folder", "Picture files, class by class or all together."),
        Component("image.npz", "dltf_image.seeds.npz:Npz", "uint8 pictures and their labels in a NumPy archive."),
        Component("image.mnist", "dltf_image.seeds.mnist:Mnist", "MNIST: handwritten digits, 28×28 grey."),
        Component("image.fashion_mnist", "dltf_image.seeds.mnist:FashionMnist", "Fashion-MNIST: clothes, 28×28 grey."),
        Component("image.cifar10", "dltf_image.seeds.cifar10:Cifar10", "CIFAR-10: ten kinds of things, 32×32 RGB."),
        Component("image.cifar10_jpeg", "dltf_image.seeds.cifar10:Cifar10Jpeg", "CIFAR-10 as JPEG files: lossy."),
        Component("image.digits", "dltf_image.seeds.digits:Digits", "scikit-learn's digits, 8×8 grey; no download."),
    ]


@hookimpl
def dltf_mutation_operators() -> list[Component]:
    """Bring the seven operators of DFlare's release."""
    return [
        Component(
            "image.gaussian_noise",
            "dltf_image.operators.gaussian_noise:GaussianNoise",
            "Adds normal noise of a fixed variance.",
        ),
        Component(
            "image.salt_and_pepper",
            "dltf_image.operators.salt_and_pepper:SaltAndPepper",
            "Sets a few values to white and as many to black.",
        ),
        Component(
            "image.multiplicative_noise",
            "dltf_image.operators.multiplicative_noise:MultiplicativeNoise",
            "Scales every value by a noise of drawn mean and variance.",
        ),
        Component(
            "image.pixel_change",
            "dltf_image.operators.pixel_change:PixelChange",
            "Sets a few values to others.",
        ),
        Component(
            "image.average_blur",
            "dltf_image.operators.average_blur:AverageBlur",
            "Averages over a square of drawn size.",
        ),
        Component(
            "image.gaussian_blur",
            "dltf_image.operators.gaussian_blur:GaussianBlur",
            "Blurs with a Gaussian of drawn size.",
        ),
        Component(
            "image.median_blur",
            "dltf_image.operators.median_blur:MedianBlur",
            "Takes the median over a square of drawn size.",
        ),
    ]


@hookimpl
def dltf_operator_presets() -> list[Component]:
    """Bring DFlare's operators, as its release and as its paper have them."""
    return [
        Component(
            "image.dflare-released",
            "dltf_image.presets:DflareReleased",
            "DFlare's seven operators as released: values wrap around.",
        ),
        Component(
            "image.dflare-paper",
            "dltf_image.presets:DflarePaper",
            "The six operators of DFlare's table 3: values are clipped.",
        ),
    ]
