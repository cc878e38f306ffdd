"""A web process: serve pages of these people one after the other, through the whole of the site, until told to stop."""

import random
import select
import sys
import time
from collections.abc import Iterable
from typing import Any, Final

from django.core.wsgi import get_wsgi_application
from django.test import RequestFactory

from phoenix.management.bench.rollout.site import SLOTS, SYSTEM

PAUSE: Final = 0.02  # seconds between two pages: somebody asks again and again, but leaves the machine to the others too


class Web:
    """Serve pages and note when which system showed one; instants are those of the machine's monotonic clock, in seconds."""

    def __init__(self) -> None:
        """Bring the site up."""
        self._site = get_wsgi_application()
        self._requests = RequestFactory()

    def serve(self, names: list[str], seed: int) -> dict[str, Any]:
        """Serve people drawn from `names` until a line comes in, and say what was served."""
        chance = random.Random(seed)  # noqa: S311 - which page is asked next is no secret
        took: list[float] = []
        slots, last = 0, None
        while not select.select([sys.stdin], [], [], 0)[0]:
            started = time.monotonic()
            is_slots = self._get(chance.choice(names)) == SLOTS
            ended = time.monotonic()
            took.append((ended - started) * 1000)
            if is_slots:
                slots, last = slots + 1, ended
            time.sleep(PAUSE)
        return {"pages": len(took), "slots": slots, "last_slots": last, "ms": sorted(took)}

    def _get(self, name: str) -> str:
        """Return which system showed the page of one person."""
        said: dict[str, str] = {}

        def start(status: str, headers: Iterable[tuple[str, str]], _exc_info: Any = None) -> Any:
            said.update(headers, status=status)

        response: Any = self._site(self._requests.get(f"/{name}/").environ, start)
        body = b"".join(response)
        response.close()
        if not said["status"].startswith("200") or not body:
            raise RuntimeError(f"the page of {name} was answered with {said['status']}")
        return said[SYSTEM]
