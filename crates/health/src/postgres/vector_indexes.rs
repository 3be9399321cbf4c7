//! Whether pgvector's indexes fit into memory: a search in an HNSW graph reads pages all over it.

use super::asked::{Asked, Checked};
use super::server::machine_memory;
use crate::check::bytes;
use crate::fold::Item;
use crate::{Check, Limits, Unit};

pub(super) const CHECK: Check = Check {
    id: "vector_indexes",
    looks_at: "the size of an HNSW or IVFFlat index, of the memory that there is for it",
    limits: Limits::warning(Unit::Percent, 100.0),
};

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    let rows = asked.rows(include_str!("vector_indexes.sql")).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let machine = asked.server.local_folder.as_ref().and_then(|_| machine_memory());
    let items = rows.iter().map(|row| {
        let (name, method, size): (&str, &str, f64) = (row.get("name"), row.get("method"), row.get("bytes"));
        let (memory, what) = match machine {
            Some(memory) => (memory, "the machine's memory"),
            None => (row.get("memory"), "effective_cache_size"),
        };
        Item {
            value: size * 100.0 / memory,
            text: format!("{name} ({method}) has {}, and {what} is {}", bytes(size), bytes(memory)),
            remedy:
                "give the server more memory (and raise shared_buffers and effective_cache_size), or index halfvec or \
                     binary_quantize() of the vectors"
                    .into(),
        }
    });
    Ok(Some(asked.fold(&CHECK, items.collect(), ("indexes are larger than memory", "the indexes fit into memory"))))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{execute, finding, finding_from, found, is_ok, is_warning};
    use crate::Selection;

    #[tokio::test]
    async fn an_index_that_is_too_large_is_found() {
        let url = dbops_testbed::create_database("vector");
        assert_eq!(found(&url, &[], &Selection::default(), "vector_indexes").await, None);
        let sql = "CREATE EXTENSION vector; CREATE TABLE t (v vector(3)); INSERT INTO t VALUES ('[1,2,3]'); CREATE INDEX h \
                   ON t USING hnsw (v vector_l2_ops)";
        let _client = execute(&url, sql).await;
        is_ok(&finding(&url, "vector_indexes").await);
        is_warning(&finding_from(&url, "vector_indexes", 0.000_001).await, "public.h (hnsw) has", "more memory");
    }
}
