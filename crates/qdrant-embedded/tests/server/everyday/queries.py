"""Filters, queries and the older searches."""

from qdrant_client import models
from setting import GRPC, NAME, UUID, client, close, equal, field, having, ids, point, refused


def filters():
    printed = models.DatetimeRange(gt="2022-06-01T00:00:00Z", lte="2024-01-01T00:00:00Z")
    near = models.GeoRadius(center=models.GeoPoint(lon=14.4, lat=52.5), radius=1000.0)
    box = models.GeoBoundingBox(
        top_left=models.GeoPoint(lon=14.0, lat=53.0), bottom_right=models.GeoPoint(lon=16.0, lat=52.0)
    )
    cases = [
        ("value", [field("author", match=models.MatchValue(value="Kafka"))], [2, 3]),
        ("any", [field("author", match=models.MatchAny(any=["Mann", "Goethe"]))], [1, 4, 5]),
        ("except", [field("author", match=models.MatchExcept(**{"except": ["Kafka"]}))], [1, 4, 5]),
        ("text", [field("text", match=models.MatchText(text="FOX 3"))], [3]),
        ("range", [field("price", range=models.Range(gte=2.5, lt=4.5))], [2, 3]),
        ("time", [field("printed", range=printed)], [3, 4]),
        ("radius", [field("place", geo_radius=near)], [1]),
        ("box", [field("place", geo_bounding_box=box)], [1, 2]),
        ("count", [field("tags", values_count=models.ValuesCount(gt=1))], [2, 5]),
        ("empty", [models.IsEmptyCondition(is_empty=models.PayloadField(key="tags"))], [3]),
        ("null", [models.IsNullCondition(is_null=models.PayloadField(key="metadata.deep[].x"))], [1, 2, 3, 4, 5]),
        ("id", [models.HasIdCondition(has_id=[2, UUID, 99])], [2, 5]),
        ("vector", [models.HasVectorCondition(has_vector="text")], [1, 2, 3, 4, 5]),
        ("path", [field("metadata.source", match=models.MatchValue(value="s4"))], [4]),
        ("filter", [models.Filter(must_not=[field("n", range=models.Range(lt=5))])], [5]),
        (
            "nested",
            [
                models.NestedCondition(
                    nested=models.Nested(
                        key="metadata.deep",
                        filter=models.Filter(must=[models.IsNullCondition(is_null=models.PayloadField(key="x"))]),
                    )
                )
            ],
            [1, 2, 3, 4, 5],
        ),
    ]
    for what, must, expected in cases:
        page, _ = client.scroll(NAME, scroll_filter=models.Filter(must=must), limit=10)
        equal(sorted(record.payload["n"] for record in page), expected, what)
        equal(client.count(NAME, count_filter=models.Filter(must=must), exact=True).count, len(expected), what)
    either = models.Filter(
        should=[field("n", match=models.MatchValue(value=n)) for n in [1, 2]],
        must_not=[field("author", match=models.MatchValue(value="Kafka"))],
    )
    equal(client.count(NAME, count_filter=either).count, 1)
    two = models.MinShould(conditions=[*either.should, field("price", range=models.Range(lt=3))], min_count=2)
    equal(client.count(NAME, count_filter=models.Filter(min_should=two)).count, 2)


def queries():
    along = [1.0, 0.0, 0.0]
    hits = client.query_points(NAME, query=along, using="text", limit=3, with_payload=True).points
    equal(ids(hits), [UUID, 4, 3])
    close(hits[1].score, 4.0)
    equal(hits[1].payload, point(4).payload)
    query = client.query_points(NAME, query=along, using="text", query_filter=having("author", "Kafka"), offset=1)
    equal(ids(query.points), [2])
    equal(ids(client.query_points(NAME, query=along, using="text", score_threshold=3.5).points), [UUID, 4])
    params = models.SearchParams(hnsw_ef=64, exact=True, quantization=models.QuantizationSearchParams(rescore=True))
    equal(ids(client.query_points(NAME, query=along, using="text", limit=1, search_params=params).points), [UUID])

    by_id = client.query_points(NAME, query=3, using="text", limit=10).points
    equal(ids(by_id), [UUID, 4, 2, 1], "the point itself is left out")
    close(by_id[1].score, 12 + 1 + 0.0625)
    equal(ids(client.query_points(NAME, query=UUID, using="text", limit=1).points), [4])
    refused(lambda: client.query_points(NAME, query=99, using="text"), 404, "99")

    sparse = models.SparseVector(indices=[100], values=[2.0])
    hits = client.query_points(NAME, query=sparse, using="words", limit=2).points
    equal([(hit.id, hit.score) for hit in hits], [(UUID, 10.0), (4, 8.0)])
    hits = client.query_points(NAME, query=[[1.0, 0.0], [1.0, 0.0]], using="tokens", limit=1).points
    close(hits[0].score, 2.0, "the best of each, added")

    first = models.Prefetch(query=along, using="text", limit=3)
    second = models.Prefetch(query=sparse, using="words", limit=3, filter=having("author", "Kafka"))
    fused = client.query_points(
        NAME, prefetch=[first, second], query=models.FusionQuery(fusion=models.Fusion.RRF)
    ).points
    # Ranks: 5, 4, 3 and 3, 2; each counts 1 / (2 + rank).
    equal(ids(fused)[:2], [3, UUID])
    close(fused[0].score, 1 / 4 + 1 / 2)
    weighted = models.RrfQuery(rrf=models.Rrf(k=10, weights=[1.0, 1.0]))
    close(client.query_points(NAME, prefetch=[first, second], query=weighted).points[0].score, 1 / 12 + 1 / 10)
    equal(len(client.query_points(NAME, prefetch=[first], query=models.FusionQuery(fusion="dbsf")).points), 3)
    rescored = client.query_points(NAME, prefetch=first, query=sparse, using="words", limit=10).points
    equal(ids(rescored), [UUID, 4, 3])
    diverse = models.NearestQuery(nearest=along, mmr=models.Mmr(diversity=0.0, candidates_limit=5))
    equal(ids(client.query_points(NAME, query=diverse, using="text", limit=2).points), [UUID, 4])
    ordered = client.query_points(
        NAME, query=models.OrderByQuery(order_by=models.OrderBy(key="n", direction="desc")), limit=2
    )
    equal(ids(ordered.points), [UUID, 4])
    sampled = client.query_points(NAME, query=models.SampleQuery(sample=models.Sample.RANDOM), limit=10).points
    equal(len({hit.id for hit in sampled}), 5)
    equal(len(client.query_points(NAME, limit=10).points), 5, "no query is all points")

    requests = [
        models.QueryRequest(query=along, using="text", limit=1, with_payload=["n"]),
        models.QueryRequest(query=sparse, using="words", limit=1, filter=having("author", "Mann")),
    ]
    batch = client.query_batch_points(NAME, requests=requests)
    equal([ids(response.points) for response in batch], [[UUID], [4]])
    equal(batch[0].points[0].payload, {"n": 5})
    refused(lambda: client.query_points(NAME, query=[1.0], using="text"), 400, "expected dim: 3, got 1")
    refused(lambda: client.query_points(NAME, query=along, using="none"), 400, "none")
    searches()


def searches():
    """The older search is gone from the client, but older programs still send it."""
    if GRPC:
        from qdrant_client import grpc

        request = grpc.SearchPoints(collection_name=NAME, vector=[1.0, 0.0, 0.0], vector_name="text", limit=2)
        found = [hit.score for hit in client.grpc_points.Search(request, timeout=60).result]
    else:
        vector = models.NamedVector(name="text", vector=[1.0, 0.0, 0.0])
        request = models.SearchRequest(vector=vector, limit=2, with_payload=True)
        api = client.http.search_api
        found = [hit.score for hit in api.search_points(NAME, search_request=request).result]
        many = models.SearchRequestBatch(searches=[request, request.model_copy(update={"limit": 1})])
        batch = api.search_batch_points(NAME, search_request_batch=many).result
        equal([len(hits) for hits in batch], [2, 1])
        equal(batch[0][1].payload["n"], 4)
        sparse = models.NamedSparseVector(name="words", vector=models.SparseVector(indices=[100], values=[1.0]))
        request = models.SearchRequest(vector=sparse, filter=having("n", 3), limit=2)
        equal(ids(api.search_points(NAME, search_request=request).result), [3])
    equal(found, [5.0, 4.0])
