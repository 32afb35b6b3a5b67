"""dogmood beside its peers: each in a process of its own, asked in turn (`peers.py`)."""
