"""The same reading on many machines at once, through Ray: `run` is the main path."""
