"""docker-compose.yaml, held to what it promises; that it works, `make test-compose` says."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from runtime import containers, demo
from runtime.settings import GENERATED

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yaml").read_text(encoding="utf-8")
FILE: dict[str, Any] = yaml.safe_load(TEXT)
DEVELOPMENT: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.dev.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
# Those that end when they have done what they are there for.
ONCE = {"airflow-init", "dashboards", "postgres-init", "s3-init", "samples", "superset-init", "traffic"}
LASTING = sorted(SERVICES.keys() - ONCE)
OURS = {name: service for name, service in SERVICES.items() if "GOLDWORKS_IMAGES" in service["image"]}


def mounted(service: dict[str, Any], kind: str) -> dict[str, str]:
    """Its secrets or configs: where each lies in the container, and its name in this file."""
    entries = [one if isinstance(one, dict) else {"source": one} for one in service.get(kind, [])]
    return {entry.get("target", entry["source"]): entry["source"] for entry in entries}


def megabytes(limit: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([mg])", limit).groups()  # type: ignore[union-attr]
    return int(number) * (1024 if unit == "g" else 1)


# ── every service ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_can_do_no_more_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    for freedom in ("privileged", "cap_add", "network_mode", "pid", "ipc", "devices", "userns_mode"):
        assert freedom not in service
    assert not [volume for volume in service.get("volumes", []) if "docker.sock" in str(volume)]


@pytest.mark.parametrize("name", SERVICES)
def test_a_log_does_not_fill_the_disk(name: str) -> None:
    logging = SERVICES[name]["logging"]
    assert logging["driver"] == "json-file"
    assert megabytes(logging["options"]["max-size"]) * int(logging["options"]["max-file"]) <= 100


@pytest.mark.parametrize("name", LASTING)
def test_a_lasting_service_is_checked_limited_and_started_again(name: str) -> None:
    service = SERVICES[name]
    check = service["healthcheck"]
    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries", "start_period"} <= check.keys()
    assert megabytes(service["deploy"]["resources"]["limits"]["memory"]) >= 256
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(ONCE))
def test_what_is_done_once_is_not_started_again(name: str) -> None:
    assert SERVICES[name]["restart"] == "no"
    assert "healthcheck" not in SERVICES[name]
    assert "ports" not in SERVICES[name]


def test_no_main_process_is_roots() -> None:
    """Images of ours say it themselves."""
    for name, service in SERVICES.items():
        if name not in OURS:
            assert service["user"] in ("postgres", "redis")
    for file in ("airflow/Dockerfile", "superset/Dockerfile", "runtime/s3.Dockerfile"):
        final = (ROOT / file).read_text(encoding="utf-8").rpartition("\nFROM ")[2]
        assert "\nUSER goldworks\n" in final
        assert "\nRUN " not in final.partition("\nUSER goldworks\n")[2]


# ── networks and ports ────────────────────────────────────────────────────────────────────────────────────────────


def test_every_published_port_is_of_this_machine_alone_and_a_setting() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    settings = []
    for port in (port for ports in published.values() for port in ports):
        known = re.fullmatch(r"127\.0\.0\.1:\$\{(GOLDWORKS_\w+_PORT):-(\d+)\}:\d+", port)
        assert known, f"{port} is not bound to 127.0.0.1"
        assert known[1] in GENERATED
        settings.append(known[1])
    assert sorted(published) == ["airflow-api", "postgres", "superset"]
    # what `make up` makes sure of before it starts
    assert sorted(settings) == ["GOLDWORKS_AIRFLOW_PORT", "GOLDWORKS_PG_PORT", "GOLDWORKS_SUPERSET_PORT"]
    assert "network_mode" not in TEXT


def test_the_s3_server_which_lets_anybody_in_is_known_to_the_landings_network_alone() -> None:
    assert "ports" not in SERVICES["s3"]
    assert SERVICES["s3"]["networks"] == ["landing"]
    inside = {name for name, service in SERVICES.items() if "landing" in service["networks"]}
    assert not {name for name in inside if not name.startswith(("airflow", "s3", "samples", "traffic"))}


def test_every_service_is_in_a_network_of_ours() -> None:
    for service in SERVICES.values():
        assert set(service["networks"]) <= FILE["networks"].keys()
        assert service["networks"]


# ── secrets ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_password_stands_in_the_file() -> None:
    """A secret is the name of a file; what else is said of passwords names such a file."""
    secret = re.compile(r"PASSWORD|SECRET|_KEY|TOKEN|_CONN|URI", re.IGNORECASE)
    for document in (FILE, DEVELOPMENT):
        for service in document["services"].values():
            told = service.get("environment", {})
            assert isinstance(told, dict)
            open_ = {name: value for name, value in told.items() if secret.search(name)}
            assert not {name for name, value in open_.items() if not str(value).startswith("/run/secrets/")}
    for name, entry in FILE["secrets"].items():
        assert entry == {"file": f"${{GOLDWORKS_HOME:-./var}}/containers/secrets/{name}"}
    assert not re.search(r"://[^/\s\"']*:[^/\s\"'$]+@", TEXT)  # no login in an address


def test_every_secret_is_used_and_every_used_one_is_there() -> None:
    used = {source for service in SERVICES.values() for source in mounted(service, "secrets").values()}
    assert used == FILE["secrets"].keys()


def test_every_config_is_used_and_is_a_file_of_the_repository() -> None:
    used = {source for service in SERVICES.values() for source in mounted(service, "configs").values()}
    assert used == FILE["configs"].keys()
    for config in FILE["configs"].values():
        assert (ROOT / config["file"]).is_file()


def test_a_part_holds_the_logins_that_it_needs_and_no_others() -> None:
    server = {"POSTGRES_PASSWORD"}
    of_superset = {
        "SUPERSET_SECRET_KEY",
        "SUPERSET_METADATA_URI",
        "SUPERSET_PASSWORD",
        "CHOSEN_REPORTER_PASSWORD",
    }
    for name, service in SERVICES.items():
        secrets = set(mounted(service, "secrets").values())
        if name.startswith(("superset", "dashboards")):
            assert secrets == of_superset
        elif name.startswith(("s3", "redis")):
            assert secrets == ({"REDIS_PASSWORD"} if name == "redis" else set())
        elif name == "traffic":
            assert secrets == {"GOLDWORKS_SHOP_URL", "GOLDWORKS_SOURCE_SHOP_URL", "AWS_SECRET_ACCESS_KEY"}
        elif name.startswith(("airflow", "samples")):
            assert not secrets & (server | of_superset)
            assert not [
                one for one in secrets if re.fullmatch(r"(DEV_)?(LOADER|TRANSFORMER|REPORTER)_PASSWORD", one)
            ]
    assert set(mounted(SERVICES["postgres"], "secrets").values()) == server
    # only where the administrator is made is the password of a person
    holders = {
        name for name, service in SERVICES.items() if "AIRFLOW_PASSWORD" in mounted(service, "secrets")
    }
    assert holders == {"airflow-init"}


def test_the_databases_are_made_with_a_password_for_each_of_their_roles() -> None:
    script, source = (
        (ROOT / name).read_text(encoding="utf-8") for name in ("init_db.sql", "init_source.sql")
    )
    given = set(mounted(SERVICES["postgres-init"], "secrets"))
    of_a_warehouse = set(re.findall(r"\|\| '(\w+_PASSWORD)'", script))
    assert of_a_warehouse
    needed = of_a_warehouse | {f"DEV_{name}" for name in of_a_warehouse}
    needed |= set(re.findall(r"\\getenv \w+ (\w+_PASSWORD)", script + source))
    assert given == needed | {"PGPASSWORD"}


# ── images ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_images_of_others_are_postgres_and_redis() -> None:
    others = {service["image"] for name, service in SERVICES.items() if name not in OURS}
    assert others == {"postgres:18-bookworm", "redis:8-bookworm"}


def test_each_image_of_ours_is_built_by_one_service_from_a_file_that_is_there() -> None:
    built = {name: service["build"] for name, service in OURS.items() if "build" in service}
    images = [OURS[name]["image"] for name in built]
    assert len(images) == len(set(images)) == 3
    assert {service["image"] for service in OURS.values()} == set(images)
    assert not [name for name, service in SERVICES.items() if "build" in service and name not in OURS]
    for image in images:
        assert re.fullmatch(r"\$\{GOLDWORKS_IMAGES:-goldworks\}/\w+:\$\{GOLDWORKS_TAG:-local\}", image)
    for build in built.values():
        text = (ROOT / build["dockerfile"]).read_text(encoding="utf-8")
        assert "ARG PYTHON_IMAGE=python:3.11-slim-bookworm\n" in text
        assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"${PYTHON_IMAGE}"}


@pytest.mark.parametrize("file", ["airflow/Dockerfile", "superset/Dockerfile", "runtime/s3.Dockerfile"])
def test_images_install_what_is_locked_and_checked_and_nothing_else(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8").replace("\\\n", " ")
    installs = re.findall(r"(?:^RUN|&&) *((?:uv )?pip install [^&\n]*)", text, re.MULTILINE)
    assert installs
    for install in installs:
        if "/build/goldworks" in install:  # the loader itself, of which all that it needs is there already
            assert "--no-deps --no-build-isolation" in install
        else:
            assert {"--require-hashes", "--no-deps"} <= set(install.split())
            assert re.search(r" -r /build/[\w-]+\.txt *$", install)
    assert "apt-get" not in text
    ignored, *taken = [
        line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[0] in "*!"
    ]
    assert ignored == "*"  # settings, data and history never get in
    for source in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
        for path in source.split():
            assert (ROOT / path).exists()
            assert f"!{path.split('/')[0]}" in taken


# ── profiles and dependencies ─────────────────────────────────────────────────────────────────────────────────────


def test_profiles_are_those_that_make_up_chooses_from() -> None:
    known = {profile for service in SERVICES.values() for profile in service.get("profiles", [])}
    assert known == {"local-postgres", "local-s3", "shop", containers.DISTRIBUTED}


def test_nothing_needs_what_a_profile_may_leave_out() -> None:
    """But for what the same profile leaves out, too."""
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            same = set(SERVICES[other].get("profiles", [])) <= set(service.get("profiles", []))
            assert same or how.get("required") is False, f"{name} needs {other}"


def test_what_is_done_once_is_waited_for_until_it_is_done_and_what_lasts_until_it_is_well() -> None:
    for service in SERVICES.values():
        for other, how in service.get("depends_on", {}).items():
            wanted = "service_completed_successfully" if other in ONCE else "service_healthy"
            assert how["condition"] == wanted


def test_the_shop_lives_as_long_before_and_after_its_first_capture_as_in_the_demo() -> None:
    lives = [f"goldworks traffic --until {minutes}" for minutes in demo.SHOP_MINUTES]
    assert SERVICES["traffic"]["command"] == [
        "bash",
        "-c",
        " && { goldworks capture || true; } && ".join(lives),
    ]


def test_there_are_three_workers() -> None:
    assert SERVICES["airflow-worker"]["deploy"]["replicas"] == 3
    assert "container_name" not in TEXT  # which would allow one


def test_compose_2_20_reads_where_the_plain_settings_are() -> None:
    """It knows files by their names alone; what else could be said of one came later."""
    for service in SERVICES.values():
        assert all(isinstance(file, str) for file in service.get("env_file", []))
    platform = "${GOLDWORKS_HOME:-./var}/containers/platform.env"
    with_settings = {name for name, service in SERVICES.items() if platform in service.get("env_file", [])}
    assert SERVICES.keys() - with_settings == {"postgres", "redis"}


def test_volumes_are_named_and_each_is_used() -> None:
    used = {
        volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])
    }
    assert used == FILE["volumes"].keys()


# ── development ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_working_copy_is_only_read() -> None:
    for service in DEVELOPMENT["services"].values():
        for volume in service["volumes"]:
            source, _, rest = volume.rpartition(":/opt/")
            assert source == "manifest" or rest.endswith(":ro"), volume
            path = re.sub(r"\$\{GOLDWORKS_CONTRACTS:-(.+)\}", r"\1", source)
            assert source == "manifest" or (ROOT / path).is_dir()


def test_every_service_of_airflow_that_reads_dags_reads_those_of_the_working_copy() -> None:
    lasting = {name for name in LASTING if name.startswith("airflow")}
    assert lasting <= DEVELOPMENT["services"].keys()
    for name in lasting:
        assert "./airflow:/opt/goldworks/airflow:ro" in DEVELOPMENT["services"][name]["volumes"]


@pytest.mark.parametrize("part", ["airflow", "superset"])
def test_an_image_holds_what_its_preparation_imports_of_the_runtime(part: str) -> None:
    script, image = (
        (ROOT / part / name).read_text(encoding="utf-8") for name in ("prepare.py", "Dockerfile")
    )
    [module] = re.findall(r"^from (runtime\.\w+) import", script, re.MULTILINE)
    assert f"\nCOPY runtime/__init__.py {module.replace('.', '/')}.py runtime/\n" in image


def test_the_workers_check_finds_the_brokers_address_among_the_secrets() -> None:
    worker = SERVICES["airflow-worker"]
    assert worker["healthcheck"]["test"][:2] == ["CMD", "with_secrets"]
    assert "AIRFLOW__CELERY__BROKER_URL" in worker["secrets"]
