"""`python -m callcrm` is `callcrm`."""

from callcrm.cli import main

main()
