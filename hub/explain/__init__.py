"""One customer with the grounds of everything said about it: as a tree of words, and as a picture."""
