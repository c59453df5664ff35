"""``python -m timbrelib``: the command line."""

import sys

from timbrelib.cli import main

if __name__ == "__main__":
    sys.exit(main())
