"""`python -m dltf.cli`, the same as `dltf`."""

from dltf.cli import main

if __name__ == "__main__":
    main()
