"""Repair: a head learns the reference's answers from the candidate's scores, and what it is worth is measured."""
