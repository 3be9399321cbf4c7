"""What the server does not do."""

from qdrant_client import models
from setting import NAME, client, connect, equal, having, point, refused


def refusals():
    """Never another answer than Qdrant's: rather none."""
    absent = "not implemented by the embedded server"
    along = [1.0, 0.0, 0.0]

    def query(kind, **more):
        return lambda: client.query_points(NAME, query=kind, using="text", **more)

    def create(**more):
        vectors = models.VectorParams(size=2, distance="Dot")
        return lambda: client.create_collection("refused", vectors_config=vectors, **more)

    pair = models.ContextPair(positive=1, negative=2)
    calls = {
        "recommend": query(models.RecommendQuery(recommend=models.RecommendInput(positive=[2]))),
        "discover": query(models.DiscoverQuery(discover=models.DiscoverInput(target=along, context=pair))),
        "context": query(models.ContextQuery(context=[pair])),
        "formula": query(
            models.FormulaQuery(formula=models.SumExpression(sum=["$score", 1.0])),
            prefetch=models.Prefetch(query=along, using="text"),
        ),
        "lookup": query(2, lookup_from=models.LookupLocation(collection=NAME, vector="text")),
        "groups": lambda: client.query_points_groups(NAME, group_by="n", query=along, using="text"),
        "matrix": lambda: client.search_matrix_pairs(NAME, using="text"),
        "shard key to read": query(along, shard_key_selector="a"),
        "shard key to write": lambda: client.upsert(NAME, points=[point(1)], shard_key_selector="a"),
        "conditional": lambda: client.upsert(NAME, points=[point(1)], update_filter=having("n", 1)),
        "insert only": lambda: client.upsert(NAME, points=[point(1)], update_mode=models.UpdateMode.INSERT_ONLY),
        "custom sharding": create(sharding_method=models.ShardingMethod.CUSTOM),
        "part of a payload": lambda: client.http.points_api.overwrite_payload(
            NAME, set_payload=models.SetPayload(payload={"a": 1}, points=[2], key="b")
        ),
        "full snapshot": lambda: client.create_full_snapshot(),
        "list of full snapshots": lambda: client.list_full_snapshots(),
        "snapshot of a shard": lambda: client.create_shard_snapshot(NAME, shard_id=0),
        "create a shard key": lambda: client.create_shard_key(NAME, shard_key="a"),
        "telemetry": lambda: client.http.service_api.telemetry(),
    }
    for what, call in calls.items():
        try:
            refused(call, 501, absent)
        except AssertionError as error:
            raise AssertionError(f"{what}: {error}") from error
    equal(client.collection_exists("refused"), False)
    refused(lambda: connect(key="wrong").get_collections(), 401, "Invalid API key")
