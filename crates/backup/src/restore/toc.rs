//! The table of contents of an archive, as `pg_restore --list --verbose` writes it, and the choice of what is restored.

use std::collections::{BTreeSet, HashMap};

/// What belongs to a table and is restored with it.
const PARTS: [&str; 17] = [
    "TABLE DATA",
    "TABLE ATTACH",
    "INDEX ATTACH",
    "INDEX",
    "FK CONSTRAINT",
    "CHECK CONSTRAINT",
    "CONSTRAINT",
    "DEFAULT",
    "TRIGGER",
    "RULE",
    "POLICY",
    "ROW SECURITY",
    "STATISTICS DATA",
    "STATISTICS",
    "SEQUENCE OWNED BY",
    "SEQUENCE SET",
    "SEQUENCE",
];
/// What is said about an object.
const REMARKS: [&str; 3] = ["COMMENT", "ACL", "SECURITY LABEL"];
/// What every session of pg_restore begins with.
const PREAMBLE: [&str; 3] = ["ENCODING", "STDSTRINGS", "SEARCHPATH"];
/// What can be named as a table.
const TABLES: [&str; 2] = ["TABLE", "FOREIGN TABLE"];

/// An entry: something to create, or rows to load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    id: u32,
    /// As pg_restore wants to read it again.
    line: String,
    depends_on: Vec<u32>,
}

/// What is restored of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Choice {
    pub(crate) entries: Vec<Entry>,
    /// What belongs to a chosen table and needs one that is not chosen: foreign keys, mostly.
    pub(crate) left_out: Vec<String>,
}

/// A table, as the user names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableName {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
}

impl TableName {
    /// `NAME` in the schema `public`, or `SCHEMA.NAME`; either in double quotes where it has a dot or is quoted in SQL.
    /// `None` when it is neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (first, rest) = part(text)?;
        let (schema, name) = match rest.strip_prefix('.') {
            Some(rest) => {
                let (name, rest) = part(rest)?;
                if !rest.is_empty() {
                    return None;
                }
                (first, name)
            }
            None if rest.is_empty() => ("public".to_owned(), first),
            None => return None,
        };
        Some(Self { schema, name })
    }
}

/// One name, and what is behind it.
fn part(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find('.').unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        return (!name.is_empty() && !name.contains('"')).then(|| (name.to_owned(), rest));
    };
    let mut name = String::new();
    let mut rest = quoted;
    loop {
        let end = rest.find('"')?;
        name.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return (!name.is_empty()).then_some((name, rest)),
        }
    }
}

impl Entry {
    /// `215; 1259 16389 TABLE public messages postgres`: what comes after the numbers.
    pub(crate) fn what(&self) -> &str {
        self.line.splitn(4, ' ').nth(3).unwrap_or_default()
    }

    pub(crate) fn line(&self) -> &str {
        &self.line
    }

    /// Whether it is of one of these kinds.
    pub(crate) fn is(&self, kinds: &[&str]) -> bool {
        kinds.iter().any(|kind| self.what().strip_prefix(kind).is_some_and(|rest| rest.starts_with(' ')))
    }

    /// Creating an extension sets its comment anyway, and changing it is for the extension's owner: where a superuser made
    /// it, nobody else could restore.
    fn is_comment_on_extension(&self) -> bool {
        self.what().starts_with("COMMENT - EXTENSION ")
    }

    /// Whose it is; `None` for what has no owner. A name may have spaces: `known` tells where it begins.
    pub(crate) fn owner<'a>(&'a self, known: &[String]) -> Option<&'a str> {
        let is_owned = self.line.contains(' ') && !self.line.ends_with(' ') && !self.is(&REMARKS);
        let before =
            |role: &&String| self.line.strip_suffix(as_listed(role).as_str()).is_some_and(|it| it.ends_with(' '));
        let known = known.iter().filter(before).map(|role| as_listed(role).len()).max();
        let length = known.or_else(|| self.line.rsplit(' ').next().map(str::len))?;
        is_owned.then(|| &self.line[self.line.len() - length..])
    }

    /// Whether it is this table, whoever owns it.
    fn is_table(&self, name: &TableName) -> bool {
        TABLES.iter().any(|kind| self.begins(kind, &name.schema, &name.name))
    }

    /// Whether it has this table's name before its own.
    fn is_part_of(&self, table: &TableName) -> bool {
        PARTS.iter().any(|kind| self.begins(kind, &table.schema, &table.name))
    }

    /// Whether the rows of this table are loaded by it.
    pub(crate) fn is_rows_of(&self, schema: &str, name: &str) -> bool {
        self.begins("TABLE DATA", schema, name)
    }

    fn begins(&self, kind: &str, schema: &str, name: &str) -> bool {
        let beginning = format!("{kind} {} {} ", as_listed(schema), as_listed(name));
        self.what().starts_with(&beginning)
    }
}

/// pg_restore shows a name on one line.
fn as_listed(name: &str) -> String {
    name.replace(['\n', '\r'], " ")
}

/// Reads the list.
pub(crate) fn parse(listed: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for line in listed.lines() {
        if let Some(numbers) = line.strip_prefix(";\tdepends on: ") {
            if let Some(last) = entries.last_mut() {
                last.depends_on = numbers.split(' ').filter_map(|number| number.parse().ok()).collect();
            }
            continue;
        }
        let id = line.split_once(';').and_then(|(id, _)| id.parse().ok());
        if let Some(id) = id {
            entries.push(Entry { id, line: line.to_owned(), depends_on: Vec::new() });
        }
    }
    entries.retain(|entry| !entry.is_comment_on_extension());
    entries
}

/// Chooses tables with all that belongs to them and all that they need: schemas, types, functions, extensions; of a table
/// that they inherit from or are a partition of, the definition without rows. The partitions of a chosen table are chosen
/// too. The error is the table that is not there.
pub(crate) fn choose(entries: Vec<Entry>, tables: &[TableName]) -> Result<Choice, TableName> {
    if tables.is_empty() {
        return Ok(Choice { entries, left_out: Vec::new() });
    }
    let by_id: HashMap<u32, &Entry> = entries.iter().map(|entry| (entry.id, entry)).collect();
    let mut wanted = BTreeSet::new();
    for table in tables {
        // With a space in its name another one may begin like it; that one's line is longer.
        let found = entries.iter().filter(|entry| entry.is_table(table)).min_by_key(|entry| entry.line.len());
        wanted.insert(found.ok_or_else(|| table.clone())?.id);
    }
    // A list has parents before their partitions, but not every level of them in order.
    loop {
        let attached = entries.iter().filter(|entry| entry.is(&["TABLE ATTACH"]));
        let partitions = attached.filter_map(|entry| match entry.depends_on[..] {
            [child, parent, ..] if wanted.contains(&parent) => Some(child),
            _ => None,
        });
        let before = wanted.len();
        let partitions: Vec<_> = partitions.collect();
        wanted.extend(partitions);
        if wanted.len() == before {
            break;
        }
    }
    let mut chosen = wanted.clone();
    wanted.iter().for_each(|id| need(*id, &by_id, &mut chosen));
    let (mut belongs, mut left_out) = (wanted, BTreeSet::new());
    for entry in &entries {
        if chosen.contains(&entry.id) {
            continue;
        }
        let belongs_to_one = entry.depends_on.iter().any(|id| belongs.contains(id));
        if entry.is(&PARTS) && belongs_to_one {
            let is_there = |id: &u32| by_id.get(id).is_none_or(|it| !is_in_the_way(entry, it) || chosen.contains(id));
            if entry.depends_on.iter().all(is_there) {
                chosen.insert(entry.id);
                belongs.insert(entry.id);
                need(entry.id, &by_id, &mut chosen);
            } else if tables.iter().any(|table| entry.is_part_of(table)) {
                left_out.insert(entry.what().to_owned());
            }
        }
    }
    let is_remark = |entry: &Entry| entry.is(&REMARKS) && entry.depends_on.iter().any(|id| chosen.contains(id));
    let is_chosen = |entry: &Entry| chosen.contains(&entry.id) || entry.is(&PREAMBLE) || is_remark(entry);
    let chosen = entries.iter().filter(|entry| is_chosen(entry)).cloned().collect();
    Ok(Choice { entries: chosen, left_out: left_out.into_iter().collect() })
}

/// Whether a part cannot be without this: another table, or the key that a foreign key refers to.
fn is_in_the_way(part: &Entry, needed: &Entry) -> bool {
    needed.is(&TABLES) || part.is(&["FK CONSTRAINT"])
}

/// Adds what an entry needs, and what that needs.
fn need(id: u32, by_id: &HashMap<u32, &Entry>, chosen: &mut BTreeSet<u32>) {
    let mut open = vec![id];
    while let Some(id) = open.pop() {
        let needed = by_id.get(&id).map(|entry| entry.depends_on.as_slice()).unwrap_or_default();
        open.extend(needed.iter().filter(|id| by_id.contains_key(id) && chosen.insert(**id)));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{TableName, choose, parse};

    const LIST: &str = ";
; Archive created at 2026-11-26 00:05:00 UTC
2611; 0 0 ENCODING - ENCODING 
2614; 1262 16777 DATABASE - tt postgres
2; 3079 16389 EXTENSION - vector 
4005; 0 0 COMMENT - EXTENSION vector 
6; 2615 16779 SCHEMA - a b postgres
859; 1247 16781 TYPE a b mood postgres
;	depends on: 6
221; 1259 16784 TABLE a b t the owner
;	depends on: 6 859
229; 1259 16884 TABLE a b t two the owner
;	depends on: 6
220; 1259 16783 SEQUENCE a b t_id_seq the owner
;	depends on: 6 221
2615; 0 0 SEQUENCE OWNED BY a b t_id_seq the owner
;	depends on: 220
222; 1259 16793 TABLE public u postgres
2616; 0 0 COMMENT public TABLE u postgres
;	depends on: 222
2617; 0 0 ACL public TABLE u postgres
;	depends on: 222
224; 1259 16807 TABLE public p postgres
225; 1259 16810 TABLE public p1 postgres
;	depends on: 224
223; 1259 16803 VIEW public v postgres
;	depends on: 222
2441; 0 0 TABLE ATTACH public p1 postgres
;	depends on: 225 224
2442; 2604 16787 DEFAULT a b t id the owner
;	depends on: 221 220 221
2605; 0 16784 TABLE DATA a b t the owner
;	depends on: 221
2607; 0 16810 TABLE DATA public p1 postgres
;	depends on: 225
2606; 0 16793 TABLE DATA public u postgres
;	depends on: 222
2618; 0 0 SEQUENCE SET a b t_id_seq the owner
;	depends on: 220
2446; 2606 16791 CONSTRAINT a b t t_pkey the owner
;	depends on: 221
2449; 1259 16813 INDEX public p_a_idx postgres
;	depends on: 224
2450; 1259 16814 INDEX public p1_a_idx postgres
;	depends on: 225 2449 225
2451; 0 0 INDEX ATTACH public p1_a_idx postgres
;	depends on: 2450 2449 225 224
2453; 2606 16798 FK CONSTRAINT public u u_id_fkey postgres
;	depends on: 2446 222 221
";

    fn chosen(tables: &[&str]) -> (Vec<u32>, Vec<String>) {
        let tables: Vec<_> = tables.iter().map(|name| TableName::parse(name).expect("a name")).collect();
        let choice = choose(parse(LIST), &tables).expect("all of them");
        (choice.entries.iter().map(|entry| entry.id).collect(), choice.left_out)
    }

    #[test]
    fn tables_come_with_what_they_have_and_need() {
        let fk = vec!["FK CONSTRAINT public u u_id_fkey postgres".to_owned()];
        let of_t = [2611, 6, 859, 221, 220, 2615, 2442, 2605, 2618, 2446];
        assert_eq!(chosen(&["a b.t"]), (of_t.to_vec(), vec![]));
        assert_eq!(chosen(&["u"]), (vec![2611, 222, 2616, 2617, 2606], fk));
        let both = [2611, 6, 859, 221, 220, 2615, 222, 2616, 2617, 2442, 2605, 2606, 2618, 2446, 2453];
        assert_eq!(chosen(&["u", "a b.t"]), (both.to_vec(), vec![]));
        let parent = [2611, 224, 225, 2441, 2607, 2449, 2450, 2451];
        assert_eq!(chosen(&["public.p"]), (parent.to_vec(), vec![]));
        assert_eq!(chosen(&["p1"]), (parent.to_vec(), vec![]));
        let all = choose(parse(LIST), &[]).expect("all");
        assert_eq!(all.entries.len(), 26, "all but the comment on the extension");
        let missing = TableName { schema: "public".into(), name: "v".into() };
        assert_eq!(choose(parse(LIST), std::slice::from_ref(&missing)), Err(missing));
    }

    #[test]
    fn owners_are_found_whatever_their_names() {
        let known = ["postgres".to_owned(), "the owner".to_owned(), "owner".to_owned()];
        let owner =
            |id: u32| parse(LIST).iter().find(|entry| entry.id == id).and_then(|it| it.owner(&known).map(String::from));
        let cases =
            [(221, Some("the owner")), (6, Some("postgres")), (2, None), (2611, None), (2616, None), (2617, None)];
        for (id, expected) in cases {
            assert_eq!(owner(id).as_deref(), expected, "{id}");
        }
        let nobody_known =
            parse(LIST).iter().find(|entry| entry.id == 222).and_then(|it| it.owner(&[]).map(String::from));
        assert_eq!(nobody_known.as_deref(), Some("postgres"));
    }

    #[test]
    fn names_of_tables_are_read() {
        let cases = [
            ("t", Some(("public", "t"))),
            ("a.t", Some(("a", "t"))),
            ("Odd Näme", Some(("public", "Odd Näme"))),
            (r#""a.b".t"#, Some(("a.b", "t"))),
            (r#"a."t""x""#, Some(("a", "t\"x"))),
            ("", None),
            ("a.", None),
            (".t", None),
            ("a.b.c", None),
            (r#""a"#, None),
            (r#""""#, None),
            (r#"a"b"#, None),
        ];
        for (text, expected) in cases {
            let expected = expected.map(|(schema, name)| TableName { schema: schema.into(), name: name.into() });
            assert_eq!(TableName::parse(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_list_is_too_odd(text in "([0-9]{1,3}; [0-9] [0-9] (TABLE|INDEX|TABLE ATTACH|X)( [a-z]{0,2}){0,3}\n|;\tdepends on:( [0-9]{1,3}){0,3}\n|.{0,9}\n){0,20}") {
            let entries = parse(&text);
            if let Ok(choice) = choose(entries, &[TableName { schema: "a".into(), name: "a".into() }]) {
                prop_assert!(!choice.entries.is_empty());
            }
        }

        #[test]
        fn no_name_is_too_odd(text in ".{0,20}") {
            drop(TableName::parse(&text));
        }
    }
}
