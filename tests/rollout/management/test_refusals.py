"""Every command refuses alike: what is not there is wrong usage, and the line on a terminal begins with the code of --json."""

import json

import pytest
from django.core.management import load_command_class
from django.core.management.base import CommandParser

from rollout.management.plans import WORDS
from rollout.management.registry import ACTS
from rollout.management.tickets import ACTS as TICKET_ACTS
from tests.rollout.conftest import AT

pytestmark = pytest.mark.django_db

APPS = {
    "bench": "phoenix",
    "serve": "phoenix",
    "demo": "phoenix.demo",
    "import_components": "slots",
    "slots": "slots",
    "upgrade_component": "slots",
    "import_customizations": "migration",
    "import_people": "migration",
    "corpus_report": "migration",
    "review": "migration",
    "translate": "migration",
    "validate_users": "migration",
    "import_samples": "rollout",
    "migrate_users": "rollout",
    "rollback_users": "rollout",
    "rollout": "rollout",
    "tickets": "rollout",
}
NOT_THERE = [
    ("import_components nowhere", "FILE_UNKNOWN"),
    ("import_customizations nowhere.jsonl", "FILE_UNKNOWN"),
    ("import_people nowhere.jsonl", "FILE_UNKNOWN"),
    ("import_samples nowhere.jsonl", "FILE_UNKNOWN"),
    ("tickets import nowhere.jsonl", "FILE_UNKNOWN"),
    ("slots list shop.nope", "COMPONENT_UNKNOWN"),
    ("slots check shop.nope", "COMPONENT_UNKNOWN"),
    ("slots condense shop.nope", "COMPONENT_UNKNOWN"),
    ("slots explain shop.nope", "COMPONENT_UNKNOWN"),
    ("slots explain shop.card --user nobody", "PERSON_UNKNOWN"),
    ("slots impact shop.nope 1.0", "COMPONENT_UNKNOWN"),
    ("slots impact shop.card 9.9", "VERSION_UNKNOWN"),
    ("slots list shop.card --version 9.9", "VERSION_UNKNOWN"),
    ("upgrade_component shop.nope 1.0", "COMPONENT_UNKNOWN"),
    ("upgrade_component shop.card 9.9", "VERSION_UNKNOWN"),
    ("translate --component shop.nope", "COMPONENT_UNKNOWN"),
    ("translate --user nobody", "PERSON_UNKNOWN"),
    ("validate_users --component shop.nope", "COMPONENT_UNKNOWN"),
    ("validate_users --user nobody", "PERSON_UNKNOWN"),
    ("review show zzzz", "GROUP_UNKNOWN"),
    ("migrate_users --wave 999", "WAVE_UNKNOWN"),
    ("rollback_users --wave 999", "WAVE_UNKNOWN"),
    ("rollback_users --phase 999", "PHASE_UNKNOWN"),
    ("rollback_users --user nobody", "PERSON_UNKNOWN"),
    ("rollout timeline nobody", "PERSON_UNKNOWN"),
    ("rollout plan create --template nope --start 2026-12-01", "TEMPLATE_UNKNOWN"),
    ("rollout plan check nope", "TEMPLATE_UNKNOWN"),
]
MALFORMED = [
    ("rollout plan create --start 2026-13-30", "WRONG_USAGE: '2026-13-30' is no day of the calendar. Say when it starts"),
    ("rollout plan create", "WRONG_USAGE: No day is given. Say when it starts"),
    ("rollout exclude-people {wave} --rules {{bad", "WRONG_USAGE: --rules is no JSON"),
    ("rollout sign {plan} --role CEO", "ROLE_UNKNOWN: Autumn is not signed by 'CEO'. Asked: nobody."),
    ("translate", "WRONG_USAGE: Name what to work on"),
]


def run(line, capsys):
    """Run a command as from a terminal; return the exit code, standard output and standard error.

    `run_from_argv` would close the connection with the test's transaction in it.
    """
    name, *words = line.split()
    command = load_command_class(APPS[name], name)
    command._called_from_command_line = True
    with pytest.raises(SystemExit) as left:
        command.execute(**vars(command.create_parser("manage.py", name).parse_args(words)))
    return left.value.code, *capsys.readouterr()


def acts_on_a_row():
    """Yield every act that takes the key of a row, as it is typed."""
    for prefix, acts in (("rollout", ACTS), ("rollout plan", WORDS), ("tickets", TICKET_ACTS)):
        for act in acts:
            parser = CommandParser()
            act.options(parser)
            options = parser._actions
            if not any(each.dest == "pk" for each in options) or act.name == "rehearse":
                continue
            needed = [each for each in options if each.option_strings and each.required]
            given = [word for each in needed for word in (each.option_strings[0], _value(each))]
            yield " ".join([prefix, act.name, "999", *given])


def _value(option):
    """Return something that an option takes."""
    if option.choices:
        return str(next(iter(option.choices)))
    return "1" if option.type is int else AT.isoformat()


@pytest.mark.parametrize(("line", "code"), NOT_THERE, ids=[line for line, _code in NOT_THERE])
def test_what_is_not_there_is_wrong_usage(card, capsys, line, code):
    left, _out, said = run(line, capsys)
    left_json, out, said_json = run(f"{line} --json", capsys)
    error = json.loads(out)["error"]

    assert (left, left_json, error["code"]) == (2, 2, code)
    assert said == said_json == f"{code}: {error['text']}\n"


@pytest.mark.parametrize("line", list(acts_on_a_row()))
def test_row_that_is_not_there_is_wrong_usage(capsys, line):
    left, out, said = run(f"{line} --json --reason because", capsys)
    error = json.loads(out)["error"]

    assert (left, error["code"].rpartition("_")[2]) == (2, "UNKNOWN")
    assert said == f"{error['code']}: {error['text']}\n"


def test_acts_on_rows_are_found():
    assert len(list(acts_on_a_row())) > 40


@pytest.mark.parametrize(("line", "begins"), MALFORMED, ids=[line for line, _begins in MALFORMED])
def test_what_is_malformed_is_named(planned, capsys, line, begins):
    wave = planned()

    left, _out, said = run(line.format(wave=wave.pk, plan=wave.phase.plan_id), capsys)

    assert (left, said[: len(begins)]) == (2, begins)


def test_wave_that_is_too_far_back_is_told_the_way(planned, capsys):
    wave = planned()

    left, _out, said = run(f"rollout start {wave.pk}", capsys)

    assert left == 1
    assert said.endswith("is planned and cannot become running. The way there: locked, then announced, then running.\n")


def test_missing_selection_is_made_and_not_listed(capsys):
    assert (
        run("rollout apply 999", capsys)[2]
        == "SELECTION_UNKNOWN: There is no selection 999. `manage.py rollout select ACT` makes one.\n"
    )


def test_usage_does_not_begin_with_every_act(capsys):
    left, _out, said = run("rollout approve 4", capsys)

    assert (left, said.count("waive-gates"), max(map(len, said.splitlines()[:-1])) < 100) == (2, 1, True)


@pytest.mark.parametrize("line", ["serve --bind 99999", "demo --people 5", "bench --rounds 0", "corpus_report nowhere.jsonl"])
def test_commands_without_a_report_say_the_code_too(capsys, line):
    left, _out, said = run(line, capsys)

    assert (left, said.partition(": ")[0]) == (2, "BENCH_EMPTY" if "bench" in line else "WRONG_USAGE")
