//! What stands on tables: constraints, indexes, statistics.

use super::Writer;
use super::tables::Table;

impl Writer<'_> {
    pub(super) fn write_constraints(&mut self, table: &mut Table) {
        let site = table.site.clone();
        let (name, alone) = (table.name.clone(), table.alone.replace('"', ""));
        let key = match self.choices.pick(&format!("{site} key"), 7) {
            0 | 1 => String::new(),
            2 | 3 => "PRIMARY KEY (id)".to_owned(),
            4 => format!("CONSTRAINT \"{} key\" PRIMARY KEY (id)", table.alone.replace('"', "")),
            5 if !table.is_partitioned => "PRIMARY KEY (id) DEFERRABLE".to_owned(),
            _ => "UNIQUE (id)".to_owned(),
        };
        if !key.is_empty() {
            self.add(format!("ALTER TABLE {name} ADD {key}"));
            table.has_key = !key.ends_with("DEFERRABLE");
        }
        let check = match self.choices.pick(&format!("{site} check"), 8) {
            0..3 => String::new(),
            3 => "CHECK (id > 0)".to_owned(),
            4 => "CHECK (id > 1)".to_owned(),
            5 if !table.is_partitioned => "CHECK (id > 0) NO INHERIT".to_owned(),
            6 => "CHECK (id <> 4) NOT ENFORCED".to_owned(),
            _ => format!("CHECK ({}(id::integer) > 0)", self.twice),
        };
        if !check.is_empty() {
            let valid = if self.choices.is(&format!("{site} check not valid"), 20) && !check.contains("ENFORCED") {
                " NOT VALID"
            } else {
                ""
            };
            self.add(format!("ALTER TABLE {name} ADD CONSTRAINT \"{alone} check\" {check}{valid}"));
            if self.choices.is(&format!("{site} check comment"), 20) {
                self.add(format!("COMMENT ON CONSTRAINT \"{alone} check\" ON {name} IS 'why'"));
            }
        }
        let orderable = |of: &str| ["integer", "bigint", "text", "date", "uuid"].contains(&of);
        if let Some((column, _)) = table.columns.iter().skip(1).find(|(_, of)| orderable(of))
            && self.choices.is(&format!("{site} unique"), 25)
            && !self.is_virtual(table, column)
        {
            let columns = if table.is_partitioned { format!("id, {column}") } else { column.clone() };
            let how = self.choices.one(&format!("{site} unique how"), &["", " NULLS NOT DISTINCT"]);
            let end = self
                .choices
                .one(&format!("{site} unique end"), &["", "", " INCLUDE (id)", " DEFERRABLE INITIALLY DEFERRED"]);
            let end = if table.is_partitioned { "" } else { end };
            self.add(format!("ALTER TABLE {name} ADD UNIQUE{how} ({columns}){end}"));
        }
        if !table.is_partitioned && self.choices.is(&format!("{site} exclude"), 12) {
            let clause = match self.extensions.contains(&"btree_gist") {
                true => "id WITH =",
                false => "int8range(id, id, '[]') WITH &&",
            };
            let filter = self.choices.one(&format!("{site} exclude where"), &["", " WHERE (id > 3)"]);
            self.add(format!(
                "ALTER TABLE {name} ADD CONSTRAINT \"{alone} alone\" EXCLUDE USING gist ({clause}){filter}"
            ));
        }
    }

    /// Whether a column is computed when it is read: no index can have it.
    pub(super) fn is_virtual(&self, table: &Table, column: &str) -> bool {
        table.computed.iter().any(|computed| computed == column)
    }

    /// When all tables are there: they may refer to each other in circles.
    pub(super) fn write_foreign_keys(&mut self) {
        let tables = self.tables.clone();
        for table in tables.iter().filter(|table| !table.is_partition) {
            let site = format!("{} reference", table.site);
            if !self.choices.is(&site, 45) {
                continue;
            }
            let to: Vec<_> = tables
                .iter()
                .filter(|to| {
                    to.has_key
                        && to.id_type == table.id_type
                        && !to.is_partition
                        && (table.is_unlogged || !to.is_unlogged)
                })
                .collect();
            if to.is_empty() {
                continue;
            }
            let to = to[self.choices.pick(&format!("{site} to"), to.len() as u64) as usize];
            let how = self.choices.one(
                &format!("{site} how"),
                &[
                    "",
                    " ON DELETE CASCADE",
                    " DEFERRABLE INITIALLY DEFERRED",
                    " ON UPDATE RESTRICT",
                    " NOT VALID",
                    " NOT ENFORCED",
                ],
            );
            let how = if how == " NOT VALID" && (table.is_partitioned || to.is_partitioned) { "" } else { how };
            let how = if how == " NOT ENFORCED" && (table.is_partitioned || to.is_partitioned) { "" } else { how };
            self.add(format!(
                "ALTER TABLE {} ADD CONSTRAINT reference FOREIGN KEY (id) REFERENCES {} (id){how}",
                table.name, to.name
            ));
        }
    }

    pub(super) fn write_indexes(&mut self) {
        for table in self.tables.clone() {
            for index in ["first", "second", "third"] {
                let site = format!("{} {index} index", table.site);
                // The names of indexes that partitions have from their parents count on in the order of creation.
                let is_alone = table.is_partitioned && index != "first" || table.is_partition;
                if !is_alone && self.choices.is(&site, 25) {
                    self.write_index(&table, &site, index);
                }
            }
            if let [_, (one, _), (two, _), ..] = &table.columns[..]
                && self.choices.is(&format!("{} statistics", table.site), 12)
            {
                let schema = self.schema_of(&format!("{} statistics", table.site));
                let kinds = self
                    .choices
                    .one(&format!("{} statistics kinds", table.site), &["", "(ndistinct)", "(ndistinct, mcv)"]);
                self.add(format!(
                    "CREATE STATISTICS {schema}.\"{}_st\" {kinds} ON id, {} FROM {}",
                    table.alone.replace('"', ""),
                    if self.is_sortable(&table, one) { one } else { two },
                    table.name
                ));
            }
        }
    }

    fn is_sortable(&self, table: &Table, column: &str) -> bool {
        let of = table.columns.iter().find(|(name, _)| name == column).map(|(_, of)| of.as_str()).unwrap_or_default();
        ["integer", "bigint", "smallint", "text", "date", "boolean", "uuid", "numeric(9,2)"].contains(&of)
            && !self.is_virtual(table, column)
    }

    fn write_index(&mut self, table: &Table, site: &str, index: &str) {
        let sortable: Vec<_> =
            table.columns.iter().filter(|(name, _)| name == "id" || self.is_sortable(table, name)).collect();
        let (column, data_type) =
            sortable[self.choices.pick(&format!("{site} column"), sortable.len() as u64) as usize];
        let vector =
            table.columns.iter().find(|(name, of)| of.starts_with("public.vector") && !self.is_virtual(table, name));
        let keys = match (self.choices.pick(&format!("{site} keys"), 9), data_type.as_str()) {
            (1, _) => format!("({column} DESC NULLS LAST)"),
            (2, _) => format!("({column}) INCLUDE (id)"),
            (3, "text") => format!("(lower({column}))"),
            (4, "text") => format!("({column} text_pattern_ops)"),
            (5, _) => format!("({}(id::integer))", self.twice),
            (6, "integer" | "bigint") => format!("USING brin ({column}) WITH (pages_per_range = 16)"),
            (7, _) => format!("USING hash ({column})"),
            (8, _) if vector.is_some() => {
                let (column, _) = vector.expect("it is some");
                let how = ["hnsw ({} vector_cosine_ops) WITH (m = 8)", "ivfflat ({} vector_l2_ops) WITH (lists = 7)"];
                format!("USING {}", self.choices.one(&format!("{site} vector"), &how).replace("{}", column))
            }
            _ => format!("({column}, id)"),
        };
        let filter = self.choices.one(&format!("{site} where"), &["", "", " WHERE id > 3", " WHERE id > 4"]);
        let unique =
            if self.choices.is(&format!("{site} unique"), 15) && !keys.contains("USING") && !table.is_partitioned {
                "UNIQUE "
            } else {
                ""
            };
        let alone = format!("\"{} {index}\"", table.alone.replace('"', ""));
        self.add(format!("CREATE {unique}INDEX {alone} ON {} {keys}{filter}", table.name));
        let schema = table.name.split('.').next().unwrap_or_default();
        if self.choices.is(&format!("{site} comment"), 15) {
            self.add(format!("COMMENT ON INDEX {schema}.{alone} IS 'an index'"));
        }
        if self.choices.is(&format!("{site} cluster"), 7)
            && !keys.contains("USING")
            && filter.is_empty()
            && !table.is_partitioned
        {
            self.add(format!("ALTER TABLE {} CLUSTER ON {alone}", table.name));
        }
    }
}
