"""The files of the sample export: whole, repeatable, with their bad lines where they are said to be."""

import json

import pytest

from phoenix.demo.customers import customers
from phoenix.demo.exports import BAD_CUSTOMIZATIONS, BAD_PEOPLE, write_export
from phoenix.demo.shelf import read_shelf


@pytest.fixture(scope="module")
def sample_customers():
    return tuple(customers(read_shelf(), seed=1, people=80))


def _files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_write_export_loses_no_record(tmp_path, sample_customers):
    export = write_export(tmp_path, sample_customers)
    bad = {line for path, line in export.bad_lines if path == export.customizations}
    lines = export.customizations.read_bytes().splitlines()
    written = {json.loads(line)["external_id"] for number, line in enumerate(lines, 1) if number not in bad}
    in_folder = {str(path.relative_to(export.folder)).removesuffix(".diff") for path in export.folder.rglob("*.diff")}
    assert written | in_folder == {record.external_id for customer in sample_customers for record in customer.records}
    assert not written & in_folder
    assert in_folder


def test_write_export_says_where_the_bad_lines_are(tmp_path, sample_customers):
    export = write_export(tmp_path, sample_customers)
    for (path, line), bad in export.bad_lines.items():
        assert path.read_bytes().split(b"\n")[line - 1] == bad.content
    assert len(export.bad_lines) == len(BAD_CUSTOMIZATIONS) + len(BAD_PEOPLE) + 2


def test_write_export_folder_holds_the_diffs_to_the_byte(tmp_path, sample_customers):
    export = write_export(tmp_path, sample_customers)
    diffs = {record.external_id: record.diff for record in export.records}
    for path in export.folder.rglob("*.diff"):
        assert path.read_bytes().decode() == diffs[str(path.relative_to(export.folder)).removesuffix(".diff")]


def test_write_export_twice_gives_the_same_files(tmp_path, sample_customers):
    write_export(tmp_path, sample_customers)
    first = _files(tmp_path)
    write_export(tmp_path, sample_customers)
    assert _files(tmp_path) == first


def test_write_export_removes_what_an_earlier_run_left(tmp_path, sample_customers):
    write_export(tmp_path, sample_customers)
    write_export(tmp_path, sample_customers[:30])
    users = {path.parent.name for path in (tmp_path / "diffs").rglob("*.diff")}
    assert users <= {customer.user for customer in sample_customers[:30]}
