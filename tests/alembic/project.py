"""Makes an Alembic project with a random graph, and drives Alembic on it.

project.py make FOLDER SEED         writes the project, and 9 requests, one a line, to FOLDER/requests
project.py run FOLDER WORDS...      runs a request; exit code 0 done, 1 refused, 3 failed with an internal error

The database is in PROJECT_URL: arguments can be seen by everyone.
"""

import os
import random
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError


def configured(folder):
    config = Config(str(Path(folder) / "alembic.ini"), stdout=sys.stderr)
    config.set_main_option("script_location", str(Path(folder) / "migrations"))
    config.set_main_option("sqlalchemy.url", for_sqlalchemy())
    return config


def for_sqlalchemy():
    return os.environ["PROJECT_URL"].replace("postgresql:", "postgresql+psycopg:").replace("%", "%%")  # as configparser wants it


def make(folder, seed):
    rng, config = random.Random(int(seed)), configured(folder)
    command.init(config, str(Path(folder) / "migrations"))
    ini = Path(folder) / "alembic.ini"
    ini.write_text(ini.read_text().replace("driver://user:pass@localhost/dbname", 
        for_sqlalchemy()))
    scripts = ScriptDirectory.from_config(config)
    ids, labels = [], ["billing", "read-models", "v2.api"]
    for number in range(rng.randint(6, 14)):
        id, heads = "%012x" % rng.getrandbits(48), sorted(scripts.get_heads())
        roll = rng.random()
        parents = "base" if not ids or roll < 0.15 else heads[:2] if roll < 0.35 else rng.choice(ids)
        needs = [rng.choice(ids)] if ids and rng.random() < 0.2 else None
        label = labels.pop() if labels and rng.random() < 0.2 else None
        scripts.generate_revision(
            id, f"add t{number}; it's 100% \"done\"", parents, splice=True, branch_labels=label, depends_on=needs,
            upgrades=f"op.create_table('t{number}', sa.Column('id', sa.Integer), "
                     f"sa.Column('n', sa.Text, server_default=\"a\\tb; '%'\"))",
            downgrades=f"op.drop_table('t{number}')")
        ids.append(id)
    requests = []
    for _ in range(9):
        id, other = rng.choice(ids), rng.choice(ids)
        requests.append(rng.choice((
            "upgrade heads", "upgrade heads", f"upgrade {id}", f"upgrade {id[:7]}", f"upgrade {id}@head", "upgrade +1",
            f"downgrade {id}", f"downgrade {id}@base", "downgrade base", f"stamp {id}", "stamp --purge base",
            f"stamp {id} {other}", "upgrade nosuch", "upgrade head")))
    (Path(folder) / "requests").write_text("\n".join(requests))


def run(folder, verb, *rest):
    config = configured(folder)
    try:
        if verb == "stamp":
            command.stamp(config, [word for word in rest if word != "--purge"], purge="--purge" in rest)
        else:
            getattr(command, verb)(config, rest[0])
    except (CommandError, DBAPIError) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except Exception as failure:  # an assertion or the like: Alembic cannot be compared with
        print(repr(failure), file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit({"make": make, "run": run}[sys.argv[1]](*sys.argv[2:]))
