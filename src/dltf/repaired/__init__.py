"""A model that is repaired: what a repair head is kept as, where it takes the word, and the decoder it makes."""
