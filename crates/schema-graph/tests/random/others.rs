//! Privileges, comments, and what stands beside tables.

use super::Writer;

impl Writer<'_> {
    pub(super) fn comment(&mut self, word: &str, name: &str) {
        let site = format!("comment {word} {name}");
        if self.choices.is(&site, 15) {
            let text = self.choices.one(&format!("{site} text"), &["it''s", "$$; --"]);
            self.add(format!("COMMENT ON {word} {name} IS '{text}'"));
        }
    }

    pub(super) fn comment_on_function(&mut self, word: &str, signature: &str) {
        self.comment(word, signature);
        let site = format!("grant {signature}");
        if self.choices.is(&site, 20) {
            let word = if word == "AGGREGATE" { "FUNCTION" } else { word };
            self.add(format!("REVOKE EXECUTE ON {word} {signature} FROM PUBLIC"));
            self.add(format!("GRANT EXECUTE ON {word} {signature} TO pg_monitor"));
        }
    }

    pub(super) fn grant(&mut self, word: &str, name: &str, privilege: &str) {
        let site = format!("grant {word} {name}");
        if self.choices.is(&site, 20) {
            let to = self.choices.one(&format!("{site} to"), &["pg_monitor", "PUBLIC", "pg_monitor WITH GRANT OPTION"]);
            self.add(format!("GRANT {privilege} ON {word} {name} TO {to}"));
        }
    }

    pub(super) fn write_default_privileges(&mut self) {
        let which = self.choices.one(
            "default privileges",
            &[
                "IN SCHEMA app GRANT SELECT ON TABLES TO pg_monitor",
                "GRANT INSERT ON TABLES TO pg_monitor",
                "REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
                "REVOKE USAGE ON TYPES FROM PUBLIC",
                "GRANT USAGE ON SEQUENCES TO pg_monitor",
            ],
        );
        if self.has_app || !which.contains("app") {
            self.add(format!("ALTER DEFAULT PRIVILEGES {which}"));
        }
    }

    pub(super) fn write_others(&mut self) {
        if let Some((name, _)) = self.types.first().cloned()
            && self.choices.is("type privilege", 25)
        {
            self.add(format!("REVOKE USAGE ON TYPE {name} FROM PUBLIC"));
        }
        if self.choices.is("schema privilege", 20) {
            self.add("GRANT CREATE ON SCHEMA public TO pg_monitor");
        }
        self.write_publications();
        self.write_text_search();
        self.write_foreign();
        if let Some(sequence) = self.sequences.first().cloned()
            && let Some(table) =
                self.tables.iter().find(|table| sequence.split('.').next() == table.name.split('.').next()).cloned()
            && self.choices.is("sequence owner", 30)
        {
            self.add(format!("ALTER SEQUENCE {sequence} OWNED BY {}.id", table.name));
        }
        if self.choices.is("event trigger", 20) {
            let name = self.named("watch");
            self.add(format!("CREATE FUNCTION {name}() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'"));
            let when = self.choices.one("event trigger when", &["", " WHEN TAG IN ('CREATE TABLE')"]);
            self.add(format!("CREATE EVENT TRIGGER watching ON ddl_command_end{when} EXECUTE FUNCTION {name}()"));
        }
        if self.choices.is("default privileges last", 15) {
            self.write_default_privileges();
        }
    }

    fn write_publications(&mut self) {
        if !self.choices.is("publication", 40) {
            return;
        }
        let plain: Vec<_> =
            self.tables.iter().filter(|table| !table.is_partition && !table.is_unlogged).cloned().collect();
        let mut list = Vec::new();
        for table in plain.iter().take(2) {
            if self.choices.is(&format!("{} published", table.site), 50) {
                let filter =
                    self.choices.one(&format!("{} published rows", table.site), &["", "", " WHERE (id > 3)", " (id)"]);
                let filter = if table.is_partitioned { "" } else { filter };
                list.push(format!("ONLY {}{filter}", table.name));
            }
        }
        let what = match (list.is_empty(), self.choices.pick("publication what", 3)) {
            (_, 1) => " FOR ALL TABLES".to_owned(),
            (true, _) => String::new(),
            (false, _) => format!(" FOR TABLE {}", list.join(", ")),
        };
        let options = self.choices.one(
            "publication options",
            &["", " WITH (publish = 'insert, update')", " WITH (publish_via_partition_root = true)"],
        );
        self.add(format!("CREATE PUBLICATION feed{what}{options}"));
    }

    fn write_text_search(&mut self) {
        if !self.choices.is("text search", 30) {
            return;
        }
        let dictionary = self.named("words");
        self.add(format!("CREATE TEXT SEARCH DICTIONARY {dictionary} (TEMPLATE = simple)"));
        let name = self.named("search");
        self.add(format!("CREATE TEXT SEARCH CONFIGURATION {name} (PARSER = default)"));
        let with = self.choices.one("text search with", &["simple", "%", "%, simple"]).replace('%', &dictionary);
        self.add(format!("ALTER TEXT SEARCH CONFIGURATION {name} ADD MAPPING FOR asciiword WITH {with}"));
        self.comment("TEXT SEARCH CONFIGURATION", &name);
    }

    fn write_foreign(&mut self) {
        if !self.choices.is("foreign", 30) {
            return;
        }
        let options = self.choices.one("wrapper options", &["", " OPTIONS (a 'b')"]);
        self.add(format!("CREATE FOREIGN DATA WRAPPER wrapper{options}"));
        let options = self
            .choices
            .one("server options", &["", " VERSION '2'", " OPTIONS (host 'it''s')", " TYPE 't' OPTIONS (port '1')"]);
        let (version, options) = if options.contains("OPTIONS (") { ("", options) } else { (options, "") };
        let (kind, options) = options.strip_prefix(" TYPE 't'").map_or(("", options), |rest| (" TYPE 't'", rest));
        self.add(format!("CREATE SERVER far{kind}{version} FOREIGN DATA WRAPPER wrapper{options}"));
        if self.choices.is("user mapping", 40) {
            let options = self.choices.one("mapping options", &["", " OPTIONS (user 'x')", " OPTIONS (user 'y')"]);
            self.add(format!("CREATE USER MAPPING FOR PUBLIC SERVER far{options}"));
        }
        if self.choices.is("foreign table", 70) {
            let name = self.named("remote");
            let mut columns = vec!["id integer NOT NULL".to_owned()];
            for column in ["a", "b"] {
                if self.choices.is(&format!("foreign {column}"), 60) {
                    let (data_type, value) = self.simple_type(&format!("foreign {column} type"));
                    let options = self.choices.one(&format!("foreign {column} options"), &["", " OPTIONS (n 'm')"]);
                    let default = if self.choices.is(&format!("foreign {column} default"), 25) {
                        format!(" DEFAULT {value}")
                    } else {
                        String::new()
                    };
                    columns.push(format!("{column} {data_type}{options}{default}"));
                }
            }
            let options =
                self.choices.one("foreign table options", &["", " OPTIONS (t 'u')", " OPTIONS (t 'v', w 'x')"]);
            self.add(format!("CREATE FOREIGN TABLE {name} ({}) SERVER far{options}", columns.join(", ")));
            self.comment("FOREIGN TABLE", &name);
            if self.choices.is("foreign check", 30) {
                self.add(format!("ALTER FOREIGN TABLE {name} ADD CONSTRAINT far_check CHECK (id > 0)"));
            }
        }
    }
}
