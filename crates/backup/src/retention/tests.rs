use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::{Count, Keep, Reason, Within, reasons};

fn times(texts: &[&str]) -> Vec<Timestamp> {
    texts.iter().map(|text| format!("{text}:00Z").parse().expect(text)).collect()
}

fn keep(text: &str) -> Keep {
    let mut keep = Keep::default();
    for word in text.split_whitespace() {
        let (rule, value) = word.split_once('=').expect(word);
        let count = || value.parse().expect(word);
        match rule {
            "last" => keep.last = count(),
            "hourly" => keep.hourly = count(),
            "daily" => keep.daily = count(),
            "weekly" => keep.weekly = count(),
            "monthly" => keep.monthly = count(),
            "yearly" => keep.yearly = count(),
            "within" => keep.within = Some(value.parse().expect(word)),
            _ => panic!("{word}"),
        }
    }
    keep
}

/// What is kept of a row of sets, and why.
#[test]
fn keeps_what_restic_keeps() {
    let row = [
        "2026-11-23T12:40",
        "2026-11-23T12:20",
        "2026-11-23T02:00",
        "2026-11-22T02:00",
        "2026-11-21T02:00",
        "2026-11-09T02:00",
        "2026-10-31T02:00",
        "2025-12-31T02:00",
        "2025-12-30T02:00",
    ];
    let cases = [
        ("last=2", &["0 last", "1 last"][..]),
        ("hourly=2", &["0 hourly", "2 hourly"]),
        ("daily=3", &["0 daily", "3 daily", "4 daily"]),
        // 2026-11-22 is a Sunday: of the week before.
        ("weekly=2", &["0 weekly", "3 weekly"]),
        ("monthly=2", &["0 monthly", "6 monthly"]),
        ("yearly=2", &["0 yearly", "7 yearly"]),
        // The rule has one left, which goes to the oldest.
        ("yearly=3", &["0 yearly", "7 yearly", "8 oldest yearly"]),
        ("monthly=unlimited", &["0 monthly", "6 monthly", "7 monthly", "8 oldest monthly"]),
        ("within=1d", &["0 within 1d", "1 within 1d", "2 within 1d"]),
        ("within=1d12h", &["0 within 1d12h", "1 within 1d12h", "2 within 1d12h", "3 within 1d12h"]),
        (
            "within=1m",
            &["0 within 1m", "1 within 1m", "2 within 1m", "3 within 1m", "4 within 1m", "5 within 1m", "6 within 1m"],
        ),
        ("last=1 daily=2", &["0 last, daily", "3 daily"]),
        ("daily=0", &[]),
    ];
    for (rules, expected) in cases {
        let found = reasons(&times(&row), &keep(rules), &TimeZone::UTC);
        let kept: Vec<_> = found.iter().enumerate().filter(|(_, reasons)| !reasons.is_empty()).collect();
        let said: Vec<_> = kept
            .iter()
            .map(|(number, reasons)| {
                let reasons: Vec<_> = reasons.iter().map(ToString::to_string).collect();
                format!("{number} {}", reasons.join(", "))
            })
            .collect();
        assert_eq!(said, expected, "{rules}");
    }
}

/// A day is what the calendar of the place says.
#[test]
fn days_are_those_of_the_time_zone() {
    let row = times(&["2026-11-23T00:30", "2026-11-22T23:30"]);
    let kept = |zone| reasons(&row, &keep("daily=1"), &zone).iter().filter(|reasons| !reasons.is_empty()).count();
    let berlin = TimeZone::fixed(jiff::tz::offset(1));
    assert_eq!(reasons(&row, &keep("daily=2"), &berlin)[1], [Reason::Oldest(super::Rule::Daily)]);
    assert_eq!(reasons(&row, &keep("daily=2"), &TimeZone::UTC)[1], [Reason::Rule(super::Rule::Daily)]);
    assert_eq!(kept(TimeZone::UTC), 1);
}

#[test]
fn lengths_of_time_are_read_and_written() {
    for text in ["2y5m7d3h", "14d", "1h", "1y3h"] {
        assert_eq!(text.parse::<Within>().map(|within| within.to_string()), Ok(text.to_owned()));
    }
    for text in ["", "0d", "d", "7", "7w", "3h7d", "7d7d", "-7d", "1.5d", "99999y", "7 d", "7d\u{e9}"] {
        assert!(text.parse::<Within>().is_err(), "{text}");
    }
    let newest = date(2026, 3, 31).at(12, 0, 0, 0).to_zoned(TimeZone::UTC).expect("a time");
    let before = |text: &str| text.parse::<Within>().expect(text).before(&newest).to_string();
    assert_eq!(before("1m"), "2026-02-28T12:00:00Z");
    assert_eq!(before("1y1m1d1h"), "2025-02-27T11:00:00Z");
    assert_eq!(before("9999y"), "-007973-03-31T12:00:00Z");
    for (text, count) in [("3", Ok(Count::Number(3))), ("unlimited", Ok(Count::Unlimited))] {
        assert_eq!(text.parse(), count);
    }
    assert!("-1".parse::<Count>().is_err() && "many".parse::<Count>().is_err());
}

fn row() -> impl Strategy<Value = Vec<Timestamp>> {
    // Hours over four years, close to one another and far.
    proptest::collection::vec(prop_oneof![0i64..200, 0i64..35_000], 0..40).prop_map(|hours| {
        let mut times: Vec<_> = hours
            .into_iter()
            .map(|hour| Timestamp::from_second(1_700_000_000 + hour * 3600).expect("a time"))
            .collect();
        times.sort();
        times.dedup();
        times.reverse();
        times
    })
}

fn count() -> impl Strategy<Value = Count> {
    prop_oneof![8 => (0u32..6).prop_map(Count::Number), 1 => Just(Count::Unlimited)]
}

fn policy() -> impl Strategy<Value = Keep> {
    let within = proptest::option::of((0u32..2, 0u32..3, 0u32..9, 1u32..9).prop_map(|(years, months, days, hours)| {
        format!("{years}y{months}m{days}d{hours}h").parse().expect("a length of time")
    }));
    (count(), count(), count(), count(), count(), count(), within).prop_map(
        |(last, hourly, daily, weekly, monthly, yearly, within)| Keep {
            last,
            hourly,
            daily,
            weekly,
            monthly,
            yearly,
            within,
        },
    )
}

fn kept(row: &[Timestamp], keep: &Keep) -> Vec<Timestamp> {
    let found = reasons(row, keep, &TimeZone::UTC);
    row.iter().zip(found).filter(|(_, reasons)| !reasons.is_empty()).map(|(time, _)| *time).collect()
}

fn more(count: Count) -> Count {
    match count {
        Count::Number(number) => Count::Number(number + 1),
        Count::Unlimited => Count::Unlimited,
    }
}

proptest! {
    #[test]
    fn what_is_kept_is_kept_again(row in row(), keep in policy()) {
        let once = kept(&row, &keep);
        prop_assert_eq!(kept(&once, &keep), once);
    }

    #[test]
    fn the_newest_is_never_removed(row in row(), keep in policy()) {
        if !keep.is_nothing() {
            prop_assert_eq!(kept(&row, &keep).first().copied(), row.first().copied());
        }
    }

    #[test]
    fn more_to_keep_removes_nothing_more(row in row(), keep in policy(), rule in 0usize..6) {
        let mut larger = keep;
        let count = [
            &mut larger.last,
            &mut larger.hourly,
            &mut larger.daily,
            &mut larger.weekly,
            &mut larger.monthly,
            &mut larger.yearly,
        ];
        let count = count.into_iter().nth(rule).expect("a rule");
        *count = more(*count);
        let (fewer, all) = (kept(&row, &keep), kept(&row, &larger));
        prop_assert!(fewer.iter().all(|time| all.contains(time)), "{:?} of {:?}", fewer, all);
    }

    #[test]
    fn a_number_keeps_as_many_at_least_if_there_are(row in row(), number in 1u32..9) {
        let keep = Keep { last: Count::Number(number), ..Keep::default() };
        prop_assert_eq!(kept(&row, &keep).len(), row.len().min(number as usize));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[0-9ymdh]{0,8}|.{0,8}") {
        if let Ok(within) = text.parse::<Within>() {
            prop_assert_eq!(within.to_string().parse(), Ok(within));
        }
    }
}
