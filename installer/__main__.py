"""``python -m installer``: the sync, without Django. Its environment is all that it reads."""

import sys

from installer.cli import main

if __name__ == "__main__":
    sys.exit(main())
