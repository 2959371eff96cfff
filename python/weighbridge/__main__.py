"""``python -m weighbridge`` is the program ``weighbridge``."""

from weighbridge._cli import main

main()
