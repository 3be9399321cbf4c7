"""LangChain's store of vectors."""

from langchain_core.embeddings import Embeddings
from langchain_qdrant import QdrantVectorStore
from qdrant_client import models
from setting import MODE, client, close, equal, field


class Letters(Embeddings):
    """Texts by their vowels, in the place of a model."""

    def embed_query(self, text):
        return [float(text.count(vowel)) for vowel in "aeiou"]

    def embed_documents(self, texts):
        return [self.embed_query(text) for text in texts]


def langchain():
    name = f"texts_{MODE}"
    client.create_collection(name, vectors_config=models.VectorParams(size=5, distance=models.Distance.COSINE))
    store = QdrantVectorStore(client=client, collection_name=name, embedding=Letters())
    texts, sources = ["banana", "papaya", "melon", "kiwi"], ["a", "b", "a", "b"]
    made = store.add_texts(texts, metadatas=[{"source": source} for source in sources])
    equal(len(made), 4)
    equal([document.page_content for document in store.similarity_search("kiwis", k=1)], ["kiwi"])
    by_source = models.Filter(must=[field("metadata.source", match=models.MatchValue(value="b"))])
    ((document, score),) = store.similarity_search_with_score("a", k=1, filter=by_source)
    equal((document.page_content, document.metadata["source"]), ("papaya", "b"))
    close(score, 1.0)
    equal([document.page_content for document in store.get_by_ids(made[2:3])], ["melon"])
    diverse = store.max_marginal_relevance_search("a", k=2, fetch_k=4, lambda_mult=0.5)
    equal(len(diverse), 2)
    assert store.delete(made[:1])
    equal(client.count(name).count, 3)
    client.delete_collection(name)
