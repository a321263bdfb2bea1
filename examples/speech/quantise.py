"""Quantise the reference of a profile with ONNX Runtime, to the profile's candidate.

    python examples/speech/quantise.py PROFILE OUT [--static]

Statically quantised activations have fixed scales, calibrated on the first seeds of the profile as it prepares them.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static

from dltf.host import Host
from dltf.profile import load, override, read_tree

CALIBRATED_ON = 50  # seeds


class Clips(CalibrationDataReader):
    """The first seeds of a profile, as its reference is given them."""

    def __init__(self, profile) -> None:
        self.batches = iter(list(_prepared(profile)))

    def get_next(self):
        return next(self.batches, None)


def _prepared(profile):
    with profile.reference.backend.open(profile.reference.table.file, "cpu") as runner:
        preprocess = profile.domain.tensors.bind(runner.inputs, profile.reference.input)
    seeds = profile.seed_source.open()
    for row in range(min(CALIBRATED_ON, len(seeds))):
        for _, tensors in preprocess([seeds[row].sample]):
            yield dict(tensors)


def quantise(path: Path, out: Path, *, static: bool) -> None:
    """Write the quantised model, at once or not at all."""
    tree = load(path)
    # The candidate is what is to be made: while it is not there, the reference stands for it.
    file = os.path.expandvars(tree.tables["models"]["reference"]["file"])
    named = tree.folder(("models", "reference", "file")) / file
    profile = read_tree(override(tree, [f'models.candidate.file="{named}"']), Host())
    reference = Path(profile.reference.table.file)
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out.parent) as folder:
        made = Path(folder) / out.name
        if static:
            quantize_static(reference, made, Clips(profile), quant_format=QuantFormat.QDQ)
        else:
            quantize_dynamic(reference, made, weight_type=QuantType.QInt8)
        made.replace(out)
    print(f"{out}: {out.stat().st_size:,} bytes; {reference.name} has {reference.stat().st_size:,}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("profile", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--static", action="store_true")
    args = parser.parse_args()
    quantise(args.profile, args.out, static=args.static)
