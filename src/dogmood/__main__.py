"""``python -m dogmood``."""

from dogmood.cli import main

main()
