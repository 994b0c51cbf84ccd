"""Drafts of mapping files. In: a kind of system, or an OpenAPI document. Out: YAML text in which guesses are marked."""
