"""The documents say what the code does."""

import re

from phoenix.environment import read

READ_ELSEWHERE = {"RQ_KEY_PREFIX"}  # by RQ itself


class Recorded(dict):
    """A mapping that remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def get(self, name, default=None):
        self.asked.add(name)
        return super().get(name, default)


def test_every_variable_is_documented_and_no_other(repository):
    values = Recorded()
    read(values)
    table = re.search(r"## Environment variables\n(.*?)\n## ", (repository / "docs/operations.md").read_text(), flags=re.DOTALL)
    named = {name for row in re.findall(r"^\| (`.*?) \|", table[1], flags=re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}

    assert named == values.asked | READ_ELSEWHERE


def test_every_link_between_documents_leads_somewhere(repository):
    pages = [repository / "README.md", repository / "CHANGELOG.md", *(repository / "docs").rglob("*.md")]
    broken = [
        f"{page.name}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / target).exists()
    ]

    assert broken == []


def test_every_decision_says_why(repository):
    decisions = sorted((repository / "docs/decisions").glob("*.md"))

    assert [int(page.name[:4]) for page in decisions] == list(range(1, len(decisions) + 1))
    for page in decisions:
        text = page.read_text()
        assert text.startswith(f"# {int(page.name[:4])}. "), page.name
        assert "**Decision.**" in text, page.name
        assert "**Why.**" in text, page.name


def test_the_index_lists_every_page(repository):
    pages = {page.name for page in (repository / "docs").glob("*.md")} - {"index.md"}
    listed = set(re.findall(r"\]\(([\w-]+\.md)\)", (repository / "docs/index.md").read_text()))

    assert listed == pages
