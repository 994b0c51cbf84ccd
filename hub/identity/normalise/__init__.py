"""Comparison forms. In: what records say of somebody. Out: portraits, which agree where a reader would say they do."""
