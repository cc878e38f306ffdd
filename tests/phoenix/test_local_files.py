"""The secret key that a checkout makes for itself."""

import threading

from phoenix.local_files import local_secret_key


def test_the_key_is_made_once_and_kept(tmp_path):
    first = local_secret_key(tmp_path / "var")

    assert local_secret_key(tmp_path / "var") == first
    assert len(first) >= 50


def test_two_checkouts_have_two_keys(tmp_path):
    assert local_secret_key(tmp_path / "one") != local_secret_key(tmp_path / "two")


def test_only_the_owner_may_read_it(tmp_path):
    local_secret_key(tmp_path)

    assert (tmp_path / "secret-key").stat().st_mode & 0o777 == 0o600


def test_whoever_comes_second_takes_the_first_ones_key(tmp_path):
    found = []
    together = threading.Barrier(8)

    def read() -> None:
        together.wait()
        found.append(local_secret_key(tmp_path))

    readers = [threading.Thread(target=read) for _ in range(8)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()

    assert len(found) == 8
    assert len(set(found)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]
