"""People's part in identity. In: a steward's decisions, labels. Out: judgements, the review queue, how good it is."""
