import os

from alembic import context
from sqlalchemy import create_engine, pool

with create_engine(os.environ["BENCH_URL"], poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
