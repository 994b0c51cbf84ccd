"""What was answered: envelopes, formats, records with their keys and marks."""
