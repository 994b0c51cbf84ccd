"""In: a head count and a seed. Out: an invented company's records and truth, and its four APIs."""
