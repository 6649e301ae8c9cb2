"""Prepare: Superset's metadata at this version, its roles, and its administrator.

    python superset/prepare.py

Run by the python of Superset's environment, once before Superset starts, with the variables of superset_config.py and
SUPERSET_USER and SUPERSET_PASSWORD (or SUPERSET_PASSWORD_FILE). May be run again at any time.

What was prepared is noted with the metadata itself; where nothing is to be done, Superset, which takes seconds, is not
even imported.
"""

import os
import sys
from pathlib import Path

import psycopg2
from variables import VariableMissing, variable

sys.path.append(str(Path(__file__).resolve().parents[1]))

from runtime.metadata import fingerprint, is_prepared, note_prepared, postgres_url

REQUIREMENTS = Path(__file__).with_name("requirements.txt")


class LoginRefused(Exception):
    """Superset made no administrator and says why only in its log."""


def main() -> int:
    """Does what is missing, and says it in a line."""
    user = os.environ.get("SUPERSET_USER", "admin")
    try:
        password, key = variable("SUPERSET_PASSWORD"), variable("SUPERSET_SECRET_KEY")
        wanted = fingerprint(REQUIREMENTS, user, password, key)
        metadata = psycopg2.connect(postgres_url(variable("SUPERSET_METADATA_URI")), connect_timeout=10)
        metadata.autocommit = True  # an open transaction would be in the migration's way
        if is_prepared(metadata, wanted):
            print("nothing to do: metadata, roles and administrator are there")
            return 0
        done = prepare(user, password)
        note_prepared(metadata, wanted)
    except psycopg2.OperationalError as error:
        return refuse(f"Superset's metadata can't be reached: {error}")
    except (VariableMissing, LoginRefused) as error:
        return refuse(str(error))
    print(done)
    return 0


def prepare(user: str, password: str) -> str:
    """What `superset db upgrade`, `superset init` and `superset fab create-admin` do, in this process.

    Those commands would take seconds each, and the password as an argument, which everybody can see.
    """
    from flask_migrate import upgrade
    from superset.app import create_app

    with create_app().app_context():
        from superset.extensions import appbuilder, db, security_manager

        upgrade()
        appbuilder.add_permissions(update_perms=True)
        security_manager.sync_role_definitions()
        db.session.commit()
        if known := security_manager.find_user(username=user):
            security_manager.reset_password(known.id, password)
            return f"metadata migrated, roles synchronised, password of {user} set again"
        admin = security_manager.find_role("Admin")
        email = f"{user}@example.com"
        if not security_manager.add_user(user, "Gold", "Works", email, admin, password):
            raise LoginRefused(
                f"Superset could not make the administrator '{user}'; its log above says why\n"
                f"  is there another user with the address {email}? delete that one, or choose another SUPERSET_USER"
            )
        return f"metadata migrated, roles synchronised, administrator {user} made"


def refuse(why: str) -> int:
    print(f"superset/prepare.py: {why.strip()}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
