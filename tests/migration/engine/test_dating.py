"""Which version a diff was made against."""

from migration.engine import dating, diff
from migration.engine.dating import Version, find_fits

BASE = "".join(f"<p>{number}</p>\n" for number in range(12))


def read(source: str, custom: str) -> diff.Diff:
    found = diff.parse(diff.make(source, custom, path="a/b.html"))
    assert isinstance(found, diff.Diff)
    return found


EDIT = read(BASE, BASE.replace("<p>6</p>", "<p>six</p>"))


def test_version_that_fits_line_for_line_goes_before_newer_ones_with_moved_lines() -> None:
    moved, exact = Version("2.0", f"<i>new</i>\n{BASE}"), Version("1.0", BASE)

    fits = find_fits(EDIT, [moved, exact])

    assert fits == (dating.Fit(exact, is_exact=True), dating.Fit(moved, is_exact=False))


def test_newest_of_equally_good_versions_goes_first() -> None:
    versions = [Version("3.0", BASE + "<i>z</i>\n"), Version("2.0", BASE), Version("1.0", BASE + "<i>a</i>\n")]

    assert [fit.version.name for fit in find_fits(EDIT, versions)] == ["3.0", "2.0", "1.0"]


def test_equal_sources_count_once_by_their_newest_name() -> None:
    versions = [Version("3.0", BASE), Version("2.0", BASE), Version("1.0", BASE)]

    assert [fit.version.name for fit in find_fits(EDIT, versions)] == ["3.0"]


def test_version_that_would_need_fuzz_does_not_fit() -> None:
    assert find_fits(EDIT, [Version("1.0", BASE.replace("<p>4</p>", "<p>four</p>"))]) == ()


def test_version_where_two_places_fit_does_not_fit() -> None:
    twice = f"<i>new</i>\n{BASE}{BASE}"

    assert find_fits(EDIT, [Version("1.0", twice)]) == ()
