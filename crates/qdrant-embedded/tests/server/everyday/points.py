"""Points: written, read and changed."""

from qdrant_client import models
from setting import MODE, NAME, UUID, client, close, equal, field, having, ids, point, refused


def points():
    result = client.upsert(NAME, points=[point(1), point(2)], wait=True)
    equal(result.status, models.UpdateStatus.COMPLETED)
    assert isinstance(result.operation_id, int)
    equal(client.upsert(NAME, points=[point(3)], wait=False).status, models.UpdateStatus.ACKNOWLEDGED)
    client.upload_points(NAME, points=(point(number) for number in [4, 5]), batch_size=1, wait=True)
    equal(client.count(NAME).count, 5)

    found = client.retrieve(NAME, ids=[UUID, 2, 77], with_payload=True, with_vectors=True)
    equal(ids(found), [UUID, 2])
    equal(found[1].payload, point(2).payload)
    equal(found[1].vector["text"], [2.0, 1.0, 0.25])
    equal(found[1].vector["words"], models.SparseVector(indices=[2, 100], values=[0.5, 2.0]))
    close(found[1].vector["tokens"][1][1], 1.0, "made to length one")
    one = client.retrieve(NAME, ids=[1], with_payload=["metadata.source", "n"], with_vectors=["text"])[0]
    equal((one.payload, one.vector), ({"n": 1, "metadata": {"source": "s1"}}, {"text": [1.0, 1.0, 0.25]}))
    excluded = models.PayloadSelectorExclude(exclude=["metadata", "text", "place", "printed", "tags", "price"])
    equal(client.retrieve(NAME, ids=[1], with_payload=excluded)[0].payload, {"n": 1, "author": "Goethe"})
    assert not client.retrieve(NAME, ids=[1], with_payload=False)[0].payload

    # A batch by columns, and a whole collection without names of vectors.
    client.create_collection(f"numbers_{MODE}", vectors_config=models.VectorParams(size=2, distance="Euclid"))
    client.upsert(
        f"numbers_{MODE}",
        points=models.Batch(ids=[1, 2], vectors=[[1.0, 0.0], [2.0, 0.0]], payloads=[{"a": 1}, {}]),
    )
    client.upload_collection(
        f"numbers_{MODE}",
        vectors=[[n, 0.0] for n in range(3, 101)],
        ids=range(3, 101),
        batch_size=10,
        parallel=1,
        wait=True,
    )
    equal(client.count(f"numbers_{MODE}").count, 100)
    hits = client.query_points(f"numbers_{MODE}", query=[0.0, 0.0], limit=2, with_vectors=True).points
    equal([(hit.id, hit.score, hit.vector) for hit in hits], [(1, 1.0, [1.0, 0.0]), (2, 2.0, [2.0, 0.0])])
    client.delete_collection(f"numbers_{MODE}")

    refused(
        lambda: client.upsert(NAME, points=[models.PointStruct(id=9, vector={"text": [1.0]})]), 400, "expected dim: 3"
    )
    refused(lambda: client.upsert(NAME, points=[models.PointStruct(id=9, vector={"none": [1.0]})]), 400, "none")
    refused(lambda: client.upsert(NAME, points=[models.PointStruct(id=9, vector=[1.0, 2.0])]), 400, "")
    refused(lambda: client.upsert("none", points=[point(1)]), 404, "doesn't exist")
    equal(client.count(NAME).count, 5)


def scroll():
    seen, offset, pages = [], None, 0
    while True:
        page, offset = client.scroll(NAME, limit=2, offset=offset, with_payload=["n"], with_vectors=False)
        seen += [record.payload["n"] for record in page]
        pages += 1
        if offset is None:
            break
    equal((sorted(seen), pages), ([1, 2, 3, 4, 5], 3))
    page, _ = client.scroll(NAME, order_by=models.OrderBy(key="n", direction="desc", start_from=4), limit=2)
    equal(ids(page), [4, 3])
    page, _ = client.scroll(NAME, order_by="printed", limit=2)
    equal(ids(page), [1, 2])
    refused(lambda: client.scroll(NAME, order_by="author"), 400, "range index")


def changes():
    def payload(number):
        return client.retrieve(NAME, ids=[number])[0].payload

    client.set_payload(NAME, payload={"price": 9, "new": [1, 2]}, points=[1])
    equal({key: payload(1)[key] for key in ["price", "new", "n"]}, {"price": 9, "new": [1, 2], "n": 1})
    client.set_payload(NAME, payload={"source": "elsewhere"}, key="metadata", points=having("author", "Kafka"))
    equal([payload(number)["metadata"]["source"] for number in [1, 2, 3]], ["s1", "elsewhere", "elsewhere"])
    client.overwrite_payload(NAME, payload={"n": 2}, points=[2])
    equal(payload(2), {"n": 2})
    client.delete_payload(NAME, keys=["price", "metadata.source"], points=models.PointIdsList(points=[1]))
    assert "price" not in payload(1) and payload(1)["metadata"] == {"deep": [{"x": None}, True]}
    client.clear_payload(NAME, points_selector=models.FilterSelector(filter=having("n", 3)))
    equal(payload(3), {})

    client.update_vectors(NAME, points=[models.PointVectors(id=1, vector={"text": [50.0, 0.0, 0.0]})])
    hits = client.query_points(NAME, query=[1.0, 0.0, 0.0], using="text", limit=1, with_vectors=True).points
    equal((hits[0].id, hits[0].score), (1, 50.0))
    assert "words" in hits[0].vector, "the others stay"
    client.delete_vectors(NAME, vectors=["words"], points=[1, 2])
    equal(set(client.retrieve(NAME, ids=[1], with_vectors=True)[0].vector), {"text", "tokens"})

    results = client.batch_update_points(
        NAME,
        update_operations=[
            models.UpsertOperation(upsert=models.PointsList(points=[point(1), point(2), point(3)])),
            models.SetPayloadOperation(set_payload=models.SetPayload(payload={"batch": 1}, points=[1])),
            models.OverwritePayloadOperation(overwrite_payload=models.SetPayload(payload={"batch": 2}, points=[2])),
            models.DeletePayloadOperation(
                delete_payload=models.DeletePayload(keys=["n"], filter=having("author", "Mann"))
            ),
            models.ClearPayloadOperation(clear_payload=models.PointIdsList(points=[3])),
            models.UpdateVectorsOperation(
                update_vectors=models.UpdateVectors(
                    points=[models.PointVectors(id=2, vector={"text": [8.0, 0.0, 0.0]})]
                )
            ),
            models.DeleteVectorsOperation(delete_vectors=models.DeleteVectors(vector=["tokens"], points=[2])),
            models.DeleteOperation(delete=models.PointIdsList(points=[UUID])),
        ],
    )
    equal(len(results), 8)
    equal({result.status for result in results}, {models.UpdateStatus.COMPLETED})
    equal((payload(1)["batch"], payload(2), payload(3), "n" in payload(4)), (1, {"batch": 2}, {}, False))
    equal(client.retrieve(NAME, ids=[2], with_vectors=["text"])[0].vector, {"text": [8.0, 0.0, 0.0]})
    equal(client.retrieve(NAME, ids=[UUID]), [])

    client.delete(NAME, points_selector=[4])
    client.delete(NAME, points_selector=models.Filter(must=[field("batch", match=models.MatchValue(value=1))]))
    page, _ = client.scroll(NAME, limit=10)
    equal(sorted(ids(page)), [2, 3])
    refused(lambda: client.delete(NAME, points_selector=["not an id"]), 400, "")
