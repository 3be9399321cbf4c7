"""What programs do with Qdrant every day, through its own Python client.

    python main.py HTTP_PORT GRPC_PORT rest|grpc API_KEY SNAPSHOTS_FOLDER

Run by `python.rs` against the server under test, once in each of the client's two modes. It assumes nothing that
another Qdrant server would not do, but for the refusals at its end and the place of the snapshots.
"""

import schema
import points
import queries
import refusals
import store
from setting import MODE, NAME, client, equal

schema.collections()
points.points()
schema.indexes()
points.scroll()
queries.filters()
queries.queries()
points.changes()
schema.aliases()
schema.snapshots()
store.langchain()
refusals.refusals()
assert client.delete_collection(NAME) and client.delete_collection(f"copy_{MODE}")
equal([collection.name for collection in client.get_collections().collections], [])
print(f"{MODE}: all as expected")
