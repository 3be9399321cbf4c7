//! What a check has to say.

/// How things are; of several the last one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// As it should be.
    Ok,
    /// It works, and somebody should see to it.
    Warning,
    /// The check could not be carried out.
    Unknown,
    /// It does not work.
    Critical,
}

impl Status {
    /// The word in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Unknown => "unknown",
            Self::Critical => "critical",
        }
    }

    /// The number in metrics, and the exit code of a Nagios plugin: 0 ok, 1 warning, 2 critical, 3 unknown.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }

    /// The status of all findings together; that of none is ok.
    #[must_use]
    pub fn worst<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        findings.into_iter().map(|finding| finding.status).max().unwrap_or(Self::Ok)
    }
}

/// The result of one check of one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The check.
    pub id: &'static str,
    /// The target's name.
    pub target: String,
    /// How it is.
    pub status: Status,
    /// What was seen, in a sentence.
    pub summary: String,
    /// What to do about it.
    pub remedy: Option<String>,
    /// What was measured.
    pub value: Option<f64>,
    /// Of what `value` is a number: `ms`, `revisions`.
    pub unit: Option<&'static str>,
    /// Where several things were found: what is said of each, the worst first, at most 20.
    pub details: Vec<String>,
    /// How long the check took, in seconds.
    pub seconds: f64,
}

impl Finding {
    pub(crate) fn new(id: &'static str, target: &str, status: Status, summary: impl Into<String>) -> Self {
        let (target, summary) = (target.to_owned(), summary.into());
        Self { id, target, status, summary, remedy: None, value: None, unit: None, details: Vec::new(), seconds: 0.0 }
    }

    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    pub(crate) fn measured(mut self, value: f64, unit: &'static str) -> Self {
        (self.value, self.unit) = (Some(value), Some(unit));
        self
    }
}
