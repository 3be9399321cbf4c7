"""The obvious way of filling a collection from a table: arguments are the PostgreSQL URL, Qdrant's HTTP and gRPC ports, and
the name of a new collection."""

import sys

import psycopg
from pgvector.psycopg import register_vector
from qdrant_client import QdrantClient, models

url, http_port, grpc_port, name = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
client = QdrantClient(host="127.0.0.1", port=http_port, grpc_port=grpc_port, prefer_grpc=True, timeout=600)
client.create_collection(name, vectors_config=models.VectorParams(size=384, distance=models.Distance.COSINE))


def send(rows):
    points = [
        models.PointStruct(
            id=str(row[0]),
            vector=row[3].tolist(),
            payload={"page_content": row[1], "metadata": {"page": row[2]}},
        )
        for row in rows
    ]
    client.upsert(name, points=points)


with psycopg.connect(url) as connection:
    register_vector(connection)
    with connection.cursor(name="chunks") as cursor:
        cursor.itersize = 256
        cursor.execute("SELECT id, content, page, embedding FROM chunks")
        rows = []
        for row in cursor:
            rows.append(row)
            if len(rows) == 256:
                send(rows)
                rows = []
        if rows:
            send(rows)
print(client.count(name).count)
