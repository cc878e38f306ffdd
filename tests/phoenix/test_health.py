"""The health page with each of its two parts there and away."""

from django.conf import settings
from django.db import connection

from phoenix.embedded_queue import queue_server


def test_all_is_well(client, db, queue):
    response = client.get("/healthz")

    assert (response.status_code, response.json()) == (200, {"status": "ok", "database": "ok", "queue": "ok"})
    assert "no-store" in response["Cache-Control"]


def test_without_a_queue_pages_are_still_served(client, db, tmp_path):
    before = settings.RQ_QUEUES[settings.QUEUE_NAME]["URL"]
    with queue_server("", tmp_path) as stopped:
        pass
    settings.RQ_QUEUES[settings.QUEUE_NAME]["URL"] = stopped.url
    try:
        response = client.get("/healthz")
    finally:
        settings.RQ_QUEUES[settings.QUEUE_NAME]["URL"] = before

    assert (response.status_code, response.json()) == (200, {"status": "degraded", "database": "ok", "queue": "down"})


def test_without_a_database_nothing_is(client, transactional_db, queue):
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = "/nowhere/at/all" if connection.vendor == "sqlite" else "no_such_database"
    try:
        response = client.get("/healthz")
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before

    assert (response.status_code, response.json()) == (503, {"status": "down", "database": "down", "queue": "ok"})


def test_only_reading_is_allowed(client, db):
    assert client.post("/healthz").status_code == 405
