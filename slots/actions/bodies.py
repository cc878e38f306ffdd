"""Store lists of operations, once by digest."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from slots.errors import OperationsInvalid
from slots.markup import limits, ops
from slots.markup.ops import Document, Operation
from slots.models import Body


def save_body(operations: Sequence[Operation], *, at: datetime, locked: Sequence[str] = ()) -> Body:
    """Return the stored body of these operations; `locked` names the slots that no layer above may change.

    Raises:
        OperationsInvalid: there are more operations or bytes than a configuration may have, or one of them is malformed.
    """
    return save_documents([Document(tuple(operations), tuple(locked))], at=at)[0]


def save_bodies(lists: Iterable[Sequence[Operation]], *, at: datetime) -> list[Body]:
    """Return the stored body of each list, in order; one query however many there are."""
    return save_documents([Document(tuple(operations)) for operations in lists], at=at)


def save_documents(documents: Iterable[Document], *, at: datetime) -> list[Body]:
    """Return the stored body of each document, in order; one query however many there are."""
    bodies = [_body(document, at) for document in documents]
    distinct = {body.digest: body for body in bodies}
    Body.objects.bulk_create(distinct.values(), ignore_conflicts=True)
    return [distinct[body.digest] for body in bodies]


def _body(document: Document, at: datetime) -> Body:
    beyond = limits.operations_refusal(document.operations)
    if beyond is not None:
        raise OperationsInvalid("ops", beyond.text)
    text = ops.dumps(document.operations, locked=document.locked)
    ops.loads(text)  # what is stored can be read again
    return Body(digest=ops.digest(document.operations, locked=document.locked), operations=text, created_at=at)
