"""Prints the SQLAlchemy models of an Alembic project as DDL: python print_ddl.py ALEMBIC_INI

`dbops init` wrote it; it is yours to change. The models are those that env.py gives to Alembic as `target_metadata`. No
database is connected to, and no driver is needed. What models do not know, such as views, functions and triggers, has to
be printed here as it is, at the end.
"""

import contextlib
import inspect
import os
import sys

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_mock_engine
from sqlalchemy.schema import CreateSchema


class Found(BaseException):
    """Ends env.py when it has said what the models are."""


class Models(EnvironmentContext):
    def configure(self, *arguments, **options):
        given = inspect.signature(EnvironmentContext.configure).bind(self, *arguments, **options)
        raise Found(given.arguments.get("target_metadata"))


def models(ini):
    os.chdir(os.path.dirname(os.path.abspath(ini)))
    config = Config(os.path.basename(ini))
    scripts = ScriptDirectory.from_config(config)
    try:
        with Models(config, scripts, as_sql=True):
            scripts.run_env()
    except Found as found:
        metadata = found.args[0]
        return [] if metadata is None else list(metadata) if isinstance(metadata, (list, tuple)) else [metadata]
    return []


def print_statement(statement, *_, **__):
    print(f"{str(statement.compile(dialect=engine.dialect)).strip()};\n")


engine = create_mock_engine("postgresql://", print_statement)
# What would be doubled for a driver that formats statements.
engine.dialect.identifier_preparer._double_percents = False

with contextlib.redirect_stdout(sys.stderr):  # what env.py prints is no DDL
    found = models(sys.argv[1])
if not any(metadata.tables for metadata in found):
    sys.exit("env.py gives Alembic no target_metadata with tables")
tables = [table for metadata in found for table in metadata.sorted_tables]
if any(type(column.type).__module__.startswith("pgvector") for table in tables for column in table.columns):
    print("CREATE EXTENSION IF NOT EXISTS vector;\n")
for schema in sorted({table.schema for table in tables} - {None, "public"}):
    print_statement(CreateSchema(schema))
for metadata in found:
    metadata.create_all(engine, checkfirst=False)
