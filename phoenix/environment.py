"""Read what differs between machines from environment variables, with types, and judge it before anything starts.

Pure: a mapping of names to text goes in, one `Environment` comes out or every problem at once. Two ways of running are
told apart by one fact, whether a secret key was given:

- *production*: `DJANGO_SECRET_KEY` is set (and `DEBUG` is not). Host names and a queue server have to be named too.
- *local*: nothing has to be set. Only this machine's own names are answered, so a forgotten variable in production
  gives a site that nobody can reach rather than an open one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

LOOPBACK_HOSTS: Final = ("localhost", "127.0.0.1", "[::1]")
MIN_SECRET_LENGTH: Final = 50
MIN_SECRET_CHARACTERS: Final = 5
DATABASE_SCHEMES: Final = frozenset({"postgres", "postgresql", "pgsql", "sqlite"})
REDIS_SCHEMES: Final = frozenset({"redis", "rediss", "unix"})
SMTP_SCHEMES: Final = frozenset({"smtp", "smtp+tls", "smtps"})
EMAIL_SCHEMES: Final = SMTP_SCHEMES | {"file", "console"}
EMAIL_EXAMPLE: Final = "smtp+tls://user:password@host:587"
LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
LOG_FORMATS: Final = ("console", "json")
YEAR_IN_SECONDS: Final = 31_536_000

TRUE_WORDS: Final = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS: Final = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True, slots=True)
class Problem:
    """State what is wrong with one variable and what to do next."""

    code: str
    variable: str
    text: str
    next_step: str

    def __str__(self) -> str:
        """Return the problem as one line for a terminal."""
        return f"{self.code} {self.variable}: {self.text} {self.next_step}"


class EnvironmentInvalid(Exception):
    """Refuse to start: `problems` holds every wrong variable, not just the first."""

    code = "ENVIRONMENT_INVALID"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("The environment does not fit.\n" + "\n".join(f"  {problem}" for problem in problems))


@dataclass(frozen=True, slots=True)
class Environment:
    """Hold the typed values; empty text means that the variable was not given."""

    secret_key: str = ""
    debug: bool = False
    allowed_hosts: tuple[str, ...] = LOOPBACK_HOSTS
    trusted_origins: tuple[str, ...] = ()
    database_url: str = ""
    database_max_age: int = 60
    database_pool: bool = False
    redis_url: str = ""
    email_url: str = ""
    email_from: str = ""
    support_contact: str = "the support team"
    render_days: int = 30
    demo: bool = True
    https: bool = False
    hsts_seconds: int = 0
    proxy_header: bool = False
    log_level: str = "INFO"
    log_format: str = "console"
    var_directory: str = ""
    language: str = "en"
    time_zone: str = "UTC"

    @property
    def is_production(self) -> bool:
        """Tell whether strangers may be served: a key was given and nobody asked for debugging."""
        return bool(self.secret_key) and not self.debug


@dataclass(slots=True)
class _Reader:
    """Take values out of the mapping, noting a problem and going on with the default where one does not fit."""

    values: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)

    def text(self, name: str, default: str = "") -> str:
        return self.values.get(name, "").strip() or default

    def refuse(self, code: str, name: str, text: str, next_step: str) -> None:
        self.problems.append(Problem(code, name, text, next_step))

    def boolean(self, name: str, *, default: bool) -> bool:
        word = self.text(name).lower()
        if word in TRUE_WORDS:
            return True
        if word and word not in FALSE_WORDS:
            self.refuse("ENV_NOT_BOOLEAN", name, f"“{word}” is neither yes nor no.", "Use 1 or 0.")
        return default if not word else False

    def whole_number(self, name: str, *, default: int) -> int:
        word = self.text(name)
        if not word:
            return default
        if not (word.isascii() and word.isdigit()):
            self.refuse("ENV_NOT_A_NUMBER", name, f"“{word}” is not a whole number.", "Use digits only, for example 60.")
            return default
        return int(word)

    def names(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        found = tuple(part.strip() for part in self.text(name).split(",") if part.strip())
        return found or default

    def choice(self, name: str, allowed: tuple[str, ...], *, default: str) -> str:
        word = self.text(name, default)
        if word not in allowed:
            self.refuse("ENV_NOT_A_CHOICE", name, f"“{word}” is not known.", f"Use one of {', '.join(allowed)}.")
            return default
        return word

    def address(self, name: str, schemes: frozenset[str], example: str) -> str:
        """Return a URL; the refusal names the scheme only, because the rest may hold a password."""
        url = self.text(name)
        scheme, separator, _ = url.partition("://")
        if url and (not separator or scheme not in schemes):
            found = f"The scheme {scheme}:// is not known" if separator else "The address has no scheme"
            self.refuse("ENV_NOT_AN_ADDRESS", name, f"{found}.", f"Write it like {example}.")
            return ""
        return url


def read(values: Mapping[str, str]) -> Environment:
    """Return the environment that `values` describe.

    Raises:
        EnvironmentInvalid: with every problem found.
    """
    reader = _Reader(values)
    secret_key = reader.text("DJANGO_SECRET_KEY")
    debug = reader.boolean("DEBUG", default=False)
    production = bool(secret_key) and not debug
    environment = Environment(
        secret_key=secret_key,
        debug=debug,
        allowed_hosts=reader.names("ALLOWED_HOSTS", () if production else LOOPBACK_HOSTS),
        trusted_origins=reader.names("CSRF_TRUSTED_ORIGINS"),
        database_url=reader.address("DATABASE_URL", DATABASE_SCHEMES, "postgres://user:password@host:5432/name"),
        database_max_age=reader.whole_number("DATABASE_MAX_AGE", default=60),
        database_pool=reader.boolean("DATABASE_POOL", default=False),
        redis_url=reader.address("REDIS_URL", REDIS_SCHEMES, "redis://host:6379/0"),
        email_url=reader.address("EMAIL_URL", EMAIL_SCHEMES, EMAIL_EXAMPLE),
        email_from=reader.text("EMAIL_FROM"),
        support_contact=reader.text("SUPPORT_CONTACT", "the support team"),
        render_days=reader.whole_number("RENDER_DAYS", default=30),
        demo=reader.boolean("PHOENIX_DEMO", default=not production),
        https=reader.boolean("HTTPS", default=production),
        hsts_seconds=reader.whole_number("HSTS_SECONDS", default=YEAR_IN_SECONDS if production else 0),
        proxy_header=reader.boolean("TRUST_PROXY_HEADER", default=False),
        log_level=reader.choice("LOG_LEVEL", LOG_LEVELS, default="INFO" if production else "WARNING"),
        log_format=reader.choice("LOG_FORMAT", LOG_FORMATS, default="json" if production else "console"),
        var_directory=reader.text("PHOENIX_VAR"),
        language=reader.text("LANGUAGE_CODE", "en"),
        time_zone=reader.text("TIME_ZONE", "UTC"),
    )
    _judge(environment, reader)
    if reader.problems:
        raise EnvironmentInvalid(tuple(reader.problems))
    return environment


def _judge(environment: Environment, reader: _Reader) -> None:
    """Note what is wrong with the values together, each of them being well formed."""
    if environment.is_production:
        _judge_production(environment, reader)
    elif not environment.debug and set(environment.allowed_hosts) - set(LOOPBACK_HOSTS):
        reader.refuse(
            "ENV_SECRET_MISSING",
            "DJANGO_SECRET_KEY",
            "ALLOWED_HOSTS names other machines, but there is no secret key.",
            "Set a random key of at least 50 characters (python3 -c 'import secrets; print(secrets.token_urlsafe(50))').",
        )
    _judge_mail(environment, reader)
    for origin in environment.trusted_origins:
        if not origin.startswith(("https://", "http://")):
            reader.refuse(
                "ENV_NOT_AN_ORIGIN",
                "CSRF_TRUSTED_ORIGINS",
                f"“{origin}” has no scheme.",
                "Write it like https://shop.example.org.",
            )
    if environment.database_pool and not environment.database_url.startswith(("postgres", "pgsql")):
        reader.refuse(
            "ENV_POOL_NEEDS_POSTGRESQL",
            "DATABASE_POOL",
            "Only PostgreSQL connections can be pooled.",
            "Set DATABASE_URL to a postgres:// address or leave DATABASE_POOL out.",
        )


def _judge_mail(environment: Environment, reader: _Reader) -> None:
    """Note what keeps messages from being sent by the server or into the folder that is named."""
    scheme, _, rest = environment.email_url.partition("://")
    host, _, port = rest.rpartition("@")[2].partition("/")[0].partition(":")
    if scheme in SMTP_SCHEMES and (not host or (port and not (port.isascii() and port.isdigit()))):
        reader.refuse("ENV_NOT_AN_ADDRESS", "EMAIL_URL", "It names no host, or no port.", f"Write it like {EMAIL_EXAMPLE}.")
    if scheme == "file" and not rest.startswith("/"):
        reader.refuse("ENV_NOT_AN_ADDRESS", "EMAIL_URL", "It names no folder.", "Write it like file:///var/mail/phoenix.")
    sender = environment.email_from
    is_missing = not sender and scheme in SMTP_SCHEMES and environment.is_production
    if is_missing or (sender and ("@" not in sender or not sender.isprintable())):
        reader.refuse(
            "ENV_SENDER_MISSING",
            "EMAIL_FROM",
            "Messages are to be sent, but not whose they are.",
            "Write it like Phoenix <phoenix@shop.example.org>.",
        )


def _judge_production(environment: Environment, reader: _Reader) -> None:
    """Note what a site that strangers reach must not go without."""
    key = environment.secret_key
    if len(key) < MIN_SECRET_LENGTH or len(set(key)) < MIN_SECRET_CHARACTERS:
        reader.refuse(
            "ENV_SECRET_WEAK",
            "DJANGO_SECRET_KEY",
            f"The key has {len(key)} characters, {len(set(key))} of them different.",
            "Use at least 50 random ones (python3 -c 'import secrets; print(secrets.token_urlsafe(50))').",
        )
    if not environment.allowed_hosts:
        reader.refuse(
            "ENV_HOSTS_MISSING",
            "ALLOWED_HOSTS",
            "No host name is given, so every request would be refused.",
            "List the names the site answers to, separated by commas.",
        )
    if "*" in environment.allowed_hosts:
        reader.refuse(
            "ENV_HOSTS_OPEN", "ALLOWED_HOSTS", "“*” answers to any name a stranger sends.", "List the site's own names instead."
        )
    if not environment.redis_url:
        reader.refuse(
            "ENV_QUEUE_MISSING",
            "REDIS_URL",
            "Web processes and workers have to share one queue server.",
            "Name it like redis://host:6379/0; the embedded queue is for one machine only.",
        )
