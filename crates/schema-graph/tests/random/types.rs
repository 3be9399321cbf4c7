//! Schemas, extensions, types, sequences, and the functions that these and tables use.

use super::Writer;

impl Writer<'_> {
    pub(super) fn write_schemas(&mut self) {
        if self.choices.is("schema app", 60) {
            self.add("CREATE SCHEMA app");
            self.has_app = true;
        }
        if self.has_app && self.choices.is("default privileges first", 25) {
            self.write_default_privileges();
        }
        for extension in ["vector", "btree_gist"] {
            if self.choices.is(&format!("extension {extension}"), 30) {
                self.add(format!("CREATE EXTENSION {extension} SCHEMA public"));
                self.extensions.push(extension);
            }
        }
        if self.choices.is("extension pg_trgm", 25) {
            let schema = self.schema_of("extension pg_trgm");
            self.add(format!("CREATE EXTENSION pg_trgm SCHEMA {schema}"));
        }
        if self.choices.is("collation", 40) {
            let definition = self.choices.one(
                "collation definition",
                &["PROVIDER = builtin, LOCALE = 'C.UTF-8'", "LOCALE = 'C'", "PROVIDER = builtin, LOCALE = 'C'"],
            );
            let name = self.named("plain");
            self.add(format!("CREATE COLLATION {name} ({definition})"));
            self.collations.push(name);
        }
    }

    pub(super) fn write_enums(&mut self) {
        for enumeration in ["mood", "plan"] {
            if !self.choices.is(&format!("enum {enumeration}"), 70) {
                continue;
            }
            let name = self.named(enumeration);
            let mut labels: Vec<_> = ["bad", "it''s", "good", "new"]
                .into_iter()
                .filter(|label| self.choices.is(&format!("enum {enumeration} {label}"), 50))
                .collect();
            labels.insert(self.choices.pick(&format!("enum {enumeration} ok"), labels.len() as u64 + 1) as usize, "ok");
            if self.choices.is(&format!("enum {enumeration} reversed"), 10) {
                labels.reverse();
            }
            let list: Vec<_> = labels.iter().map(|label| format!("'{label}'")).collect();
            self.add(format!("CREATE TYPE {name} AS ENUM ({})", list.join(", ")));
            self.comment("TYPE", &name);
            self.types.push((name, "'ok'"));
        }
    }

    /// Functions that speak of no table.
    pub(super) fn write_functions(&mut self) {
        let name = self.named("twice");
        let result = self.choices.one("twice result", &["integer", "integer", "integer", "bigint"]);
        let body = self.choices.one("twice body", &["$1 * 2", "$1 + $1", "2 * $1"]);
        let argument = self.choices.one("twice argument", &["", "", "n "]);
        let cost = self.choices.one("twice cost", &["", " COST 7", " PARALLEL SAFE", " STRICT"]);
        self.add(format!(
            "CREATE FUNCTION {name}({argument}integer) RETURNS {result} LANGUAGE sql IMMUTABLE{cost} AS 'SELECT {body}'"
        ));
        self.comment_on_function("FUNCTION", &format!("{name}(integer)"));
        self.twice = name;
        let name = self.named("stamp");
        let body = self.choices.one("stamp body", &["NEW", "COALESCE(NEW, OLD)"]);
        self.add(format!("CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN {body}; END'"));
        self.stamp = name;
        if self.choices.is("function label", 60) {
            let name = self.named("label");
            let default = self.choices.one("label default", &["", " DEFAULT 'x'", " DEFAULT 'y'"]);
            let body =
                self.choices.one("label body", &["LANGUAGE sql STABLE AS 'SELECT $1'", "LANGUAGE sql RETURN $1"]);
            self.add(format!("CREATE FUNCTION {name}(word text{default}) RETURNS text {body}"));
            self.label = Some(name);
        }
    }

    pub(super) fn write_domains(&mut self) {
        for domain in ["score", "code"] {
            let site = format!("domain {domain}");
            if !self.choices.is(&site, 60) {
                continue;
            }
            let name = self.named(domain);
            let base = self.choices.one(&format!("{site} base"), &["integer", "integer", "bigint", "smallint"]);
            let default = self.choices.one(&format!("{site} default"), &["", " DEFAULT 1", " DEFAULT 2"]);
            let null = self.choices.one(&format!("{site} null"), &["", "", " NOT NULL"]);
            let check = match self.choices.pick(&format!("{site} check"), 4) {
                0 => String::new(),
                1 => " CHECK (VALUE > 0)".into(),
                2 => " CONSTRAINT small CHECK (VALUE < 9)".into(),
                _ => format!(" CONSTRAINT twofold CHECK ({}(VALUE::integer) > 0)", self.twice),
            };
            self.add(format!("CREATE DOMAIN {name} AS {base}{default}{null}{check}"));
            if self.choices.is(&format!("{site} not valid"), 20) {
                self.add(format!("ALTER DOMAIN {name} ADD CONSTRAINT later CHECK (VALUE <> 7) NOT VALID"));
            }
            self.comment("DOMAIN", &name);
            self.types.push((name, "3"));
        }
    }

    pub(super) fn write_composites(&mut self) {
        for composite in ["pair", "box"] {
            let site = format!("composite {composite}");
            if !self.choices.is(&site, 50) {
                continue;
            }
            let name = self.named(composite);
            let mut fields = vec!["x integer".to_owned()];
            for field in ["y", "z", "w"] {
                if self.choices.is(&format!("{site} {field}"), 50) {
                    let data_type = self.simple_type(&format!("{site} {field} type")).0;
                    fields.push(format!("{field} {data_type}"));
                }
            }
            self.add(format!("CREATE TYPE {name} AS ({})", fields.join(", ")));
            self.types.push((name, "NULL"));
        }
        if self.choices.is("range floats", 40) {
            let name = self.named("floats");
            self.add(format!("CREATE TYPE {name} AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi)"));
            self.types.push((name, "NULL"));
        }
    }

    pub(super) fn write_sequences(&mut self) {
        for sequence in ["counter", "numbers"] {
            let site = format!("sequence {sequence}");
            if !self.choices.is(&site, 60) {
                continue;
            }
            let name = self.named(sequence);
            let options = [
                "",
                " AS integer",
                " INCREMENT BY 5 MINVALUE 10 MAXVALUE 1000 START WITH 20 CACHE 3 CYCLE",
                " INCREMENT BY -1",
                " MAXVALUE 500",
            ];
            let options = self.choices.one(&format!("{site} options"), &options);
            self.add(format!("CREATE SEQUENCE {name}{options}"));
            self.comment("SEQUENCE", &name);
            self.grant("SEQUENCE", &name, "USAGE");
            self.sequences.push(name);
        }
    }

    /// A type, and a value of it as a default.
    pub(super) fn simple_type(&self, site: &str) -> (String, &'static str) {
        const TYPES: [(&str, &str); 18] = [
            ("integer", "1"),
            ("bigint", "2"),
            ("text", "'t'"),
            ("character varying(20)", "'v'"),
            ("numeric(9,2)", "1.5"),
            ("boolean", "true"),
            ("timestamp with time zone", "now()"),
            ("jsonb", "'{}'"),
            ("integer[]", "'{1}'"),
            ("text[]", "'{}'"),
            ("date", "'2024-01-01'"),
            ("uuid", "gen_random_uuid()"),
            ("smallint", "3"),
            ("double precision", "0.5"),
            ("timestamp without time zone", "'2024-01-01 00:00'"),
            ("bytea", "'\\x00'"),
            ("interval", "'1 day'"),
            ("int4range", "'[1,2)'"),
        ];
        let own = self.types.len() as u64;
        if own > 0 && self.choices.is(&format!("{site} own"), 30) {
            let (name, value) = &self.types[self.choices.pick(&format!("{site} which"), own) as usize];
            return match self.choices.is(&format!("{site} array"), 15) {
                true => (format!("{name}[]"), "'{}'"),
                false => (name.clone(), value),
            };
        }
        if self.extensions.contains(&"vector") && self.choices.is(&format!("{site} vector"), 15) {
            let size = self.choices.one(&format!("{site} size"), &[3, 4]);
            return (format!("public.vector({size})"), if size == 3 { "'[1,2,3]'" } else { "'[1,2,3,4]'" });
        }
        let (name, value) = self.choices.one(site, &TYPES);
        (name.to_owned(), value)
    }
}
