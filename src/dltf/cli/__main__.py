"""`python -m dltf.cli`, the same as `dltf`."""

from dltf.cli import main

main()
