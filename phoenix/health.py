"""Answer probes: is the database there, is the queue there. Nothing about versions, addresses or data is said."""

import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_rq import get_connection
from redis import RedisError

log = structlog.get_logger(__name__)


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Report database and queue apart, because only the first is needed to serve pages.

    Returns 200 while pages can be served, with `"status": "degraded"` where the queue is away (rows wait, nothing is lost),
    and 503 without a database.
    """
    database, queue = database_answers(), queue_answers()
    status = "ok" if database and queue else "degraded" if database else "down"
    body = {"status": status, "database": "ok" if database else "down", "queue": "ok" if queue else "down"}
    return JsonResponse(body, status=200 if database else 503)


def database_answers() -> bool:
    """Tell whether the database answers a query now."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return bool(cursor.fetchone() == (1,))
    except DatabaseError:
        log.exception("database_down")
        return False


def queue_answers() -> bool:
    """Tell whether the queue's server answers now."""
    try:
        with get_connection(settings.QUEUE_NAME) as client:
            return bool(client.ping())
    except RedisError as error:
        log.warning("queue_down", error=type(error).__name__)
        return False
