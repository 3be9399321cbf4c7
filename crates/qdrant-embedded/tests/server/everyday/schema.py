"""Collections, aliases, payload indexes and snapshots."""

from pathlib import Path

from qdrant_client import models
from setting import GRPC, MODE, NAME, SNAPSHOTS, client, close, equal, having, ids, point, refused


def collections():
    equal(client.collection_exists(NAME), False)
    refused(lambda: client.get_collection(NAME), 404, "doesn't exist")
    assert client.create_collection(
        NAME,
        vectors_config={
            "text": models.VectorParams(size=3, distance=models.Distance.DOT, on_disk=True),
            "tokens": models.VectorParams(
                size=2,
                distance=models.Distance.COSINE,
                multivector_config=models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM),
            ),
        },
        sparse_vectors_config={"words": models.SparseVectorParams(modifier=models.Modifier.NONE)},
        hnsw_config=models.HnswConfigDiff(m=8),
        quantization_config=models.ScalarQuantization(
            scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, quantile=0.5, always_ram=True)
        ),
        metadata={"owner": "tests", "year": 2026},
    )
    equal(client.collection_exists(NAME), True)
    assert NAME in [collection.name for collection in client.get_collections().collections]
    refused(
        lambda: client.create_collection(
            NAME, vectors_config=models.VectorParams(size=3, distance=models.Distance.DOT)
        ),
        409,
        "already exists",
    )

    info = client.get_collection(NAME)
    equal((info.status, info.points_count, info.optimizer_status), (models.CollectionStatus.GREEN, 0, "ok"))
    params = info.config.params
    equal((params.vectors["text"].size, params.vectors["text"].distance), (3, models.Distance.DOT))
    equal(params.vectors["text"].on_disk, True)
    equal(params.vectors["tokens"].multivector_config.comparator, models.MultiVectorComparator.MAX_SIM)
    assert "words" in params.sparse_vectors
    equal((info.config.hnsw_config.m, info.config.hnsw_config.ef_construct), (8, 100))
    equal(info.config.quantization_config.scalar.type, models.ScalarType.INT8)
    close(info.config.quantization_config.scalar.quantile, 0.5)
    equal(info.config.metadata, {"owner": "tests", "year": 2026})
    equal((params.shard_number, params.replication_factor, params.on_disk_payload), (1, 1, True))

    assert client.update_collection(
        NAME,
        hnsw_config=models.HnswConfigDiff(ef_construct=200),
        optimizers_config=models.OptimizersConfigDiff(indexing_threshold=5000, max_optimization_threads=2),
        vectors_config={"text": models.VectorParamsDiff(hnsw_config=models.HnswConfigDiff(m=32))},
        quantization_config=models.Disabled.DISABLED,
        metadata={"year": 2027},
    )
    config = client.get_collection(NAME).config
    equal((config.hnsw_config.m, config.hnsw_config.ef_construct), (8, 200))
    equal((config.optimizer_config.indexing_threshold, config.optimizer_config.max_optimization_threads), (5000, 2))
    equal(config.params.vectors["text"].hnsw_config.m, 32)
    equal(config.quantization_config, None)
    equal(config.metadata, {"owner": "tests", "year": 2027})

    # One vector without a name, each way to make vectors smaller, and no vector at all.
    for name, quantization in [
        ("binary", models.BinaryQuantization(binary=models.BinaryQuantizationConfig(always_ram=True))),
        ("product", models.ProductQuantization(product=models.ProductQuantizationConfig(compression="x16"))),
    ]:
        name = f"{name}_{MODE}"
        client.create_collection(
            name,
            vectors_config=models.VectorParams(
                size=4, distance="Euclid", datatype=models.Datatype.FLOAT16, quantization_config=quantization
            ),
        )
        vector = client.get_collection(name).config.params.vectors
        equal((vector.size, vector.distance, vector.datatype), (4, models.Distance.EUCLID, models.Datatype.FLOAT16))
        equal(vector.quantization_config, quantization)
        equal(client.delete_collection(name), True)
        equal(client.delete_collection(name), False)
    refused(
        lambda: client.create_collection("big", vectors_config=models.VectorParams(size=1_000_000, distance="Dot")),
        400,
        "65536",
    )


def indexes():
    schemas = {
        "author": models.PayloadSchemaType.KEYWORD,
        "n": models.IntegerIndexParams(type="integer", lookup=True, range=True),
        "price": "float",
        "printed": models.PayloadSchemaType.DATETIME,
        "place": models.PayloadSchemaType.GEO,
        "metadata.source": models.KeywordIndexParams(type="keyword", is_tenant=True),
        "text": models.TextIndexParams(
            type="text",
            tokenizer="word",
            lowercase=True,
            min_token_len=1,
            stopwords=models.StopwordsSet(languages=["english"]),
        ),
    }
    for name, schema in schemas.items():
        result = client.create_payload_index(NAME, field_name=name, field_schema=schema, wait=True)
        equal(result.status, models.UpdateStatus.COMPLETED)
    shown = client.get_collection(NAME).payload_schema
    equal(set(shown), set(schemas))
    equal((shown["author"].data_type, shown["author"].points), (models.PayloadSchemaType.KEYWORD, 5))
    equal((shown["n"].params.lookup, shown["n"].params.range), (True, True))
    equal(shown["metadata.source"].params.is_tenant, True)
    equal((shown["text"].params.tokenizer, shown["text"].params.min_token_len), ("word", 1))
    client.delete_payload_index(NAME, field_name="price", wait=True)
    assert "price" not in client.get_collection(NAME).payload_schema

    for exact in [True, False]:
        facet = client.facet(NAME, key="author", exact=exact)
        equal([(hit.value, hit.count) for hit in facet.hits], [("Goethe", 2), ("Kafka", 2), ("Mann", 1)])
    facet = client.facet(NAME, key="n", facet_filter=having("author", "Kafka"), limit=1, exact=True)
    equal([(hit.value, hit.count) for hit in facet.hits], [(2, 1)])
    refused(lambda: client.facet(NAME, key="tags"), 400, "tags")


def aliases():
    def change(*actions):
        return client.update_collection_aliases(change_aliases_operations=list(actions))

    def create(alias, collection=NAME):
        return models.CreateAliasOperation(
            create_alias=models.CreateAlias(collection_name=collection, alias_name=alias)
        )

    one, two = f"one_{MODE}", f"two_{MODE}"
    assert change(create(one))
    equal([alias.alias_name for alias in client.get_collection_aliases(NAME).aliases], [one])
    equal(client.count(one).count, client.count(NAME).count)
    rename = models.RenameAliasOperation(rename_alias=models.RenameAlias(old_alias_name=one, new_alias_name=two))
    assert change(rename, create(one))
    found = [(alias.alias_name, alias.collection_name) for alias in client.get_aliases().aliases]
    equal(sorted(alias for alias in found if alias[1] == NAME), [(one, NAME), (two, NAME)])
    assert change(models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=one)))
    refused(lambda: change(create(one), create("x", "none")), 404, "none")
    equal([alias.alias_name for alias in client.get_collection_aliases(NAME).aliases], [two], "all or none")


def snapshots():
    made = client.create_snapshot(NAME, wait=True)
    # Over gRPC the client leaves the checksum out.
    assert made.size > 0 and made.creation_time and (GRPC or made.checksum), made
    equal([snapshot.name for snapshot in client.list_snapshots(NAME)], [made.name])
    before = sorted(ids(client.scroll(NAME, limit=100)[0]))
    client.upsert(NAME, points=[point(1)])
    client.create_payload_index(NAME, field_name="later", field_schema="bool")
    (file,) = Path(SNAPSHOTS).glob(f"*/{made.name}")
    assert client.recover_snapshot(NAME, location=file.as_uri(), checksum=made.checksum, wait=True)
    equal(sorted(ids(client.scroll(NAME, limit=100)[0])), before)
    assert "later" not in client.get_collection(NAME).payload_schema
    assert client.recover_snapshot(f"copy_{MODE}", location=file.as_uri(), wait=True)
    equal(sorted(ids(client.scroll(f"copy_{MODE}", limit=100)[0])), before)
    assert client.delete_snapshot(NAME, snapshot_name=made.name, wait=True)
    equal(client.list_snapshots(NAME), [])
