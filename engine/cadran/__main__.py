"""``python -m cadran``."""

from cadran.cli import main

main()
