"""`python -m tests.browser`: the tests' browser, fetched where that may be done; fails where it is missing."""

import sys

from tests.browser import tools

if said := tools.fetch():
    sys.exit(f"The browser tests are skipped. {said}")
