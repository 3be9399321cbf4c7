//! The findings, problems first.

use dbops_schema_graph::escape;
use std::cmp::Reverse;

use dbops_health::{Finding, Status};

use crate::ui::count;

pub(super) fn findings(findings: &[Finding]) -> String {
    let (good, mut bad): (Vec<_>, Vec<_>) = findings.iter().partition(|finding| finding.status == Status::Ok);
    bad.sort_by_key(|finding| Reverse(finding.status));
    let mut out = String::new();
    if bad.is_empty() {
        out.push_str("<p>Nothing was found.</p>\n");
    } else {
        let items = bad.iter().map(|finding| problem(finding)).collect::<String>();
        out.push_str(&format!("<ul class=\"findings\">{items}</ul>\n"));
    }
    if !good.is_empty() {
        let row = |finding: &&Finding| {
            let (target, summary) = (escape(&finding.target), escape(&finding.summary));
            format!("<tr><td>{target}</td><th scope=\"row\">{}</th><td>{summary}</td></tr>\n", finding.id)
        };
        out.push_str(&format!(
            "<details id=\"good\"><summary>{} found nothing</summary><div class=\"scroll\" tabindex=\"0\" role=\"region\" \
             aria-label=\"Checks that found nothing\"><table><thead><tr><th scope=\"col\">Target</th>\
             <th scope=\"col\">Check</th><th scope=\"col\">Found</th></tr></thead><tbody>{}</tbody></table></div></details>",
            count(good.len(), "check"),
            good.iter().map(row).collect::<String>()
        ));
    }
    out
}

fn problem(finding: &Finding) -> String {
    let word = finding.status.name();
    let remedy = finding.remedy.as_ref().map(|remedy| format!("<p class=\"remedy\">→ {}</p>", escape(remedy)));
    let details = match finding.details.as_slice() {
        [] | [_] => String::new(),
        details => {
            let items = details.iter().map(|detail| format!("<li>{}</li>", escape(detail))).collect::<String>();
            let id = escape(&format!("{} {}", finding.target, finding.id)).replace(' ', "-");
            format!("<details id=\"f-{id}\"><summary>all {}</summary><ul>{items}</ul></details>", details.len())
        }
    };
    format!(
        "<li><span class=\"badge {word}\">{word}</span> <b>{} {}</b> {}{}{details}</li>\n",
        escape(&finding.target),
        finding.id,
        escape(&finding.summary),
        remedy.unwrap_or_default()
    )
}
