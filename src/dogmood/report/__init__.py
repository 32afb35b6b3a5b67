"""One page about readings: what was seen, when, and what a person should look at."""
