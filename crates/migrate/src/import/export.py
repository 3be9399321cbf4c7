"""Prints the revisions of an Alembic project as JSON, their SQL rendered by Alembic's own offline mode.

Run by dbops with the project's Python: python -c SCRIPT ALEMBIC_INI. The project's env.py decides on dialect and
options, as for `alembic upgrade --sql`; the revisions' functions run in the place where Alembic would run them.
"""

import contextlib
import json
import os
import re
import sys
import traceback
from datetime import datetime, timezone

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy.sql.compiler import Compiled


class Verbatim(str):
    """Text whose tabs stay: Alembic replaces them by spaces, also inside literals."""

    def replace(self, old, new, *count):
        return self if old == "\t" else str.replace(self, old, new, *count)


def keep_tabs():
    as_text = Compiled.__str__
    Compiled.__str__ = lambda self: Verbatim(as_text(self))


def render(impl, function):
    """The statements that a revision's function makes, and what is to be known of them."""
    statements, result = [], {"transaction": True}

    def collect(text):
        statement = text.strip().rstrip(";").rstrip()
        if statement and not statement.startswith("-- Running "):
            # A comment at the end would swallow the semicolon.
            statements.append(statement + ("\n;" if "--" in statement.rsplit("\n", 1)[-1] else ";"))

    def autocommit():
        result["transaction"] = False

    impl.static_output, impl.emit_begin, impl.emit_commit = collect, autocommit, autocommit
    impl.literal_binds = True
    try:
        function()
    except NotImplementedError:
        return {"refuses": True}
    except (Exception, SystemExit) as error:
        return {"error": reason(error)}
    return result | {"sql": "\n".join(statements)}


def reason(error):
    """What went wrong, and in which line of the project's own files."""
    text = " ".join(str(error).split()) or "no reason is given"
    # What stands before an @ may be a password.
    text = re.sub(r"\S+@", "***@", text)
    frames = [f for f in traceback.extract_tb(error.__traceback__)
              if "site-packages" not in f.filename and not f.filename.startswith("<")]
    place = f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}: " if frames else ""
    return f"{place}{type(error).__name__}: {text}"[:300]


def created(script):
    """The date in the docstring as UTC; a fixed one where there is none, so that file names do not change."""
    found = re.search(r"^Create Date:\s*(.+)$", script.longdoc or "", re.M)
    try:
        date = datetime.fromisoformat(found[1].strip())
    except (TypeError, ValueError):
        return "1970-01-01T00:00:00Z"
    date = date.astimezone(timezone.utc) if date.tzinfo else date
    return date.strftime("%Y-%m-%dT%H:%M:%SZ")


def version_table(context):
    """Where Alembic keeps the revisions of a database."""
    schema = context.version_table_schema
    return f"{schema}.{context.version_table}" if schema and schema != "public" else context.version_table


def as_list(value):
    return [] if value is None else [value] if isinstance(value, str) else list(value)


def export(ini):
    config = Config(ini)
    scripts = ScriptDirectory.from_config(config)
    found = {}

    def run_none(heads, context):
        """Called where Alembic asks which steps to run: everything is rendered here, and none is left."""
        impl = context.impl
        if impl.dialect.name != "postgresql":
            raise SystemExit(f"env.py is for {impl.dialect.name}, not for postgresql")
        # What SQLAlchemy would double for a driver that formats statements.
        impl.dialect.identifier_preparer._double_percents = False
        for script in reversed(list(scripts.walk_revisions())):
            found[script.revision] = {
                "revision": script.revision,
                "revises": as_list(script.down_revision),
                "depends_on": as_list(script.dependencies),
                "branch_labels": sorted(script._orig_branch_labels),
                "message": " ".join((script.doc or "").split()),
                "created": created(script),
                "path": script.path,
                "shared": not getattr(context, "_transaction_per_migration", False),
                "version_table": version_table(context),
                "up": render(impl, script.module.upgrade),
                "down": render(impl, getattr(script.module, "downgrade", refuse)),
            }
        return []

    with EnvironmentContext(config, scripts, fn=run_none, as_sql=True, starting_rev="base", destination_rev="heads"):
        scripts.run_env()
    return list(found.values())


def refuse():
    raise NotImplementedError


def main():
    out, sys.stdout = sys.stdout, sys.stderr  # what env.py prints is not ours
    keep_tabs()
    try:
        with contextlib.redirect_stdout(sys.stderr):
            revisions = export(sys.argv[1])
    except (Exception, SystemExit) as error:
        sys.stderr.write(f"\n{reason(error)}\n")
        return 1
    json.dump(revisions, out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
