"""Somebody of support, an auditor, a wave that is done, and how pages are opened and acts are done."""

import json
import re

import pytest
from django.urls import reverse

from rollout.actions.chunks import process_chunk
from rollout.admin.acts import name_to_type
from tests.conftest import person as account

LISTS = ("plan", "phase", "wave", "enrolment", "flagoverride", "flag", "snapshot", "event")


@pytest.fixture
def sue(db):
    """Return somebody of support."""
    return account("sue", staff=True, role="support")


@pytest.fixture
def arthur(db):
    """Return an auditor."""
    return account("arthur", staff=True, role="auditor")


@pytest.fixture
def page_of(client):
    """What opens a page as somebody."""

    def open_page(user, address):
        client.force_login(user)
        return client.get(address)

    return open_page


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def act_address(act, *rows):
    model = rows[0]._meta.model_name
    return f"{reverse(f'admin:rollout_{model}_act', args=[act])}?ids={'%2C'.join(str(row.pk) for row in rows)}"


@pytest.fixture
def act_as(client):
    """What does an act on rows through its page, as the page showed them."""

    def act(user, name, *rows, reason="because", versions=None, typed=""):
        client.force_login(user)
        shown = versions or {row.pk: type(row).objects.get(pk=row.pk).version for row in rows}
        sent = {"reason": reason, "versions": json.dumps(shown), "typed": typed or name_to_type(rows)}
        return client.post(act_address(name, *rows), sent, follow=True)

    return act


@pytest.fixture
def done(customers, started, clock):
    """A wave with so many people on slots."""

    def make(count):
        wave = started(*customers(count))
        process_chunk(wave, clock=clock)
        wave.refresh_from_db()
        return wave

    return make


@pytest.fixture
def change(client):
    """What changes fields of a row on its page, as a browser would: it sends all that the page asked for."""

    def post(user, row, **fields):
        client.force_login(user)
        address = reverse(f"admin:rollout_{row._meta.model_name}_change", args=[row.pk])
        form = client.get(address).context["adminform"].form
        sent = {}
        for bound in form:
            widget, value = bound.field.widget, bound.value()
            if hasattr(widget, "decompress"):
                sent |= {
                    f"{bound.name}_{i}": each or ""
                    for i, each in enumerate(widget.decompress(bound.field.to_python(None) or value))
                }
            elif value is not None and value is not False:
                sent[bound.name] = value
        return client.post(address, sent | fields, follow=True)

    return post
