"""One function out of a stream's mapping: where values are found, how they are converted, which rows they make."""
