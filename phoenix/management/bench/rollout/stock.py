"""The process that asks waffle's own flag about one of very many members, its list warm in the cache of the process."""

import time
from typing import Any

import waffle
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import RequestFactory
from waffle.models import Flag


def check(members: int, rounds: int) -> dict[str, Any]:
    """Return what a look at the flag takes that was asked already in the request, at best, in microseconds of processor time."""
    call_command("migrate", verbosity=0)
    flag = Flag.objects.create(name="bench", superusers=False)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO auth_user (id, password, is_superuser, username, first_name, last_name, email, is_staff, is_active,"
            " date_joined) WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %s)"
            " SELECT n, '', 0, 'user-' || n, '', '', '', 0, 1, '2026-11-02 09:00:00' FROM numbers",
            [members],
        )
        cursor.execute("INSERT INTO waffle_flag_users (flag_id, user_id) SELECT %s, id FROM auth_user", [flag.pk])
    flag.flush()
    request: Any = RequestFactory().get("/")
    request.user = User.objects.get(pk=members // 2 or 1)
    if not waffle.flag_is_active(request, "bench"):
        raise RuntimeError("a member is not on")
    taken = []
    for _ in range(rounds):
        started = time.process_time()
        waffle.flag_is_active(request, "bench")
        taken.append((time.process_time() - started) * 1_000_000)
    return {"us": round(min(taken), 1)}
