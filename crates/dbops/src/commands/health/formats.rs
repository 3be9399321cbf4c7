//! Findings for other programs: Prometheus and Nagios.

use std::fmt::Write as _;

use dbops_health::{Finding, Status};

/// The text format of Prometheus.
/// <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>
pub(crate) fn prometheus(findings: &[Finding]) -> String {
    let mut text = String::new();
    let mut metric = |name: &str, help: &str, sample: &dyn Fn(&Finding) -> Option<(String, f64)>| {
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n");
        for finding in findings {
            let Some((label, value)) = sample(finding) else { continue };
            let (target, check) = (escaped(&finding.target), escaped(finding.id));
            let _ = writeln!(text, "{name}{{target=\"{target}\",check=\"{check}\"{label}}} {value}");
        }
    };
    metric("dbops_health_status", "0 ok, 1 warning, 2 critical, 3 unknown", &|finding| {
        Some((String::new(), f64::from(finding.status.code())))
    });
    metric("dbops_health_value", "What the check measured, in the unit that it names", &|finding| {
        Some((format!(",unit=\"{}\"", escaped(finding.unit?)), finding.value?))
    });
    metric("dbops_health_duration_seconds", "How long the check took", &|finding| {
        Some((String::new(), finding.seconds))
    });
    text
}

/// A text as the value of a label.
pub(crate) fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// A line as plugins of Nagios print it, with what was measured.
/// <https://nagios-plugins.org/doc/guidelines.html#PLUGOUTPUT>
pub(super) fn nagios(findings: &[Finding]) -> String {
    let word = Status::worst(findings).name().to_uppercase();
    let bad: Vec<_> = findings.iter().filter(|finding| finding.status != Status::Ok).collect();
    let said = match bad.iter().max_by_key(|finding| finding.status) {
        None => format!("{} checks", findings.len()),
        Some(worst) => {
            let text = format!("{} {}: {}", worst.target, worst.id, worst.summary);
            if bad.len() == 1 { text } else { format!("{} checks found something; {text}", bad.len()) }
        }
    };
    let measured = findings.iter().filter_map(|finding| {
        let unit = match finding.unit? {
            "percent" => "%",
            "bytes" => "B",
            unit @ ("s" | "ms") => unit,
            _ => "",
        };
        Some(format!("'{}_{}'={}{unit}", finding.target, finding.id, finding.value?))
    });
    let measured: Vec<_> = measured.collect();
    // A bar begins the measured values, and a line break other lines.
    let said = said.replace(['|', '\n'], " ");
    let said = format!("DBOPS {word} - {said}");
    if measured.is_empty() { said } else { format!("{said} | {}", measured.join(" ")) }
}
