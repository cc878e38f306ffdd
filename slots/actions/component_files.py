"""Find component versions in files: JSON Lines, and folders `KEY/VERSION/template.html` with contract and samples beside it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from slots.actions.json_lines import decode, read_lines
from slots.errors import Refusal
from slots.registry import ComponentDefinition, ComponentRecord, read_folder, read_record

TEMPLATE: Final = "template.html"
_DIGITS: Final = re.compile(r"(\d+)")

# Name of the source, line in it (0 for a folder), and the record or why it is none.
Found = tuple[str, int, ComponentRecord | Refusal]


def read_path(path: Path) -> Iterator[Found]:
    """Yield everything at `path`, versions in natural order."""
    if path.is_dir():
        templates = sorted(path.rglob(TEMPLATE), key=lambda each: natural_order(str(each.parent)))
        if not templates:
            text = f"No {TEMPLATE} is below this folder. It has to hold KEY/VERSION/{TEMPLATE}."
            yield str(path), 0, Refusal("FOLDER_EMPTY", 0, text)
        for template in templates:
            yield str(template.parent), 0, read_version_folder(template.parent)
        return
    for number, _, value in read_lines(path):
        yield str(path), number, value if isinstance(value, Refusal) else read_record(value, line=number)


def read_definition(definition: ComponentDefinition) -> Iterator[Found]:
    """Yield the versions of a component that code declares, those written inline first."""
    for version in definition.versions:
        yield f"{definition.key} in code", 0, version
    if definition.folder:
        for source, line, found in read_path(Path(definition.folder)):
            if isinstance(found, ComponentRecord) and found.key != definition.key:
                text = f"The folder belongs to {found.key}, the definition to {definition.key}. Rename one of them."
                yield source, line, Refusal("KEY_DIFFERS", line, text)
            else:
                yield source, line, found


def read_version_folder(folder: Path) -> ComponentRecord | Refusal:
    """Return the record of one folder `KEY/VERSION`."""
    resolved = folder.resolve()
    contract = folder / "contract.toml"
    samples: dict[str, object] = {}
    try:
        template = (folder / TEMPLATE).read_text("utf-8")
        contract_toml = contract.read_text("utf-8") if contract.exists() else ""
    except UnicodeDecodeError as error:
        return Refusal("NOT_UTF8", 0, f"A file of {folder} is not UTF-8 (byte {error.start + 1}, from 1). Save it as UTF-8.")
    for file in sorted((folder / "samples").glob("*.json")):
        context = decode(file.read_bytes())
        if isinstance(context, Refusal):
            return Refusal(context.code, 0, f"{file.name}: {context.text}")
        samples[file.stem] = context
    return read_folder(
        key=resolved.parent.name, version=resolved.name, template=template, contract_toml=contract_toml, samples=samples
    )


def natural_order(text: str) -> list[tuple[int, int | str]]:
    """Return a sort key under which 1.10 comes after 1.9."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in _DIGITS.split(text) if part]
