"""Dataset: the parts of a contract that speak about the dataset as a whole, judged and put together."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from data_ingestion.contract.arrival import UNITS, DoneMarker, Window, faults_of_marker, read_window
from data_ingestion.contract.captured import read_capture
from data_ingestion.contract.columns import Placed, read_columns
from data_ingestion.contract.document import Document, Value, inside
from data_ingestion.contract.faults import choices
from data_ingestion.contract.key import read_key
from data_ingestion.contract.kinds import read_kinds
from data_ingestion.contract.names import TEXT, faults_of_dataset, faults_of_name
from data_ingestion.contract.settings import Given, settings_of
from data_ingestion.contract.sources import read_sources
from data_ingestion.contract.standard import described
from data_ingestion.contract.terms import Contract, QuarantineLimit, Role, Source

LAYERS = ("raw", "bronze", "silver", "gold")
STATUSES = ("proposed", "draft", "active", "deprecated", "retired")
FRESHNESS = "latency"
LEVELS = (
    FRESHNESS, "frequency", "retention", "availability", "throughput", "errorRate", "generalAvailability",
    "endOfSupport", "endOfLife", "timeToDetect", "timeToNotify", "timeToRepair",
)  # fmt: skip
_HOURS = {"h": 1, "hour": 1, "hours": 1, "d": 24, "day": 24, "days": 24}


def read_dataset(document: Document) -> Contract | None:
    """The contract of a document that the standard was asked about; its faults go to the document."""
    root = document.root
    (sources, landing), schema = read_sources(document), _only(document, "schema", "dataset")
    if not isinstance(root, dict) or not sources or schema is None:
        return None
    properties = schema.get("properties")
    if not properties:
        document.add("schema[0].properties", "has no columns", "list the columns to load", "columns")
    columns = read_columns(
        document, properties if isinstance(properties, list) else [], "schema[0].properties"
    )
    settings = settings_of(document, schema, "schema[0]")
    ignored = _texts(settings.get("ignoredHeaders"))
    _judge_distinct(document, columns, ignored)
    _judge_document(document, root, schema)
    warn_after_hours, error_after_hours = _freshness(document, root)
    return Contract(
        path=document.file,
        domain=_name(document, root, "domain"),
        dataset=str(schema.get("name")),
        version=str(root.get("version")),
        description=_description(root, schema),
        pattern=sources[0].pattern,
        format=sources[0].format,
        also=tuple(sources[1:]),
        columns=tuple(placed.column for placed in columns),
        ignored_headers=ignored,
        key=read_key(document, schema, [placed.column for placed in columns], settings),
        quarantine_limit=_quarantine_limit(document, settings.get("quarantineLimit")),
        warn_after_hours=warn_after_hours,
        error_after_hours=error_after_hours,
        roles=_roles(document, root),
        settle_seconds=_count(landing.get("settleSeconds"), 0),
        done_marker=_done_marker(document, landing.get("doneMarker")),
        recheck=_recheck(document, sources, landing.get("recheck")),
        kinds=read_kinds(document, settings.get("kinds"), [placed.column for placed in columns]),
        capture=read_capture(document, landing.get("capture"), sources[0]),
        archive=_archive(document, sources, settings.get("archive")),
    )


def _only(document: Document, name: str, anchor: str) -> dict[str, Value] | None:
    """The single item of a list that the standard allows to hold many."""
    listed = document.root.get(name) if isinstance(document.root, dict) else None
    if document.is_faulty(name) and not isinstance(listed, list):
        return None
    if not isinstance(listed, list) or len(listed) != 1:
        count = len(listed) if isinstance(listed, list) else 0
        fault = f"has {count} entries, a contract of Goldworks has one" if count else "is missing"
        document.add(name, fault, "write one contract a dataset" if count else "add it", anchor)
        return None
    return listed[0] if isinstance(listed[0], dict) else None


def _judge_document(document: Document, root: dict[str, Value], schema: dict[str, Value]) -> None:
    dataset = schema.get("name")
    if isinstance(dataset, str):
        for fault, remedy in faults_of_dataset(dataset):
            document.add("schema[0].name", fault, remedy, "names")
        for place, other in (
            ("name", root.get("name")),
            ("schema[0].physicalName", schema.get("physicalName")),
        ):
            if isinstance(other, str) and other != dataset:
                fault = f"'{other}' is not the dataset's name '{dataset}'"
                document.add(place, fault, "leave it out: the dataset's name is the table's too", "names")
    status = root.get("status")
    if isinstance(status, str) and status not in STATUSES:
        document.add("status", f"'{status}' is no status", choices(status, STATUSES), "document")
    for place, holder in (("", root), ("schema[0]", schema)):
        for unkept in ("quality", "relationships"):
            if holder.get(unkept):
                remedy = "write it as a dbt test on the models of the dataset"
                document.add(inside(place, unkept), f"'{unkept}' is not kept by the loader", remedy, "unkept")


def _name(document: Document, root: dict[str, Value], place: str) -> str:
    name = root.get(place)
    if name is None:
        document.add(place, "is missing", "add it: the name of the folder that the contract lies in", "names")
    elif isinstance(name, str):
        for fault, remedy in faults_of_name(name, place):
            document.add(place, fault, remedy, "names")
    return str(name)


def _description(root: dict[str, Value], schema: dict[str, Value]) -> str:
    prose = root.get("description")
    texts = (schema.get("description"), prose.get("purpose") if isinstance(prose, dict) else None)
    return " ".join(" ".join(text.split()) for text in texts if isinstance(text, str))


def _done_marker(document: Document, given: Given | None) -> DoneMarker | None:
    if given is None or not isinstance(given.value, str):
        return None
    if found := faults_of_marker(given.value):
        document.add(given.place, *found, "landing")
    return DoneMarker(given.value)


def _recheck(document: Document, sources: Sequence[Source], given: Given | None) -> Window | None:
    if given is None or not isinstance(given.value, str):
        return None
    window = read_window(given.value)
    if window is None:
        remedy = f"write a number and {', '.join(UNITS[:-1])} or {UNITS[-1]}: '2 hours', '3 months'"
        document.add(given.place, f"{described(given.value)} is no span of time", remedy, "landing")
    elif not all("{YYYY}" in source.pattern.text for source in sources):
        remedy = "add date parts such as {YYYY}/{MM} to the path, or leave it out: every run lists all"
        document.add(given.place, "the path has no periods to look back over", remedy, "landing")
    return window


def _archive(document: Document, sources: Sequence[Source], given: Given | None) -> bool:
    if given is None or given.value is not True:
        return False
    if not all("{YYYY}" in source.pattern.text for source in sources):
        remedy = "add date parts such as {YYYY}/{MM} to the path, or leave it out"
        document.add(given.place, "the path has no periods to partition the lake by", remedy, "archive")
    return True


def _judge_distinct(document: Document, columns: list[Placed], ignored: tuple[str, ...]) -> None:
    """Names and headers mean one column each."""
    names: dict[str, str] = {}
    headers = dict.fromkeys(ignored, "ignoredHeaders")
    for placed in columns:
        column = placed.column
        is_second = column.name in names
        for name in (column.name, f"{column.name}{TEXT}")[: 1 + column.keep_text]:
            if name in names:
                fault = f"'{name}' is a column already, by {names[name]}"
                document.add(inside(placed.place, "name"), fault, "name one of them otherwise", "names")
            names.setdefault(name, placed.place)
        for header, place in zip(column.headers, placed.header_places, strict=True):
            if header in headers and not (is_second and header == column.name):
                fault = f"the header '{header}' belongs to {headers[header]} already"
                document.add(place, fault, "give each header to one column, once", "headers")
            headers.setdefault(header, column.name)


def _quarantine_limit(document: Document, given: Given | None) -> QuarantineLimit:
    limit = QuarantineLimit()
    if given is None or not isinstance(given.value, dict):
        return limit
    for unknown in given.value.keys() - {"share", "least"}:
        remedy = choices(unknown, ("share", "least"))
        document.add(
            inside(given.place, unknown), "is no part of a quarantine limit", remedy, "quarantine-limit"
        )
    share, least = given.value.get("share", Decimal(str(limit.share))), given.value.get("least", limit.least)
    if isinstance(share, bool) or not isinstance(share, int | Decimal) or not 0 <= share <= 1:
        remedy = "write a share from 0 to 1: 0.05 is one row in twenty"
        document.add(
            inside(given.place, "share"), f"{described(share)} is no share", remedy, "quarantine-limit"
        )
        share = 0
    if isinstance(least, bool) or not isinstance(least, int) or least < 0:
        remedy = "write a whole number from 0"
        document.add(
            inside(given.place, "least"), f"{described(least)} is no count", remedy, "quarantine-limit"
        )
        least = 0
    return QuarantineLimit(float(share), least)


def _freshness(document: Document, root: dict[str, Value]) -> tuple[int | None, int | None]:
    """After how many hours without a new drop to warn, and to speak of an error."""
    warn = error = None
    levels = root.get("slaProperties")
    for index, level in enumerate(levels if isinstance(levels, list) else []):
        place = inside("slaProperties", index)
        if not isinstance(level, dict) or document.is_faulty(place):
            continue
        name, value, unit = level.get("property"), level.get("value"), level.get("unit")
        settings = settings_of(document, level, place)
        if name not in LEVELS:
            document.add(
                inside(place, "property"), f"'{name}' is no service level", choices(name, LEVELS), "freshness"
            )
        elif name != FRESHNESS and settings:
            remedy = f"move it to the service level '{FRESHNESS}'"
            document.add(inside(place, "customProperties"), f"'{name}' has no settings", remedy, "freshness")
        elif name == FRESHNESS and warn is not None:
            document.add(inside(place, "property"), f"'{name}' is set twice", "keep one", "freshness")
        elif name == FRESHNESS:
            hours = _HOURS.get(str(unit))
            if hours is None:
                remedy = "write h for hours or d for days"
                document.add(
                    inside(place, "unit"), f"{described(unit)} is no unit of delay", remedy, "freshness"
                )
                continue
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                remedy = "write a whole number of hours or days"
                document.add(inside(place, "value"), f"{described(value)} is no delay", remedy, "freshness")
                continue
            warn = value * hours
            if "errorAfter" in settings:
                error = _count(settings["errorAfter"], 0) * hours
                if error < warn:
                    remedy = "let it be no sooner than the warning"
                    at = settings["errorAfter"].place
                    document.add(at, "the error comes before the warning", remedy, "freshness")
    return warn, error


def _roles(document: Document, root: dict[str, Value]) -> tuple[Role, ...]:
    roles: dict[str, Role] = {}
    listed = root.get("roles")
    for index, item in enumerate(listed if isinstance(listed, list) else []):
        place = inside("roles", index)
        if not isinstance(item, dict) or document.is_faulty(place):
            continue
        name, access = str(item.get("role")), item.get("access")
        for fault, remedy in faults_of_name(name, "role"):
            document.add(inside(place, "role"), fault, remedy, "roles")
        if name in roles:
            document.add(inside(place, "role"), f"'{name}' is listed twice", "keep one", "roles")
        if access not in LAYERS:
            fault = f"{described(access)} is no layer to have access to"
            document.add(inside(place, "access"), fault, choices(access, LAYERS), "roles")
        roles[name] = Role(name, str(access))
    return tuple(roles.values())


def _texts(given: Given | None) -> tuple[str, ...]:
    return tuple(map(str, given.value)) if given and isinstance(given.value, list) else ()


def _count(given: Given | None, default: int) -> int:
    return given.value if given and isinstance(given.value, int) else default
