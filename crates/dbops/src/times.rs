//! Times as people read them: those of their own clock, with its offset. Documents for scripts have UTC instead.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `2026-11-23 04:11:43 +01`
pub(crate) fn local(time: Timestamp) -> String {
    time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %:::z").to_string()
}

/// The same of a time that is written for scripts; what is none stays as it is.
pub(crate) fn local_of_text(text: &str) -> String {
    text.parse().map_or_else(|_| text.to_owned(), local)
}
