"""python -m facelocus, which is how torchrun starts it."""

from facelocus.cli import main

main()
