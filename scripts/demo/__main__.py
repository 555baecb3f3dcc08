"""``python -m scripts.demo``."""

import sys

from scripts.demo.command import main

if __name__ == "__main__":
    sys.exit(main())
