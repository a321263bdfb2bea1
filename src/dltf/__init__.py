"""dltf: differential testing of deep-learning models.

Authors of plugins import `dltf.plugin`; everyone else uses the command `dltf` (see `dltf --help`).
"""

__version__ = "0.1.0"
