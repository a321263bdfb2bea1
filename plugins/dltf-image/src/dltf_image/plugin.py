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
    """Bring the seven operators of DFlare's release, and what happens to pictures between the world and a model."""
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
        Component(
            "image.brightness",
            "dltf_image.operators.brightness:Brightness",
            "Adds a drawn number of grey levels to every value.",
        ),
        Component(
            "image.contrast",
            "dltf_image.operators.contrast:Contrast",
            "Scales every value's distance from the picture's mean.",
        ),
        Component(
            "image.gamma",
            "dltf_image.operators.gamma:Gamma",
            "Makes the tones between black and white lighter or darker.",
        ),
        Component(
            "image.haze",
            "dltf_image.operators.haze:Haze",
            "Lays a light grey veil over the picture, thicker here and thinner there.",
        ),
        Component(
            "image.jpeg_compression",
            "dltf_image.operators.jpeg_compression:JpegCompression",
            "Saves the picture as a JPEG file of drawn quality.",
        ),
        Component(
            "image.defocus_blur",
            "dltf_image.operators.defocus_blur:DefocusBlur",
            "Spreads every point to a disc of drawn radius.",
        ),
        Component(
            "image.motion_blur",
            "dltf_image.operators.motion_blur:MotionBlur",
            "Spreads every point along a line of drawn length and direction.",
        ),
        Component(
            "image.rotation",
            "dltf_image.operators.rotation:Rotation",
            "Turns the picture about its middle.",
        ),
        Component(
            "image.translation",
            "dltf_image.operators.translation:Translation",
            "Moves the picture sideways, up or down.",
        ),
        Component(
            "image.scale",
            "dltf_image.operators.scale:Scale",
            "Enlarges or shrinks the picture about its middle.",
        ),
        Component(
            "image.shear",
            "dltf_image.operators.shear:Shear",
            "Slants the picture about its middle.",
        ),
        Component(
            "image.occlusion",
            "dltf_image.operators.occlusion:Occlusion",
            "Puts a grey rectangle in front of the picture.",
        ),
    ]


@hookimpl
def dltf_operator_presets() -> list[Component]:
    """Bring DFlare's operators, as its release and as its paper have them, and natural changes."""
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
        Component(
            "image.photographic",
            "dltf_image.natural_presets:Photographic",
            "Light, lens, sensor and file: eight changes of tone and sharpness.",
        ),
        Component(
            "image.geometric",
            "dltf_image.natural_presets:Geometric",
            "Where the camera stood: rotation, translation, scale and shear.",
        ),
        Component(
            "image.natural",
            "dltf_image.natural_presets:Natural",
            "The photographic and the geometric changes, and occlusion.",
        ),
        Component(
            "image.wide",
            "dltf_image.natural_presets:Wide",
            "Changes so strong that answers are lost on the way: ends of paths for `bracket`.",
        ),
    ]


@hookimpl
def dltf_decoders() -> list[Component]:
    """Bring detectors' boxes."""
    return [
        Component("detections", "dltf_image.detection.decoder:Detections", "Boxes, each with a class and a score."),
    ]


@hookimpl
def dltf_oracles() -> list[Component]:
    """Bring the judgement of boxes."""
    return [
        Component("matched_boxes", "dltf_image.detection.oracle:MatchedBoxes", "Some box has no partner of its class."),
    ]
