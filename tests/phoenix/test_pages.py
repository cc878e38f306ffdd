"""What every page keeps: the policy header, secrets to itself, rights at the queue's pages."""

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.urls import get_resolver, reverse

from phoenix.queue_pages import PERMISSION, queue_patterns


def directives(response) -> dict[str, list[str]]:
    parts = (part.split() for part in response["Content-Security-Policy"].split(";"))
    return {name: values for name, *values in parts}


def allowed(user):
    app, _, codename = PERMISSION.partition(".")
    user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


@pytest.mark.parametrize("address", ["/admin/login/", "/login/", "/no-such-page/", "/healthz"])
def test_every_page_forbids_inline_and_foreign_scripts(client, db, queue, address):
    found = directives(client.get(address))

    assert found["script-src"] == ["'self'"]
    assert found["style-src"] == ["'self'"]
    assert (found["object-src"], found["base-uri"], found["frame-ancestors"]) == (["'none'"], ["'none'"], ["'none'"])
    assert not [word for values in found.values() for word in values if word.startswith("'unsafe")]


def test_our_own_pages_live_under_that_policy(client, db):
    for address, status in (("/login/", 200), ("/no-such-page/", 404)):
        response = client.get(address)
        page = response.content.decode()

        assert response.status_code == status
        assert 'class="page"' in page  # ours, not the library's
        assert "style=" not in page
        assert "<script" not in page


def test_headers_keep_other_sites_out(client, db):
    response = client.get("/login/")

    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"


def test_cookies_are_out_of_reach_of_scripts(client, charlie):
    charlie.set_password("correct horse battery")
    charlie.save()
    client.post("/login/", {"username": "charlie", "password": "correct horse battery"})
    client.get("/login/")

    assert [
        (client.cookies[name]["httponly"], client.cookies[name]["samesite"]) for name in ("phoenix_session", "phoenix_csrf")
    ] == [
        (True, "Lax"),
        (True, "Lax"),
    ]


def test_a_page_that_breaks_shows_neither_the_error_nor_a_secret(client, db):
    def broken(request):
        raise RuntimeError(f"database password in {settings.SECRET_KEY}")

    client.raise_request_exception = False
    resolver = get_resolver()
    pattern = next(pattern for pattern in resolver.url_patterns if getattr(pattern, "name", "") == "healthz")
    working, pattern.callback = pattern.callback, broken
    try:
        response = client.get("/healthz")
    finally:
        pattern.callback = working

    page = response.content.decode()
    assert response.status_code == 500
    assert "Something went wrong" in page
    assert settings.SECRET_KEY not in page
    assert "RuntimeError" not in page


def test_queue_pages_send_a_stranger_to_the_log_in(client, db):
    for pattern in queue_patterns():
        if not pattern.pattern.converters and "token" not in str(pattern.pattern):
            response = client.get(reverse(f"django_rq:{pattern.name}"))
            assert (pattern.name, response.status_code, "/login/" in response.get("Location", "")) == (pattern.name, 302, True)


def test_queue_pages_refuse_staff_without_the_permission(client, charlie, queue):
    client.force_login(charlie)

    statuses = {
        pattern.name: client.get(
            reverse(f"django_rq:{pattern.name}", kwargs=dict.fromkeys(pattern.pattern.converters, 0))
        ).status_code
        for pattern in queue_patterns()
    }

    assert len(statuses) > 20
    assert set(statuses.values()) == {403}


def test_a_queue_page_opens_with_the_permission(client, transactional_db, charlie, queue):
    client.force_login(allowed(charlie))
    queue.enqueue("phoenix.health.queue_answers", job_id="waiting")

    overview = client.get(reverse("django_rq:home"))
    job = client.get(reverse("django_rq:job_detail", args=[0, "waiting"]))

    assert (overview.status_code, job.status_code) == (200, 200)
    assert "phoenix.health.queue_answers" in job.content.decode()


def test_a_failed_job_cannot_be_deleted_without_the_permission(client, transactional_db, charlie, queue):
    queue.enqueue("phoenix.health.queue_answers", job_id="waiting")
    client.force_login(charlie)

    refused = client.post(reverse("django_rq:delete_job", args=[0, "waiting"]))
    assert (refused.status_code, queue.job_ids) == (403, ["waiting"])

    client.force_login(allowed(charlie))
    client.post(reverse("django_rq:delete_job", args=[0, "waiting"]))
    assert queue.job_ids == []
