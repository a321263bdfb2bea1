"""One campaign: plan, screen, barrier, search, confirm, measure, gate."""

from dltf.campaign.run import Outcome, run

__all__ = ["Outcome", "run"]
