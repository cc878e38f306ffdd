"""Reading the environment: what fits, and every way it may not."""

import pytest

from phoenix.environment import LOOPBACK_HOSTS, Environment, EnvironmentInvalid, read

SECRET = "k3yOf-Fifty_Characters-and-More-0123456789-abcdefghij"
PRODUCTION = {"DJANGO_SECRET_KEY": SECRET, "ALLOWED_HOSTS": "shop.example.org", "REDIS_URL": "redis://queue:6379/0"}


def codes(**variables: str) -> list[tuple[str, str]]:
    with pytest.raises(EnvironmentInvalid) as caught:
        read(variables)
    return [(problem.code, problem.variable) for problem in caught.value.problems]


def test_nothing_set_is_a_local_site_that_only_this_machine_reaches():
    environment = read({})

    assert not environment.is_production
    assert environment == Environment(log_level="WARNING")
    assert (environment.allowed_hosts, environment.debug, environment.demo) == (LOOPBACK_HOSTS, False, True)


def test_a_secret_key_makes_production_with_its_defaults():
    environment = read(PRODUCTION)

    assert environment.is_production
    assert (environment.https, environment.hsts_seconds, environment.demo) == (True, 31_536_000, False)
    assert (environment.log_format, environment.log_level) == ("json", "INFO")
    assert environment.allowed_hosts == ("shop.example.org",)


def test_every_variable_is_read_with_its_type():
    environment = read(
        {
            **PRODUCTION,
            "ALLOWED_HOSTS": "a.example.org, b.example.org ,",
            "CSRF_TRUSTED_ORIGINS": "https://a.example.org",
            "DATABASE_URL": "postgres://phoenix:secret@db:5432/phoenix",
            "DATABASE_MAX_AGE": "0",
            "DATABASE_POOL": "Yes",
            "EMAIL_URL": "smtps://phoenix:secret@mail",
            "EMAIL_FROM": "Shop <shop@example.org>",
            "SUPPORT_CONTACT": "help@example.org",
            "RENDER_DAYS": "7",
            "PHOENIX_DEMO": "on",
            "HTTPS": "off",
            "HSTS_SECONDS": "60",
            "TRUST_PROXY_HEADER": "true",
            "LOG_LEVEL": "ERROR",
            "LOG_FORMAT": "console",
            "PHOENIX_VAR": "/srv/phoenix",
            "LANGUAGE_CODE": "de",
            "TIME_ZONE": "Europe/Berlin",
        }
    )

    assert environment == Environment(
        secret_key=SECRET,
        allowed_hosts=("a.example.org", "b.example.org"),
        trusted_origins=("https://a.example.org",),
        database_url="postgres://phoenix:secret@db:5432/phoenix",
        database_max_age=0,
        database_pool=True,
        redis_url="redis://queue:6379/0",
        email_url="smtps://phoenix:secret@mail",
        email_from="Shop <shop@example.org>",
        support_contact="help@example.org",
        render_days=7,
        demo=True,
        https=False,
        hsts_seconds=60,
        proxy_header=True,
        log_level="ERROR",
        log_format="console",
        var_directory="/srv/phoenix",
        language="de",
        time_zone="Europe/Berlin",
    )


def test_debugging_is_never_production():
    environment = read({"DJANGO_SECRET_KEY": "short", "DEBUG": "1", "ALLOWED_HOSTS": "box.local"})

    assert environment.debug
    assert not environment.is_production


@pytest.mark.parametrize(
    ("variable", "value", "code"),
    [
        ("DEBUG", "maybe", "ENV_NOT_BOOLEAN"),
        ("HSTS_SECONDS", "-1", "ENV_NOT_A_NUMBER"),
        ("DATABASE_MAX_AGE", "٣", "ENV_NOT_A_NUMBER"),
        ("LOG_LEVEL", "LOUD", "ENV_NOT_A_CHOICE"),
        ("LOG_FORMAT", "xml", "ENV_NOT_A_CHOICE"),
        ("DATABASE_URL", "mysql://db/phoenix", "ENV_NOT_AN_ADDRESS"),
        ("DATABASE_URL", "phoenix.sqlite3", "ENV_NOT_AN_ADDRESS"),
        ("REDIS_URL", "localhost:6379", "ENV_NOT_AN_ADDRESS"),
        ("EMAIL_URL", "mail.example.org", "ENV_NOT_AN_ADDRESS"),
        ("EMAIL_URL", "https://mail.example.org", "ENV_NOT_AN_ADDRESS"),
        ("EMAIL_URL", "smtp://", "ENV_NOT_AN_ADDRESS"),
        ("EMAIL_URL", "smtp://user:secret@:25", "ENV_NOT_AN_ADDRESS"),
        ("EMAIL_URL", "smtp://mail:submission", "ENV_NOT_AN_ADDRESS"),
        ("EMAIL_URL", "file://mail", "ENV_NOT_AN_ADDRESS"),
        ("EMAIL_FROM", "Shop", "ENV_SENDER_MISSING"),
        ("EMAIL_FROM", "shop@example.org\nBcc: all@example.org", "ENV_SENDER_MISSING"),
        ("CSRF_TRUSTED_ORIGINS", "shop.example.org", "ENV_NOT_AN_ORIGIN"),
        ("DATABASE_POOL", "1", "ENV_POOL_NEEDS_POSTGRESQL"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(variable, value, code):
    assert codes(**{variable: value}) == [(code, variable)]


@pytest.mark.parametrize(
    ("variable", "value", "code"),
    [
        ("DJANGO_SECRET_KEY", "too-short", "ENV_SECRET_WEAK"),
        ("DJANGO_SECRET_KEY", "ab" * 40, "ENV_SECRET_WEAK"),
        ("ALLOWED_HOSTS", "", "ENV_HOSTS_MISSING"),
        ("ALLOWED_HOSTS", "shop.example.org,*", "ENV_HOSTS_OPEN"),
        ("REDIS_URL", "", "ENV_QUEUE_MISSING"),
    ],
)
def test_production_does_not_start_without_what_it_needs(variable, value, code):
    assert codes(**{**PRODUCTION, variable: value}) == [(code, variable)]


def test_production_does_not_send_messages_without_saying_whose_they_are():
    assert codes(**PRODUCTION, EMAIL_URL="smtp://mail") == [("ENV_SENDER_MISSING", "EMAIL_FROM")]
    assert read({**PRODUCTION, "EMAIL_URL": "smtp://mail", "EMAIL_FROM": "shop@example.org"}).email_from == "shop@example.org"


def test_serving_strangers_without_a_key_is_refused():
    assert codes(ALLOWED_HOSTS="shop.example.org") == [("ENV_SECRET_MISSING", "DJANGO_SECRET_KEY")]


def test_all_problems_are_told_at_once():
    assert codes(DEBUG="perhaps", LOG_LEVEL="LOUD", HSTS_SECONDS="soon") == [
        ("ENV_NOT_BOOLEAN", "DEBUG"),
        ("ENV_NOT_A_NUMBER", "HSTS_SECONDS"),
        ("ENV_NOT_A_CHOICE", "LOG_LEVEL"),
    ]


def test_a_problem_says_what_is_wrong_and_what_to_do():
    with pytest.raises(EnvironmentInvalid) as caught:
        read({"DEBUG": "maybe"})

    assert str(caught.value).splitlines()[1].strip() == "ENV_NOT_BOOLEAN DEBUG: “maybe” is neither yes nor no. Use 1 or 0."


def test_a_refused_address_does_not_show_its_password():
    with pytest.raises(EnvironmentInvalid) as caught:
        read({"DATABASE_URL": "mysql://root:sesame@db/phoenix"})

    assert "sesame" not in str(caught.value)
