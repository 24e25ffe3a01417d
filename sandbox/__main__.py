"""`python -m sandbox --port 8100`: the sandbox without Django."""

import argparse

from .run import add_arguments, run

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="sandbox", description=run.__doc__)
    add_arguments(parser)
    options = parser.parse_args()
    run(options.port, options.seed, log=options.log)
