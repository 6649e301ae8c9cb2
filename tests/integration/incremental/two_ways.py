"""Two ways: what differs between models built step by step and whole, and how far each has followed its loads."""


def differences(connection, relations):
    """Relations whose rows differ between step by step and whole, with how many rows."""
    found = {}
    for relation in relations:
        whole = f"ci_ann_{relation}"
        (rows,) = connection.execute(
            f"""select count(*) from (
                    (select * from {relation} except all select * from {whole})
                    union all (select * from {whole} except all select * from {relation})
                ) as differing"""
        ).fetchone()
        if rows:
            found[relation] = rows
    return found


def mark(connection, relation="int_bank_movements", dataset=None):
    return connection.execute(
        "select load_id from silver.load_marks where relation = %s and dataset = coalesce(%s, dataset)",
        [relation, dataset],
    ).fetchone()[0]


def newest_build(connection, relation):
    return connection.execute(
        "select coalesce(max(build), 0) from silver.touched_days where relation = %s", [relation]
    ).fetchone()[0]
