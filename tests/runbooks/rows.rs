//! Something in the Support Bot's databases.

use crate::project::execute;
use crate::stack::Stack;

/// Users, and chunks with embeddings.
const USERS: i32 = 20;
pub(super) const CHUNKS: i32 = 300;

/// Applies all revisions and fills both databases; Qdrant's collection is there and as its table is.
pub(super) fn fill(stack: &Stack) {
    stack.project.ok(&["migrate"]);
    let users = "INSERT INTO users (email, display_name) SELECT 'user' || n || '@example.com', 'User ' || n";
    execute(&stack.url("bot_db"), &format!("{users} FROM generate_series(1, {USERS}) AS n"));
    insert_chunks(stack, 1, CHUNKS);
    stack.project.ok(&["qdrant", "sync"]);
}

/// Chunks of these numbers, of a document of their own, with embeddings at random.
pub(super) fn insert_chunks(stack: &Stack, first: i32, last: i32) {
    let sql = format!(
        "WITH document AS (INSERT INTO documents (source, uri, content_hash) \
             VALUES ('upload', 'from {first}', sha256('{first}')) RETURNING id) \
         INSERT INTO chunks (document_id, chunk_index, content, content_hash, embedding, embedding_model, embedded_at) \
         SELECT id, n, 'chunk ' || n, sha256(n::text::bytea), \
             (SELECT array_agg(random() - 0.5) FROM generate_series(1, 384) WHERE n = n)::vector(384), 'test', now() \
         FROM document, generate_series({first}, {last}) AS n"
    );
    execute(&stack.url("vector_db"), &sql);
}
