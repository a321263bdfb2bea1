"""The memory of a campaign on 100,000 seeds, above that of the same campaign on 100.

`DLTF_DATA=… python benchmarks/memory.py` repeats MNIST, screens and searches it (five queries a seed) on the LeNet-5
pair, and takes a minute. The issue that asked for it allows 500 MB.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

PROFILE = """
[campaign]
name = "memory"
domain = "image"

[seeds]
use = "image.npz"
path = "{seeds}"

[models.reference]
file = "{models}/lenet5.onnx"

[models.candidate]
file = "{models}/lenet5-quan.lite"

[search]
max_queries = 5

[[operators]]
preset = "image.dflare-released"
"""
PROGRAM = "import resource, sys; from dltf.cli import cli; cli.main(sys.argv[1:], standalone_mode=False); " \
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"  # fmt: skip


def main() -> None:
    """Print the largest resident size of both campaigns."""
    data = Path(os.environ["DLTF_DATA"])
    with TemporaryDirectory() as named:
        folder = Path(named)
        with np.load(data / "mnist.npz") as mnist:
            x, y = (np.concatenate([mnist[f"{key}_train"], mnist[f"{key}_test"]]) for key in "xy")
        rows = np.arange(100_000) % len(x)
        np.savez(folder / "seeds.npz", x=x[rows], y=y[rows])
        profile = folder / "memory.toml"
        profile.write_text(PROFILE.format(seeds=folder / "seeds.npz", models=data / "models" / "dflare"))
        few, many = (largest_mb(profile, folder / str(count), count) for count in (100, 100_000))
    array = 100_000 * 28 * 28 / 2**20
    print(f"100 seeds {few:.0f} MB, 100,000 seeds {many:.0f} MB: {many - few:.0f} MB more", end=", ")
    print(f"and both hold the array of seeds, {array:.0f} MB")


def largest_mb(profile: Path, out: Path, count: int) -> float:
    """Run the profile in a process of its own; return its largest resident size."""
    arguments = ["run", str(profile), "--out", str(out), "--quiet", "--set", f"seeds.count={count}"]
    ended = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], check=True, capture_output=True, text=True)
    scale = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, kilobytes elsewhere
    return int(ended.stdout.splitlines()[-1]) / scale


if __name__ == "__main__":
    main()
