"""What lines a process writes to its log."""

import io
import logging
import logging.config
import sys

import pytest
from django.core.exceptions import PermissionDenied

from phoenix.logs import logging_settings


class Terminal(io.StringIO):
    """A stream that a person looks at."""

    def isatty(self):
        return True


@pytest.fixture
def lines(monkeypatch):
    """Return what writes an event with an exception into a stream and returns the lines."""

    def write(stream, status):
        monkeypatch.setattr(sys, "stderr", stream)
        configured = logging_settings(level="INFO", shape="console")
        formatter = logging.config.DictConfigurator(configured).configure_formatter(dict(configured["formatters"]["structured"]))
        handler = logging.StreamHandler(stream)
        handler.setFormatter(formatter)
        for name in configured["handlers"]["stderr"]["filters"]:
            handler.addFilter(configured["filters"][name]["callback"])
        fault = PermissionDenied()
        known = (PermissionDenied, fault, None)
        record = logging.LogRecord("django.request", logging.WARNING, "x.py", 1, "Forbidden: /x/", (), known)
        record.status_code = status
        handler.handle(record)
        return stream.getvalue().splitlines()

    return write


@pytest.mark.parametrize(("stream", "coloured"), [(io.StringIO, False), (Terminal, True)])
def test_only_a_terminal_is_written_to_with_colours(lines, stream, coloured):
    assert ("\x1b[" in lines(stream(), 403)[0]) == coloured


@pytest.mark.parametrize(("status", "is_one_line"), [(403, True), (404, True), (500, False)])
def test_refused_request_is_one_line_and_a_defect_has_its_traceback(lines, status, is_one_line):
    assert (len(lines(io.StringIO(), status)) == 1) == is_one_line
