//! Which sets of a row are worth keeping: restic's rules, on times alone.

use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};

/// How many sets a rule keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// So many; 0 switches the rule off.
    Number(u32),
    /// All of them.
    Unlimited,
}

impl Default for Count {
    fn default() -> Self {
        Self::Number(0)
    }
}

impl FromStr for Count {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "unlimited" => Ok(Self::Unlimited),
            _ => text.parse().map(Self::Number).map_err(|_| "write a number, or `unlimited`".into()),
        }
    }
}

/// A length of time as restic writes it: years, months, days and hours, `2y5m7d3h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Within {
    units: [u32; 4],
}

const UNITS: [char; 4] = ['y', 'm', 'd', 'h'];
/// More of any unit than there is time for.
const MOST: u32 = 9999;

impl FromStr for Within {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write years, months, days and hours in this order, such as 2y5m7d3h or 14d".to_owned();
        let (mut units, mut next) = ([0; 4], 0);
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
            let number = rest[..end].parse().ok().filter(|number| *number <= MOST).ok_or_else(wrong)?;
            let letter = rest[end..].chars().next().ok_or_else(wrong)?;
            let unit = UNITS[next..].iter().position(|unit| *unit == letter).ok_or_else(wrong)? + next;
            units[unit] = number;
            next = unit + 1;
            rest = &rest[end + letter.len_utf8()..];
        }
        if units == [0; 4] { Err(wrong()) } else { Ok(Self { units }) }
    }
}

impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = self.units.iter().zip(UNITS).filter(|(number, _)| **number > 0);
        parts.try_for_each(|(number, unit)| write!(f, "{number}{unit}"))
    }
}

impl Within {
    /// The moment that lies so long before another one, by the calendar.
    #[must_use]
    pub fn before(&self, time: &Zoned) -> Timestamp {
        let [years, months, days, hours] = self.units.map(i64::from);
        let span = Span::new().try_years(years).and_then(|span| span.try_months(months));
        let span = span.and_then(|span| span.try_days(days)).and_then(|span| span.try_hours(hours));
        // What lies before the calendar begins is before everything.
        span.and_then(|span| time.checked_sub(span)).map_or(Timestamp::MIN, |time| time.timestamp())
    }
}

/// What is to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keep {
    /// The newest ones.
    pub last: Count,
    /// The newest of each of the last hours that have one.
    pub hourly: Count,
    /// The same with days.
    pub daily: Count,
    /// The same with weeks, which begin on Monday.
    pub weekly: Count,
    /// The same with months.
    pub monthly: Count,
    /// The same with years.
    pub yearly: Count,
    /// All that are not older than this before the newest one.
    pub within: Option<Within>,
}

/// A rule that keeps the newest set of each of a number of periods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Each set is one of its own.
    Last,
    /// Hours.
    Hourly,
    /// Days.
    Daily,
    /// Weeks.
    Weekly,
    /// Months.
    Monthly,
    /// Years.
    Yearly,
}

/// Why a set is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It is the newest of its period.
    Rule(Rule),
    /// It is the oldest of all, and the rule has some left to keep.
    Oldest(Rule),
    /// It is not older than that.
    Within(Within),
    /// It is the last one that was verified.
    Verified,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Last => "last",
            Self::Hourly => "hourly",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Yearly => "yearly",
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(rule) => rule.fmt(f),
            Self::Oldest(rule) => write!(f, "oldest {rule}"),
            Self::Within(within) => write!(f, "within {within}"),
            Self::Verified => f.write_str("last verified"),
        }
    }
}

impl Keep {
    /// Whether no rule keeps anything.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.within.is_none() && self.rules().iter().all(|(_, count)| *count == Count::Number(0))
    }

    fn rules(&self) -> [(Rule, Count); 6] {
        [
            (Rule::Last, self.last),
            (Rule::Hourly, self.hourly),
            (Rule::Daily, self.daily),
            (Rule::Weekly, self.weekly),
            (Rule::Monthly, self.monthly),
            (Rule::Yearly, self.yearly),
        ]
    }
}

/// The period of a rule in which a set was made.
fn period(rule: Rule, number: usize, time: &Zoned) -> [i64; 4] {
    let (year, month, day) = (i64::from(time.year()), i64::from(time.month()), i64::from(time.day()));
    let week = time.date().iso_week_date();
    match rule {
        Rule::Last => [i64::try_from(number).unwrap_or(i64::MAX), 0, 0, 0],
        Rule::Hourly => [year, month, day, i64::from(time.hour())],
        Rule::Daily => [year, month, day, 0],
        Rule::Weekly => [i64::from(week.year()), i64::from(week.week()), 0, 0],
        Rule::Monthly => [year, month, 0, 0],
        Rule::Yearly => [year, 0, 0, 0],
    }
}

/// Why each of a row of sets, the newest first, is kept; nothing for those that are not.
#[must_use]
pub(crate) fn reasons(row: &[Timestamp], keep: &Keep, zone: &TimeZone) -> Vec<Vec<Reason>> {
    let times: Vec<_> = row.iter().map(|time| time.to_zoned(zone.clone())).collect();
    let mut reasons = vec![Vec::new(); times.len()];
    if let (Some(within), Some(newest)) = (keep.within, times.first()) {
        let oldest = within.before(newest);
        let young = times.iter().zip(&mut reasons).filter(|(time, _)| time.timestamp() > oldest);
        young.for_each(|(_, reasons)| reasons.push(Reason::Within(within)));
    }
    for (rule, count) in keep.rules() {
        let mut left = count;
        let mut last = None;
        for (number, time) in times.iter().enumerate() {
            if left == Count::Number(0) {
                break;
            }
            let period = Some(period(rule, number, time));
            if period != last {
                reasons[number].push(Reason::Rule(rule));
            } else if number + 1 == times.len() {
                // The way back is as long as the rule can make it.
                reasons[number].push(Reason::Oldest(rule));
            } else {
                continue;
            }
            last = period;
            if let Count::Number(number) = &mut left {
                *number -= 1;
            }
        }
    }
    reasons
}

#[cfg(test)]
mod tests;
