"""Dataset: the parts of a contract that speak about the dataset as a whole, checked and put together."""

from __future__ import annotations

from collections.abc import Sequence

from data_ingestion.contract.acceptance import read_acceptance
from data_ingestion.contract.arrival import UNITS, DoneMarker, Window, faults_of_marker, read_window
from data_ingestion.contract.captured import read_capture
from data_ingestion.contract.columns import Common, Placed, read_columns
from data_ingestion.contract.document import Document, Value, inside
from data_ingestion.contract.faults import choices
from data_ingestion.contract.file_formats import CsvFormat, SpreadsheetFormat
from data_ingestion.contract.key import read_key
from data_ingestion.contract.kinds import read_kinds
from data_ingestion.contract.meanings import read_null_values
from data_ingestion.contract.month_names import read_month_names
from data_ingestion.contract.names import TEXT, faults_of_dataset, faults_of_name, spelling
from data_ingestion.contract.number_format import check_sources, read_number_format
from data_ingestion.contract.path_parts import check_parts
from data_ingestion.contract.schedule import faults_of_schedule, schedule_of
from data_ingestion.contract.settings import Given, settings_of
from data_ingestion.contract.sources import read_sources
from data_ingestion.contract.standard import described
from data_ingestion.contract.terms import Contract, Role, Source
from data_ingestion.contract.time_zone import read_local_time
from data_ingestion.contract.warehouses import check_warehouses, most_text_bytes, read_warehouses

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
    settings = settings_of(document, schema, "schema[0]")
    warehouses = read_warehouses(document, settings.get("warehouses"))
    columns = read_columns(
        document,
        properties if isinstance(properties, list) else [],
        "schema[0].properties",
        Common(
            read_null_values(document, settings.get("nullValues")),
            read_number_format(document, settings.get("numberFormat")),
            read_local_time(document, settings),
            most_text_bytes(warehouses),
            read_month_names(document, settings.get("monthNames")),
        ),
    )
    _check_filled(document, sources, columns)
    check_parts(document, sources, [(placed.column, placed.place) for placed in columns])
    check_warehouses(
        document, settings.get("warehouses"), warehouses, [placed.column for placed in columns], sources
    )
    check_sources(document, settings.get("numberFormat"), sources)
    ignored = _texts(settings.get("ignoredHeaders"))
    _check_distinct(document, columns, ignored)
    _check_column_names(document, sources, columns, ignored)
    _check_relaxed_headers(document, sources, columns, ignored)
    _check_document(document, root, schema)
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
        acceptance=read_acceptance(document, settings),
        warn_after_hours=warn_after_hours,
        error_after_hours=error_after_hours,
        roles=_roles(document, root),
        settle_seconds=_count(landing.get("settleSeconds"), 0),
        done_marker=_done_marker(document, landing.get("doneMarker")),
        recheck=_recheck(document, sources, landing.get("recheck")),
        schedule=_schedule(document, landing.get("schedule")),
        kinds=read_kinds(document, settings.get("kinds"), [placed.column for placed in columns]),
        capture=read_capture(document, landing.get("capture"), sources[0]),
        warehouses=warehouses,
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


def _check_document(document: Document, root: dict[str, Value], schema: dict[str, Value]) -> None:
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
        document.add("status", f"'{status}' is not a status", choices(status, STATUSES), "document")
    for place, holder in (("", root), ("schema[0]", schema)):
        for unkept in ("quality", "relationships"):
            if holder.get(unkept):
                remedy = "write it as a dbt test on the models of the dataset"
                document.add(
                    inside(place, unkept), f"'{unkept}' is not supported by the loader", remedy, "unkept"
                )


def _name(document: Document, root: dict[str, Value], place: str) -> str:
    name = root.get(place)
    if name is None:
        document.add(place, "is missing", "add it: the name of the contract's folder", "names")
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
        document.add(given.place, f"{described(given.value)} is not a span of time", remedy, "landing")
    elif not all("{YYYY}" in source.pattern.text for source in sources):
        remedy = "add date parts such as {YYYY}/{MM} to the path, or leave it out: every run lists all"
        document.add(given.place, "the path has no periods to look back over", remedy, "landing")
    return window


def _schedule(document: Document, given: Given | None) -> str | None:
    if given is None or not isinstance(given.value, str):
        return None
    if found := faults_of_schedule(given.value):
        document.add(given.place, *found, "schedule")
        return None
    return schedule_of(given.value)


def _archive(document: Document, sources: Sequence[Source], given: Given | None) -> bool:
    if given is None or given.value is not True:
        return False
    if not all("{YYYY}" in source.pattern.text for source in sources):
        remedy = "add date parts such as {YYYY}/{MM} to the path, or leave it out"
        document.add(given.place, "the path has no periods to partition the lake by", remedy, "archive")
    return True


def _check_distinct(document: Document, columns: list[Placed], ignored: tuple[str, ...]) -> None:
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


def _check_filled(document: Document, sources: Sequence[Source], columns: list[Placed]) -> None:
    """Cells are filled from above in files of rows, not in those of records."""
    if all(isinstance(source.format, CsvFormat | SpreadsheetFormat) for source in sources):
        return
    for placed in columns:
        if placed.column.fill_down:
            remedy = "leave it out; it is for csv, tsv, xlsx"
            document.add(placed.place, "'fillDown' has no effect on records", remedy, "fill-down")


def _check_column_names(
    document: Document, sources: Sequence[Source], columns: list[Placed], ignored: tuple[str, ...]
) -> None:
    """Names that a server gives to the columns of its files are those of the contract, each once."""
    headers = {header: placed.column for placed in columns for header in placed.column.headers}
    for index, source in enumerate(sources):
        if not isinstance(source.format, CsvFormat) or not (names := source.format.column_names):
            continue
        known = {headers[name].name for name in names if name in headers}
        faults = [
            (f"'{name}' is not a column and not among 'ignoredHeaders'", choices(name, headers))
            for name in names
            if name not in headers and name not in ignored
        ]
        faults += [
            (f"'{name}' stands twice", "name each column once")
            for name in sorted({name for name in names if names.count(name) > 1 and name not in ignored})
        ]
        faults += [
            (f"'{placed.column.name}' is missing", "name it where it stands, or allow 'mayBeAbsent'")
            for placed in columns
            if placed.column.name not in known
            and not placed.column.may_be_absent
            and not placed.column.from_path
        ]
        for fault, remedy in faults:
            document.add(inside(inside("servers", index), "columnNames"), fault, remedy, "header-line")


def _check_relaxed_headers(
    document: Document, sources: Sequence[Source], columns: list[Placed], ignored: tuple[str, ...]
) -> None:
    """Where spelling is not exact, no two columns have headers that are spelt alike."""
    if not any(
        isinstance(source.format, CsvFormat | SpreadsheetFormat) and source.format.relaxed_headers
        for source in sources
    ):
        return
    owners = {spelling(name): "ignoredHeaders" for name in ignored}
    for placed in columns:
        for header, place in zip(placed.column.headers, placed.header_places, strict=True):
            owner = owners.setdefault(spelling(header), placed.column.name)
            if owner != placed.column.name:
                fault = f"'{header}' is spelt like a header of {owner}, and 'headerMatch' is relaxed"
                document.add(
                    place, fault, "leave 'headerMatch' out, or give it another header", "header-names"
                )


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
                inside(place, "property"),
                f"'{name}' is not a service level",
                choices(name, LEVELS),
                "freshness",
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
                    inside(place, "unit"), f"{described(unit)} is not a unit of time", remedy, "freshness"
                )
                continue
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                remedy = "write a whole number of hours or days"
                document.add(
                    inside(place, "value"), f"{described(value)} is not a delay", remedy, "freshness"
                )
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
            fault = f"{described(access)} is not a layer"
            document.add(inside(place, "access"), fault, choices(access, LAYERS), "roles")
        roles[name] = Role(name, str(access))
    return tuple(roles.values())


def _texts(given: Given | None) -> tuple[str, ...]:
    return tuple(map(str, given.value)) if given and isinstance(given.value, list) else ()


def _count(given: Given | None, default: int) -> int:
    return given.value if given and isinstance(given.value, int) else default
