//! What pg_dump says while it works: the tables whose rows it dumps, and, when it fails, why.

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// How much of the end is kept for a message.
const KEPT: usize = 16 * 1024;
/// No line is longer that says something: a name has 63 bytes.
const LINE_LIMIT: usize = 4096;

/// Before the name of a table, as `"schema.name"` with nothing in it quoted.
const DUMPING: &[u8] = b"pg_dump: dumping contents of table \"";
/// What a line begins with that is no chatter of `--verbose`.
const KINDS: [&[u8]; 4] = [b"error: ", b"warning: ", b"hint: ", b"detail: "];

/// What the line before was, which the next one may go on with: a name may hold line breaks.
enum Before {
    Chatter,
    Message,
    Table(Vec<u8>),
}

/// Reads the standard error of `pg_dump --verbose` to its end: tells each table whose rows are dumped now, as
/// `schema.name`, and gives the lines that are no chatter.
pub(crate) async fn listen(pipe: Option<impl AsyncRead + Unpin>, mut on_table: impl FnMut(&str)) -> Vec<u8> {
    let mut said = Vec::new();
    let Some(pipe) = pipe else { return said };
    let mut reader = BufReader::new(pipe);
    let mut line = Vec::new();
    let mut before = Before::Message;
    while read_line(&mut reader, &mut line).await {
        before = match (line.strip_prefix(b"pg_dump: "), before) {
            (Some(_), _) if line.starts_with(DUMPING) => Before::Table(line[DUMPING.len()..].to_vec()),
            (Some(rest), _) if KINDS.iter().any(|kind| rest.starts_with(kind)) => Before::Message,
            (Some(_), _) => Before::Chatter,
            (None, Before::Table(name)) if name.len() < LINE_LIMIT => Before::Table([name, line.clone()].concat()),
            (None, before) => before,
        };
        match &before {
            Before::Table(name) => {
                if let Some(name) = name.strip_suffix(b"\"\n") {
                    on_table(&String::from_utf8_lossy(name));
                    before = Before::Chatter;
                }
            }
            Before::Message => keep_end(&mut said, &line),
            Before::Chatter => {}
        }
    }
    said
}

fn keep_end(said: &mut Vec<u8>, line: &[u8]) {
    said.extend_from_slice(line);
    let surplus = said.len().saturating_sub(KEPT);
    said.drain(..surplus);
}

/// One line with its end; of a very long one the beginning. False at the end.
async fn read_line(reader: &mut BufReader<impl AsyncRead + Unpin>, line: &mut Vec<u8>) -> bool {
    line.clear();
    loop {
        let Ok(buffer) = reader.fill_buf().await else { return false };
        if buffer.is_empty() {
            return !line.is_empty();
        }
        let end = buffer.iter().position(|byte| *byte == b'\n').map(|index| index + 1);
        let count = end.unwrap_or(buffer.len());
        let room = LINE_LIMIT.saturating_sub(line.len()).min(count);
        line.extend_from_slice(&buffer[..room]);
        reader.consume(count);
        if end.is_some() {
            return true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LINE_LIMIT, listen};

    async fn heard(text: &str) -> (Vec<String>, String) {
        let mut tables = Vec::new();
        let said = listen(Some(text.as_bytes()), |table| tables.push(table.to_owned())).await;
        (tables, String::from_utf8_lossy(&said).into_owned())
    }

    #[tokio::test]
    async fn tables_are_told_and_messages_kept() {
        let text = "pg_dump: reading extensions\n\
                    pg_dump: processing data for table \"a.b\"\n\
                    pg_dump: dumping contents of table \"a.b\"\n\
                    pg_dump: warning: there are circular foreign-key constraints\n\
                    pg_dump: detail: t\n\
                    pg_dump: dumping contents of table \"odd \"s.new\nline\"\n\
                    pg_dump: finished item 1\n  of several\n\
                    pg_dump: error: query failed: FATAL\n  terminated\n";
        let (tables, said) = heard(text).await;
        assert_eq!(tables, ["a.b", "odd \"s.new\nline"]);
        let kept = "pg_dump: warning: there are circular foreign-key constraints\npg_dump: detail: t\n\
                    pg_dump: error: query failed: FATAL\n  terminated\n";
        assert_eq!(said, kept);
    }

    #[tokio::test]
    async fn what_is_said_without_an_end_is_bounded() {
        let long = "x".repeat(1_000_000);
        let (tables, said) = heard(&format!("pg_dump: dumping contents of table \"{long}")).await;
        assert!(tables.is_empty() && said.is_empty());
        assert_eq!(heard(&long).await.1.len(), LINE_LIMIT);
        assert_eq!(heard("sh: 1: no end").await.1, "sh: 1: no end");
    }
}
