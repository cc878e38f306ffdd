"""Play an order on a database file that nobody else has, and print the report as one JSON object.

Run by `process.play_apart` with the file as the database of its environment: `python -m rollout.rehearsal FILE ORDER`.
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import django


def main(arguments: Sequence[str]) -> int:
    """Play, and print; refuse to touch any database but the file."""
    began = time.perf_counter()
    django.setup()
    from rollout.rehearsal.performing import perform  # noqa: PLC0415  # models can be had once Django is set up

    file, order = arguments
    sys.stdout.write(json.dumps(perform(Path(file), json.loads(order), began=began), ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
