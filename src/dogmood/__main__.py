"""``python -m dogmood``, and the program ``dogmood``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; Ctrl-C before it is there leaves as it does later."""
    try:
        from dogmood.cli import main as run
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
