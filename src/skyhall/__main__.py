"""``python -m skyhall`` is the command ``skyhall``."""

from __future__ import annotations

from skyhall.cli import main

if __name__ == "__main__":
    main()
