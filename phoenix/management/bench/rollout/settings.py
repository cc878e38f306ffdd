"""Settings of the processes of the benchmark: the product's, with one page; the environment names the database of the run."""

from phoenix.settings import *  # noqa: F403 - a settings module is made of another one's names

ROOT_URLCONF = "phoenix.management.bench.rollout.site"
ALLOWED_HOSTS = ["testserver"]
