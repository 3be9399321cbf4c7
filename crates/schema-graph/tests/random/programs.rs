//! What is built on tables: views, functions, triggers, rules and policies.

use super::Writer;

impl Writer<'_> {
    pub(super) fn write_views(&mut self) {
        let mut relations: Vec<(String, Vec<String>)> = self
            .tables
            .iter()
            .map(|table| (table.name.clone(), table.columns.iter().map(|(name, _)| name.clone()).collect()))
            .collect();
        for view in ["active", "recent", "summary", "totals"] {
            let site = format!("view {view}");
            if relations.is_empty() || !self.choices.is(&site, 60) {
                continue;
            }
            let (from, columns) = self.choices.one(&format!("{site} from"), &relations);
            let count = self.choices.pick(&format!("{site} columns"), columns.len() as u64) as usize + 1;
            let mut chosen = columns[..count].to_vec();
            if self.choices.is(&format!("{site} all"), 30) {
                chosen = columns.clone();
            }
            let mut list = chosen.join(", ");
            if self.choices.is(&format!("{site} twice"), 25) {
                list.push_str(&format!(", {}(id::integer) AS doubled_{view}", self.twice));
                chosen.push(format!("doubled_{view}"));
            }
            let filter = self.choices.one(&format!("{site} where"), &["", "", " WHERE id > 1", " WHERE id > 2"]);
            let name = self.named(view);
            let is_kept = self.choices.is(&format!("{site} materialized"), 30);
            let word = if is_kept { "MATERIALIZED VIEW" } else { "VIEW" };
            let options = ["", "", " WITH (security_barrier)", " WITH (security_invoker = true)"];
            let options = if is_kept { "" } else { self.choices.one(&format!("{site} options"), &options) };
            self.add(format!("CREATE {word} {name}{options} AS SELECT {list} FROM {from}{filter}"));
            self.comment(word, &name);
            self.grant("TABLE", &name, "SELECT");
            if is_kept && self.choices.is(&format!("{site} index"), 50) {
                let unique = self.choices.one(&format!("{site} unique"), &["", "UNIQUE "]);
                self.add(format!("CREATE {unique}INDEX {view}_id ON {name} (id)"));
            }
            if !is_kept && self.choices.is(&format!("{site} default"), 15) {
                self.add(format!("ALTER VIEW {name} ALTER id SET DEFAULT 8"));
            }
            if self.choices.is(&format!("{site} column comment"), 15) {
                self.add(format!("COMMENT ON COLUMN {name}.id IS 'of a view'"));
            }
            if !is_kept && self.choices.is(&format!("{site} trigger"), 15) {
                self.add(format!(
                    "CREATE TRIGGER instead INSTEAD OF INSERT ON {name} FOR EACH ROW EXECUTE FUNCTION {}()",
                    self.stamp
                ));
            }
            if !is_kept && self.choices.is(&format!("{site} rule"), 12) {
                self.add(format!("CREATE RULE nothing AS ON DELETE TO {name} DO INSTEAD NOTHING"));
            }
            relations.push((name, chosen));
        }
    }

    /// Functions that speak of tables, procedures, and aggregates.
    pub(super) fn write_programs(&mut self) {
        if let Some(table) = self.tables.first().cloned() {
            if self.choices.is("function rows", 40) {
                let name = self.named("rows");
                let body = self.choices.one(
                    "function rows body",
                    &[
                        "LANGUAGE sql AS 'SELECT * FROM %'",
                        "LANGUAGE sql BEGIN ATOMIC SELECT t FROM % t; END",
                        "LANGUAGE sql ROWS 7 BEGIN ATOMIC SELECT t FROM % t WHERE id > 1; END",
                    ],
                );
                self.add(format!(
                    "CREATE FUNCTION {name}() RETURNS SETOF {} {}",
                    table.name,
                    body.replace('%', &table.name)
                ));
            }
            if self.choices.is("function key", 40) {
                let name = self.named("key_of");
                let body = self.choices.one("function key body", &["SELECT $1.id", "SELECT $1.id + 1"]);
                self.add(format!(
                    "CREATE FUNCTION {name}(line {}) RETURNS bigint LANGUAGE sql STABLE AS '{body}'",
                    table.name
                ));
                self.comment_on_function("FUNCTION", &format!("{name}({})", table.name));
            }
            if let Some(other) = self.tables.iter().filter(|table| !table.is_partition).nth(1).cloned()
                && let Some((column, _)) = other.columns.iter().skip(1).find(|(_, of)| of == "bigint")
                && self.choices.is("default of a count", 40)
                && self
                    .choices
                    .made
                    .borrow()
                    .get(&format!("{}.{column} value", other.site))
                    .is_some_and(|value| *value < 9)
            {
                let name = self.named("how_many");
                self.add(format!(
                    "CREATE FUNCTION {name}() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM {}'",
                    table.name
                ));
                self.add(format!("ALTER TABLE {} ALTER {column} SET DEFAULT {name}()", other.name));
            }
        }
        if self.choices.is("procedure", 50) {
            let name = self.named("tidy");
            let signature =
                self.choices.one("procedure signature", &["(INOUT a integer)", "(a integer)", "(INOUT b integer)"]);
            let body = self.choices.one("procedure body", &["BEGIN END", "BEGIN NULL; END"]);
            self.add(format!("CREATE PROCEDURE {name}{signature} LANGUAGE plpgsql AS '{body}'"));
            self.comment_on_function("PROCEDURE", &format!("{name}(integer)"));
        }
        if self.choices.is("aggregate", 50) {
            let name = self.named("sum_of");
            let start = self.choices.one("aggregate start", &["", ", INITCOND = '0'", ", INITCOND = '1'"]);
            self.add(format!("CREATE AGGREGATE {name}(integer) (SFUNC = int4pl, STYPE = integer{start})"));
            self.comment_on_function("AGGREGATE", &format!("{name}(integer)"));
        }
        if let Some((pair, _)) = self.types.iter().find(|(name, _)| name.ends_with(".pair")).cloned() {
            if self.choices.is("operator", 50) {
                let name = self.named("same");
                self.add(format!(
                    "CREATE FUNCTION {name}({pair}, {pair}) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'"
                ));
                let schema = self.schema_of("operator");
                let further =
                    self.choices.one("operator further", &["", ", COMMUTATOR = OPERATOR(%.===)"]).replace('%', schema);
                self.add(format!(
                    "CREATE OPERATOR {schema}.=== (FUNCTION = {name}, LEFTARG = {pair}, RIGHTARG = {pair}{further})"
                ));
            }
            if self.choices.is("cast", 40) {
                let name = self.named("number_of");
                self.add(format!(
                    "CREATE FUNCTION {name}({pair}) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1'"
                ));
                let how = self.choices.one("cast how", &["", " AS ASSIGNMENT"]);
                self.add(format!("CREATE CAST ({pair} AS integer) WITH FUNCTION {name}({pair}){how}"));
            }
        }
    }

    pub(super) fn write_triggers(&mut self) {
        for table in self.tables.clone() {
            let site = format!("{} trigger", table.site);
            if self.choices.is(&site, 30) {
                let column = &table.columns[table.columns.len() - 1].0;
                let (timing, end) = match self.choices.pick(&format!("{site} kind"), 7) {
                    0 => ("BEFORE INSERT".to_owned(), "FOR EACH ROW"),
                    1 => (format!("AFTER UPDATE OF {column}"), "FOR EACH ROW"),
                    2 => ("AFTER INSERT OR DELETE".to_owned(), "FOR EACH STATEMENT"),
                    3 if !table.is_partition => {
                        ("AFTER UPDATE".to_owned(), "REFERENCING NEW TABLE AS n FOR EACH STATEMENT")
                    }
                    4 => ("BEFORE UPDATE".to_owned(), "FOR EACH ROW WHEN (OLD.id > 3)"),
                    5 => ("AFTER INSERT".to_owned(), "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"),
                    _ => ("AFTER UPDATE".to_owned(), "FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW)"),
                };
                let word = if end.starts_with("DEFERRABLE") { "CONSTRAINT TRIGGER" } else { "TRIGGER" };
                let name = format!("touch_{}", if table.is_partition { "part" } else { "all" });
                self.add(format!(
                    "CREATE {word} {name} {timing} ON {} {end} EXECUTE FUNCTION {}()",
                    table.name, self.stamp
                ));
                if self.choices.is(&format!("{site} state"), 20) {
                    let state = self
                        .choices
                        .one(&format!("{site} which state"), &["DISABLE", "ENABLE ALWAYS", "ENABLE REPLICA"]);
                    self.add(format!("ALTER TABLE {} {state} TRIGGER {name}", table.name));
                }
                if self.choices.is(&format!("{site} comment"), 15) {
                    self.add(format!("COMMENT ON TRIGGER {name} ON {} IS 'touches'", table.name));
                }
            }
            let site = format!("{} rule", table.site);
            if !table.is_partition && self.choices.is(&site, 10) {
                let event = self.choices.one(&format!("{site} event"), &["DELETE", "UPDATE"]);
                self.add(format!("CREATE RULE never AS ON {event} TO {} DO INSTEAD NOTHING", table.name));
            }
        }
    }

    pub(super) fn write_policies(&mut self) {
        for table in self.tables.clone() {
            let site = format!("{} policy", table.site);
            if self.choices.is(&format!("{site} on"), 25) {
                self.add(format!("ALTER TABLE {} ENABLE ROW LEVEL SECURITY", table.name));
            }
            if self.choices.is(&format!("{site} forced"), 10) {
                self.add(format!("ALTER TABLE {} FORCE ROW LEVEL SECURITY", table.name));
            }
            if self.choices.is(&site, 25) {
                let to = self
                    .choices
                    .one(&format!("{site} to"), &["", " TO pg_monitor", " TO pg_monitor, pg_read_all_data"]);
                let using = match self.choices.pick(&format!("{site} using"), 4) {
                    0 => "id > 1".to_owned(),
                    1 => "id > 2".to_owned(),
                    2 => format!("{}(id::integer) > 2", self.twice),
                    _ => format!("EXISTS (SELECT FROM {} o WHERE o.id = 3)", self.tables[0].name),
                };
                let how = self.choices.one(&format!("{site} for"), &["", " FOR SELECT", " AS RESTRICTIVE FOR UPDATE"]);
                self.add(format!("CREATE POLICY own ON {}{how}{to} USING ({using})", table.name));
            }
        }
    }
}
