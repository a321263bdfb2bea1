"""Every promise of a repair head, tested by the kit that ships with dltf."""

from dltf.testing import Examples, conformance


@conformance("drepair")
def test_conformance(folder):
    return Examples()
