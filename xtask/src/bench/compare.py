"""Alembic's autogenerate: the tables of the benchmark, declared as models would, against the database in BENCH_URL.

Prints how many milliseconds connecting, reading and comparing took, without Python's start and the models.
"""

import os
import sys
import time

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

tables = int(sys.argv[1])
metadata = sa.MetaData()
for number in range(tables):
    references = sa.ForeignKey(f"t{number - 1}.id") if number % 4 else None
    columns = [sa.Column(f"c{column}", sa.Text) for column in range(8)]
    link = sa.Column("link", sa.BigInteger, *([references] if references is not None else []))
    table = sa.Table(f"t{number}", metadata, sa.Column("id", sa.BigInteger, primary_key=True), link, *columns)
    for column in range(3):
        sa.Index(f"t{number}_c{column}", table.c[f"c{column}"])
start = time.perf_counter()
with sa.create_engine(os.environ["BENCH_URL"]).connect() as connection:
    differences = compare_metadata(MigrationContext.configure(connection), metadata)
print((time.perf_counter() - start) * 1000)
assert not differences, differences[:3]
