"""The client, what is expected of its answers, and the points that all tests start from."""

import math
import sys
import uuid

from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

HTTP_PORT, GRPC_PORT, MODE, KEY, SNAPSHOTS = sys.argv[1:]
GRPC = MODE == "grpc"
NAME = f"books_{MODE}"


def connect(key=KEY):
    return QdrantClient(
        host="127.0.0.1",
        port=int(HTTP_PORT),
        grpc_port=int(GRPC_PORT),
        prefer_grpc=GRPC,
        https=False,
        api_key=key,
        timeout=60,
        check_compatibility=False,
    )


client = connect()


def equal(found, expected, what=""):
    assert found == expected, f"{what}: found {found!r}, expected {expected!r}"


def close(found, expected, what=""):
    assert math.isclose(found, expected, rel_tol=1e-5, abs_tol=1e-6), f"{what}: {found!r} instead of {expected!r}"


def ids(points):
    return [point.id for point in points]


def refused(call, status, text):
    """The call is refused with this HTTP status, or what gRPC has for it."""
    codes = {
        400: "INVALID_ARGUMENT",
        401: "UNAUTHENTICATED",
        404: "NOT_FOUND",
        409: "ALREADY_EXISTS",
        501: "UNIMPLEMENTED",
    }
    try:
        call()
    except UnexpectedResponse as error:
        equal(error.status_code, status)
        assert text in error.content.decode(), error.content
    except Exception as error:
        assert hasattr(error, "code"), f"not a refusal: {error!r}"
        equal(error.code().name, codes[status], error.details())
        assert text in error.details(), error.details()
    else:
        raise AssertionError(f"not refused, though {status} {text} was expected")


def field(key, **condition):
    return models.FieldCondition(key=key, **condition)


def having(key, value):
    return models.Filter(must=[field(key, match=models.MatchValue(value=value))])


UUID = str(uuid.UUID(int=7))
AUTHORS = ["Goethe", "Kafka", "Kafka", "Mann", "Goethe"]


def point(number):
    """Point 1 to 5, the last with a UUID: the score of point n against (1, 0, 0) is n."""
    return models.PointStruct(
        id=UUID if number == 5 else number,
        vector={
            "text": [float(number), 1.0, 0.25],
            "tokens": [[1.0, 0.0], [0.0, float(number)]],
            "words": models.SparseVector(indices=[number, 100], values=[0.5, float(number)]),
        },
        payload={
            "n": number,
            "author": AUTHORS[number - 1],
            "price": number + 0.5,
            "tags": ["a", "b"][: number % 3],
            "metadata": {"source": f"s{number}", "deep": [{"x": None}, True]},
            "printed": f"202{number}-01-01T00:00:00Z",
            "place": {"lon": 13.4 + number, "lat": 52.5},
            "text": f"the quick brown fox number {number}",
        },
    )
