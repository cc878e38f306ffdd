"""Play an order from its beginning to its report, in a process whose only database is the scratch file."""

import gc
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import connection

from rollout.errors import RehearsalBroken, RolloutError
from rollout.rehearsal.orders import Order
from rollout.rehearsal.scratch import QUICK
from rollout.rehearsal.staging import set_stage
from rollout.rehearsal.telling import tell

SELDOM: Final = (100_000, 20, 20)  # collecting garbage as often as a server does costs a tenth of the time


def perform(file: Path, order: Mapping[str, Any], *, began: float) -> dict[str, Any]:
    """Return the report, or `{"error": …, "code": …}` where the plan cannot be played; `began` is when, by `time.perf_counter`.

    Raises:
        RehearsalBroken: the database of this process is another one than the file.
    """
    if connection.vendor != "sqlite" or Path(str(connection.settings_dict["NAME"])).resolve() != file.resolve():
        raise RehearsalBroken("its process was about to use another database than its own.")
    gc.freeze()
    gc.set_threshold(*SELDOM)
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    with connection.cursor() as cursor:
        for pragma in filter(None, (each.strip() for each in QUICK.split(";"))):
            cursor.execute(pragma)
    asked = Order.from_json(order)
    try:
        play = set_stage(asked)
    except RolloutError as refused:
        return {"error": str(refused), "code": refused.code}
    play.run()
    return tell(play, asked, wall_s=time.perf_counter() - began)
