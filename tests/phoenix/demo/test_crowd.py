"""`seed_people`: copies are what their models are, under keys of their own."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from migration.models import Customization, Person
from phoenix.demo import copies, crowd
from rollout.models import Enrolment, Snapshot, Wave, standing_of
from rollout.waves import System
from slots.models import SlotConfiguration

pytestmark = pytest.mark.django_db
MODELS, PEOPLE = 20, 50
OWN_KEYS = {"id", "person_id", "enrolment_id", "user", "key", "email", "external_id"}


@pytest.fixture(autouse=True)
def _few(monkeypatch, settings, tmp_path):
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(crowd, "MODELS", MODELS)
    monkeypatch.setattr(copies, "BATCH", MODELS)


def run(command, *words):
    out = io.StringIO()
    call_command(command, *words, "--json", stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue())


def has(person):
    """Everything that a person has, without the keys that are theirs alone."""
    own = {"person": person}
    rows = [
        Person.objects.filter(pk=person.pk), Customization.objects.filter(**own).order_by("pk"),
        SlotConfiguration.objects.filter(key=person.user).order_by("pk"), Enrolment.objects.filter(**own),
    ]  # fmt: skip
    found = [[{name: each[name] for name in each.keys() - OWN_KEYS} for each in table.values()] for table in rows]
    return found, [lists_of(snapshot, without={"id"}) for snapshot in Snapshot.objects.filter(**own)]


def lists_of(snapshot, without=()):
    lists = (snapshot.configurations, snapshot.installed, snapshot.customizations)
    return [[{name: row[name] for name in row.keys() - set(without)} for row in each] for each in lists]


def test_copies_have_what_their_models_have():
    said = run("seed_people", str(PEOPLE), "--switched")

    assert (said["people"], said["wave"]) == (PEOPLE, Wave.objects.get().pk)
    assert said["customizations"] == Customization.objects.count() > PEOPLE
    assert said["configurations"] == SlotConfiguration.objects.filter(layer="user").count() > PEOPLE
    assert (Wave.objects.get().size, Enrolment.objects.count(), Snapshot.objects.count()) == (PEOPLE, PEOPLE, PEOPLE)
    for number in range(1, MODELS + 1):
        model = Person.objects.get(user=f"seed-1-{number}")
        names = [f"seed-1-{number}-{copy}" for copy in (1, 2) if number + copy * MODELS <= PEOPLE]
        assert [has(Person.objects.get(user=name)) for name in names] == [has(model)] * len(names)


@pytest.mark.slow
def test_the_snapshots_of_copies_name_the_copies_own_rows():
    run("seed_people", str(PEOPLE), "--switched")

    for snapshot in Snapshot.objects.select_related("person"):
        rows = {"configurations": snapshot.installed, "customizations": snapshot.customizations}
        own = {
            "configurations": SlotConfiguration.objects.filter(key=snapshot.person.user),
            "customizations": snapshot.person.customizations.filter(is_active=True),
        }
        assert {name: {each["id"] for each in rows[name]} for name in rows} == {
            name: set(own[name].values_list("pk", flat=True)) for name in own
        }
        assert snapshot.enrolment.person_id == snapshot.person_id
        assert standing_of(snapshot.person.key).decide().system == System.SLOTS


@pytest.mark.slow
def test_some_have_something_to_put_back_and_everybody_goes_back_to_it():
    said = run("seed_people", str(PEOPLE), "--switched")
    former = sorted(row["id"] for snapshot in Snapshot.objects.all() for row in snapshot.configurations)
    overlaid = SlotConfiguration.objects.filter(pk__in=former, origin="translation").count()

    rolled = run("rollback_users", "--wave", str(said["wave"]))

    assert (rolled["rolled_back"], rolled["edited"], rolled["failed"]) == (PEOPLE, [], [])
    assert 0 < overlaid < len(former)
    assert sorted(SlotConfiguration.objects.filter(layer="user").values_list("pk", flat=True)) == former
    assert set(SlotConfiguration.objects.filter(layer="user").values_list("origin", flat=True)) == {"hand"}


@pytest.mark.slow
def test_the_same_seed_makes_the_same_people_and_another_one_others():
    first = run("seed_people", str(PEOPLE), "--dry-run")
    assert (Person.objects.count(), SlotConfiguration.objects.filter(layer="user").count()) == (0, 0)

    real = run("seed_people", str(PEOPLE))
    diffs = list(Customization.objects.active().order_by("pk").values_list("person__user", "diff_digest", "state"))
    other = run("seed_people", str(PEOPLE), "--seed", "2")

    assert {**real, "dry_run": True} == first
    assert {state for _user, _digest, state in diffs} == {"validated"}
    assert (real["wave"], Person.objects.count()) == (None, 2 * PEOPLE)
    assert real["customizations"] != other["customizations"]


@pytest.mark.parametrize(("words", "code"), [(["0"], 2), (["5", "--seed", "-1"], 2), (["5"], 1)])
def test_what_makes_no_sense_is_refused(words, code):
    run("seed_people", "3")

    with pytest.raises(CommandError) as refused:
        run("seed_people", *words)

    assert refused.value.returncode == code


@pytest.mark.slow
def test_rows_made_afterwards_get_keys_behind_the_copies():
    run("seed_people", str(PEOPLE), "--switched")

    assert Person.objects.create(user="late").pk > Person.objects.get(user="seed-1-10-2").pk
