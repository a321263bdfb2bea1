"""Lets the tests of the plugins beside this file run from a checkout, without an installation."""

import sys
from pathlib import Path

sys.path[:0] = [str(source) for source in sorted(Path(__file__).parent.glob("*/src"))]
