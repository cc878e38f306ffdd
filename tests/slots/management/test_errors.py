"""What a command says when it fails is a sentence, on the terminal too."""

import pytest

from slots.management.base import Report, WrongUsage
from slots.management.commands.import_components import Command as ImportComponents
from slots.management.commands.slots import Command as Slots


@pytest.mark.parametrize(
    ("command", "words", "said"),
    [
        (ImportComponents, ["import_components", "nowhere"], "FILE_UNKNOWN: There is no file or folder nowhere."),
        (
            Slots,
            ["slots", "scaffold", "shop.x", "--from", "nowhere.html"],
            "WRONG_USAGE: nowhere.html cannot be read: No such file or directory.",
        ),
    ],
    ids=["import", "scaffold"],
)
def test_error_on_a_terminal_is_a_sentence_without_its_class(command, words, said, capsys):
    with pytest.raises(SystemExit) as left:
        command().run_from_argv(["manage.py", *words])

    assert (left.value.code, capsys.readouterr().err) == (2, f"{said}\n")


def test_error_is_raised_where_it_is_asked_for():
    with pytest.raises(WrongUsage):
        ImportComponents().run_from_argv(["manage.py", "import_components", "nowhere", "--traceback"])


def test_what_needs_a_person_leaves_with_its_sentence(capsys):
    class Waiting(ImportComponents):
        def work(self, deed, **options):
            return Report({}, ["done"], "1 record needs a person.")

    with pytest.raises(SystemExit) as left:
        Waiting().run_from_argv(["manage.py", "import_components", "x"])

    assert (left.value.code, *capsys.readouterr()) == (1, "done\n", "1 record needs a person.\n")


def test_file_that_is_no_text_is_said_to_be_none(tmp_path, capsys):
    page = tmp_path / "page.html"
    page.write_bytes(b"ab\xff")

    with pytest.raises(SystemExit):
        Slots().run_from_argv(["manage.py", "slots", "scaffold", "shop.x", "--from", str(page)])

    assert capsys.readouterr().err == f"WRONG_USAGE: {page} is no text in UTF-8: invalid start byte at byte 2.\n"
