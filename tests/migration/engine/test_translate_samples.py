"""Each folder of tests/samples/translate is one edit; `operations.txt` holds what the translation must be, layout left out."""

from pathlib import Path

import pytest

from migration.engine.translate import translate_sources
from slots.markup.ops import Hole, Operation
from tests.migration.engine.test_translate import check

SAMPLES = Path(__file__).parents[2] / "samples" / "translate"


def read(path: Path) -> str:
    return path.read_bytes().decode()


def line(operation: Operation) -> str:
    """Return `kind name place @ address, targets: payload` on one line."""
    where = ", ".join(address.name for address in (operation.address, *operation.targets))
    pieces = [f"[{piece.address.name}]" if isinstance(piece, Hole) else repr(piece)[1:-1] for piece in operation.payload]
    return " ".join(filter(None, [operation.kind, operation.name, operation.place, "@", f"{where}:", "".join(pieces)]))


def listed(base: str, custom: str) -> str:
    operations = translate_sources(base, custom).operations
    return "".join(f"{line(operation)}\n" for operation in operations if not operation.layout)


@pytest.mark.parametrize("case", sorted(path.name for path in SAMPLES.iterdir()))
def test_translation_of_sample(case):
    base, custom = read(SAMPLES / case / "base.html"), read(SAMPLES / case / "custom.html")
    check(base, custom)
    assert listed(base, custom) == read(SAMPLES / case / "operations.txt")
