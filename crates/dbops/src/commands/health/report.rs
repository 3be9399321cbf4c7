//! Findings for people: what is wrong first, with what to do about it.

use std::cmp::Reverse;

use dbops_health::{Finding, Status};

use crate::ui::{BAD, FAINT, GOOD, STRONG, WARN, fitted, paint, table};

/// With `details` all that was found, and the good checks one by one.
pub(super) fn report(findings: &[Finding], details: bool) -> String {
    let (good, mut bad): (Vec<_>, Vec<_>) = findings.iter().partition(|finding| finding.status == Status::Ok);
    bad.sort_by_key(|finding| Reverse(finding.status));
    let mut lines = Vec::new();
    for finding in &bad {
        let place = format!("{} {}", finding.target, finding.id);
        let line = format!("{} {}: {}", styled(finding.status), paint(STRONG, place), finding.summary);
        lines.push(fitted(&line, 9));
        if details && finding.details.len() > 1 {
            lines.extend(finding.details.iter().map(|detail| fitted(&format!("           {detail}"), 11)));
        }
        // Whole, to be copied.
        lines.extend(finding.remedy.as_ref().map(|remedy| format!("         {} {remedy}", paint(FAINT, "→"))));
    }
    if !bad.is_empty() {
        lines.push(String::new());
    }
    if details && !good.is_empty() {
        let rows = good.iter().map(|finding| {
            let summary = format!("{}{}", finding.summary, took(finding));
            vec![finding.target.clone(), finding.id.to_owned(), summary]
        });
        lines.extend([table(&["target", "ok", "found"], rows.collect()), String::new()]);
    } else if !good.is_empty() {
        lines.extend([table(&["target", "checks", "found"], folded(findings)), String::new()]);
    }
    let counts = match bad.len() {
        0 if findings.len() == 1 => "1 check".to_owned(),
        0 => format!("{} checks", findings.len()),
        bad => format!("{bad} of {} checks found something", findings.len()),
    };
    lines.push(format!("{}: {counts}", styled(Status::worst(findings)).trim_end()));
    lines.join("\n")
}

/// A row for each target: how many of its checks are ok, and what answers there.
fn folded(findings: &[Finding]) -> Vec<Vec<String>> {
    let mut targets: Vec<&str> = findings.iter().map(|finding| finding.target.as_str()).collect();
    targets.dedup();
    let row = |target: &str| {
        let of_target: Vec<_> = findings.iter().filter(|finding| finding.target == target).collect();
        let ok = of_target.iter().filter(|finding| finding.status == Status::Ok).count();
        let count = if ok == of_target.len() { format!("{ok} ok") } else { format!("{ok} of {} ok", of_target.len()) };
        let said = |id: &str| of_target.iter().find(|finding| finding.id == id && finding.status == Status::Ok);
        let said: Vec<_> = ["version", "reachable"]
            .iter()
            .filter_map(|id| said(id))
            .map(|finding| format!("{}{}", finding.summary, took(finding)))
            .collect();
        vec![target.to_owned(), count, said.join(", ")]
    };
    targets.into_iter().map(row).collect()
}

fn took(finding: &Finding) -> String {
    finding.value.filter(|_| finding.unit == Some("ms")).map(|value| format!(" in {value} ms")).unwrap_or_default()
}

fn styled(status: Status) -> String {
    let style = match status {
        Status::Ok => GOOD,
        Status::Warning | Status::Unknown => WARN,
        Status::Critical => BAD,
    };
    format!("{}{}", paint(style, status.name()), " ".repeat(8 - status.name().len()))
}
