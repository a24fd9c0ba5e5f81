"""`python -m tests.container`: the tools that the tests of the image need, fetched where that is asked for."""

from tests.container import tools

if said := tools.fetch():
    print(said, flush=True)
