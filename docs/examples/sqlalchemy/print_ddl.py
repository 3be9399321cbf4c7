"""Prints the DDL of the models on standard output. No database is connected to, and no driver is needed."""

from sqlalchemy import create_mock_engine

from models import Base


def print_statement(statement, *_, **__):
    print(f"{str(statement.compile(dialect=engine.dialect)).strip()};\n")


engine = create_mock_engine("postgresql://", print_statement)
Base.metadata.create_all(engine, checkfirst=False)

# What models do not know, such as views, functions and triggers, is printed as it is.
print("CREATE VIEW authors AS SELECT * FROM users WHERE id IN (SELECT author_id FROM posts);")
