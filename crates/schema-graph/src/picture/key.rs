//! The columns of keys and indexes, from PostgreSQL's own words for them.

/// The columns in each pair of parentheses: `FOREIGN KEY (a, b) REFERENCES t(x, y)` has two lists. An expression is
/// there as its beginning, which is no column's name.
pub(super) fn column_lists(clause: &str) -> Vec<Vec<String>> {
    let mut lists = Vec::new();
    let (mut depth, mut is_quoted, mut start) = (0, false, 0);
    for (index, byte) in clause.bytes().enumerate() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            b'(' => {
                depth += 1;
                if depth == 1 {
                    lists.push(Vec::new());
                    start = index + 1;
                }
            }
            b')' | b',' => {
                if depth == 1
                    && let Some(list) = lists.last_mut()
                {
                    list.push(column(&clause[start..index]));
                    start = index + 1;
                }
                depth -= i32::from(byte == b')');
            }
            _ => {}
        }
    }
    lists
}

/// The name in an entry: `"Who"`, `valid_at WITHOUT OVERLAPS`, `PERIOD valid_at`.
fn column(entry: &str) -> String {
    let entry = entry.trim();
    let entry = entry.strip_prefix("PERIOD ").unwrap_or(entry);
    match entry.strip_prefix('"') {
        Some(quoted) => {
            let quoted = quoted.replace("\"\"", "\0");
            quoted.split('"').next().unwrap_or_default().replace('\0', "\"")
        }
        None => entry.split(' ').next().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::column_lists;

    #[test]
    fn columns_are_found_whatever_they_are_called() {
        let cases: &[(&str, &[&[&str]])] = &[
            ("PRIMARY KEY (id)", &[&["id"]]),
            ("PRIMARY KEY (id, valid_at WITHOUT OVERLAPS)", &[&["id", "valid_at"]]),
            ("UNIQUE NULLS NOT DISTINCT (\"a, (b\", c) INCLUDE (d)", &[&["a, (b", "c"], &["d"]]),
            ("FOREIGN KEY (\"say \"\"hi\"\"\") REFERENCES \"a (b\".t(x)", &[&["say \"hi\""], &["x"]]),
            (
                "FOREIGN KEY (id, PERIOD at) REFERENCES t(id, PERIOD at) ON DELETE CASCADE",
                &[&["id", "at"], &["id", "at"]],
            ),
            ("CREATE UNIQUE INDEX i ON t USING btree (lower(a), b DESC)", &[&["lower(a)", "b"]]),
        ];
        for (clause, expected) in cases {
            assert_eq!(column_lists(clause), *expected, "{clause}");
        }
    }
}
