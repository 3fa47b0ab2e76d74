"""`python -m tracktwo`: the command line without the installed script."""

from tracktwo.cli import main

main()
