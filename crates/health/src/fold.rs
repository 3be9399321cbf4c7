//! Many of the same kind, told as one finding.

use crate::{Check, Finding, Selection, Status};

/// How many are listed.
pub(crate) const MOST: usize = 20;

/// One of those that a check looked at.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// What is compared with the limits.
    pub(crate) value: f64,
    /// What is said of it.
    pub(crate) text: String,
    /// What to do about it.
    pub(crate) remedy: String,
}

/// Those past their limit become one finding: the worst is told, all are in the details. `many` is what several are
/// called; `well` is said when there is none.
pub(crate) fn fold(
    check: &Check,
    target: &str,
    selection: &Selection,
    mut items: Vec<Item>,
    (many, well): (&str, &str),
) -> Finding {
    let limits = selection.limits(check);
    let is_floor = limits.is_some_and(|limits| limits.is_floor);
    items.sort_by(|a, b| if is_floor { a.value.total_cmp(&b.value) } else { b.value.total_cmp(&a.value) });
    let judge = |item: &Item| limits.map_or(Status::Warning, |limits| limits.judge(item.value));
    let bad: Vec<_> = items.iter().filter(|item| judge(item) != Status::Ok).collect();
    let mut finding = match bad.as_slice() {
        [] => Finding::new(check.id, target, Status::Ok, well),
        [worst, rest @ ..] => {
            let summary = match rest {
                [] => worst.text.clone(),
                _ => format!("{} {many}; the worst: {}", bad.len(), worst.text),
            };
            Finding::new(check.id, target, judge(worst), summary).remedy(&worst.remedy)
        }
    };
    finding.details = bad.iter().take(MOST).map(|item| item.text.clone()).collect();
    match limits {
        Some(limits) => finding.measured(items.first().map_or(0.0, |item| item.value), limits.unit.name()),
        #[expect(clippy::cast_precision_loss, reason = "nobody has so many")]
        None => finding.measured(bad.len() as f64, "found"),
    }
}
