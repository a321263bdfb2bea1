"""The boundary gap: how far apart two variants change their answers, on lines between seeds and along operators."""
