//! What pg_dump and pg_restore say while they work: what they have come to, and, when they fail, why.

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// How much of the end is kept for a message.
const KEPT: usize = 16 * 1024;
/// No line is longer that says something: a name has 63 bytes.
const LINE_LIMIT: usize = 4096;

/// What a line begins with that is no chatter of `--verbose`.
const KINDS: [&[u8]; 6] = [b"error: ", b"warning: ", b"hint: ", b"detail: ", b"while ", b"from TOC entry "];

/// What the line before was, which the next one may go on with: a name may hold line breaks.
enum Before {
    Chatter,
    Message,
    /// The number of the subject, and its name as far as it was read.
    Subject(usize, Vec<u8>),
}

/// Reads the standard error of such a program with `--verbose` to its end, and gives the lines that are no chatter.
///
/// `subjects` are the beginnings of lines that end with a name, in double quotes and with nothing in it quoted:
/// `on_subject` is told the subject's number and the name. The lines of several processes may be mixed; one that cannot
/// be understood is passed over.
pub(crate) async fn listen(
    pipe: Option<impl AsyncRead + Unpin>,
    program: &str,
    subjects: &[&str],
    mut on_subject: impl FnMut(usize, &str),
) -> Vec<u8> {
    let prefix = format!("{program}: ");
    let mut said = Vec::new();
    let Some(pipe) = pipe else { return said };
    let mut reader = BufReader::new(pipe);
    let mut line = Vec::new();
    let mut before = Before::Message;
    while read_line(&mut reader, &mut line).await {
        before = match (after(&line, prefix.as_bytes()), before) {
            (Some(rest), _) => beginning(rest, subjects),
            (None, Before::Subject(subject, name)) if name.len() < LINE_LIMIT => {
                Before::Subject(subject, [name, line.clone()].concat())
            }
            (None, before) => before,
        };
        match &before {
            Before::Subject(subject, name) => {
                if let Some(name) = name.strip_suffix(b"\"\n") {
                    on_subject(*subject, &String::from_utf8_lossy(name));
                    before = Before::Chatter;
                }
            }
            Before::Message => keep_end(&mut said, &line),
            Before::Chatter => {}
        }
    }
    said
}

/// What follows the program's name, which may be there twice where two processes began a line at the same time.
fn after<'a>(line: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let mut rest = line.strip_prefix(prefix)?;
    while let Some(more) = rest.strip_prefix(prefix) {
        rest = more;
    }
    Some(rest)
}

fn beginning(line: &[u8], subjects: &[&str]) -> Before {
    for (number, subject) in subjects.iter().enumerate() {
        if let Some(name) = line.strip_prefix(subject.as_bytes()).and_then(|rest| rest.strip_prefix(b" \"")) {
            return Before::Subject(number, name.to_vec());
        }
    }
    if KINDS.iter().any(|kind| line.starts_with(kind)) { Before::Message } else { Before::Chatter }
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
        let subjects = ["dumping contents of table"];
        let said = listen(Some(text.as_bytes()), "pg_dump", &subjects, |_, table| tables.push(table.to_owned())).await;
        (tables, String::from_utf8_lossy(&said).into_owned())
    }

    #[tokio::test]
    async fn lines_of_several_processes_may_be_mixed() {
        let text = "pg_restore: pg_restore: processing data for table \"a.b\"\n\
                    finished item 7 TABLE DATA c\n\
                    pg_restore: creating INDEX \"a.i\"\n\
                    pg_restore: creating INDEXpg_restore: x \"a.j\"\n\
                    pg_restore: while PROCESSING TOC:\n\
                    pg_restore: from TOC entry 7; 1259 2 INDEX i me\n\
                    pg_restore: pg_restore: error: could not execute query: ERROR:  no\nCommand was: CREATE\n\
                    pg_restore: finished\n";
        let mut told = Vec::new();
        let subjects = ["processing data for table", "creating INDEX"];
        let on_subject = |subject: usize, name: &str| told.push((subject, name.to_owned()));
        let said = listen(Some(text.as_bytes()), "pg_restore", &subjects, on_subject).await;
        assert_eq!(told, [(0, "a.b".to_owned()), (1, "a.i".into())]);
        let kept = "pg_restore: while PROCESSING TOC:\npg_restore: from TOC entry 7; 1259 2 INDEX i me\n\
                    pg_restore: pg_restore: error: could not execute query: ERROR:  no\nCommand was: CREATE\n";
        assert_eq!(String::from_utf8_lossy(&said), kept);
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
