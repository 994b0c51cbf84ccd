"""Evidence. In: portraits that share something. Out: what a key is worth, and a judgement with its reasons."""
