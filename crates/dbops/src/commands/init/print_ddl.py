"""Prints the SQLAlchemy models of an Alembic project as DDL: python print_ddl.py ALEMBIC_INI

`dbops init` wrote it; it is yours to change. The models are those that env.py gives to Alembic as `target_metadata`. No
database is connected to. What models do not know, such as views, functions and triggers, has to be printed here as it
is, at the end: otherwise a revision would drop it.
"""

import contextlib
import os
import sys

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_mock_engine
from sqlalchemy.schema import CreateSchema


def models(ini):
    os.chdir(os.path.dirname(os.path.abspath(ini)))
    config = Config(os.path.basename(ini))
    scripts = ScriptDirectory.from_config(config)
    found = []

    def run_none(heads, context):
        """Called where Alembic asks which steps to run."""
        metadata = context.opts.get("target_metadata")
        found.extend(metadata if isinstance(metadata, (list, tuple)) else [metadata])
        return []

    with EnvironmentContext(config, scripts, fn=run_none, as_sql=True, starting_rev="base", destination_rev="heads"):
        scripts.run_env()
    return [metadata for metadata in found if metadata is not None]


def print_statement(statement, *_, **__):
    print(f"{str(statement.compile(dialect=engine.dialect)).strip()};\n")


with contextlib.redirect_stdout(sys.stderr):  # what env.py prints is no DDL
    found = models(sys.argv[1])
tables = [table for metadata in found for table in metadata.sorted_tables]
if not tables:
    sys.exit("env.py gives Alembic no target_metadata with tables")

engine = create_mock_engine("postgresql://", print_statement)
# What would be doubled for a driver that formats statements.
engine.dialect.identifier_preparer._double_percents = False

if any(type(column.type).__module__.startswith("pgvector") for table in tables for column in table.columns):
    print("CREATE EXTENSION IF NOT EXISTS vector;\n")
for schema in sorted({table.schema for table in tables} - {None, "public"}):
    print_statement(CreateSchema(schema))
for metadata in found:
    metadata.create_all(engine, checkfirst=False)
