//! `--list`: every check, what it looks at, and from where on it warns.

use dbops_health::{Selection, checks};
use serde::Serialize;

use crate::failure::Result;
use crate::ui::Ui;

#[derive(Serialize)]
struct ListDocument {
    checks: Vec<ListedCheck>,
}

#[derive(Serialize)]
struct ListedCheck {
    of: &'static str,
    id: &'static str,
    looks_at: &'static str,
    warning: Option<f64>,
    critical: Option<f64>,
    unit: Option<&'static str>,
    skipped: bool,
}

/// The limits are those that the configuration leads to.
pub(super) fn list(ui: &Ui, selection: &Selection) -> Result<()> {
    let (mut rows, mut listed) = (Vec::new(), Vec::new());
    for (of, checks) in checks() {
        for check in checks {
            let limits = selection.limits(&check);
            let shown =
                |value: Option<f64>| limits.zip(value).map(|(it, value)| it.unit.show(value)).unwrap_or_default();
            let (warning, critical) = limits.map_or((None, None), |limits| (limits.warning, limits.critical));
            let skipped = !selection.wants(check.id);
            let id = if skipped { format!("{} (skipped)", check.id) } else { check.id.to_owned() };
            rows.push(vec![id, of.to_owned(), shown(warning), shown(critical), check.looks_at.to_owned()]);
            let unit = limits.map(|limits| limits.unit.name());
            listed.push(ListedCheck { of, id: check.id, looks_at: check.looks_at, warning, critical, unit, skipped });
        }
    }
    ui.document(&ListDocument { checks: listed })?;
    ui.table(&["check", "of", "warning", "critical", "looks at"], rows)
}
