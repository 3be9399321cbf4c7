//! What holds for every layout, whatever the schema.

use proptest::prelude::*;

use super::{Area, HEADER, ROW, height_in_table, lay_out};
use crate::picture::drawing::{Drawing, End, Link, LinkKind, Row, Table};

/// Tables of groups with so many columns each, and links between tables and rows, given as numbers that are taken
/// modulo what there is.
fn drawing(groups: usize, tables: &[(usize, usize)], links: &[(usize, usize, usize, bool)]) -> Drawing {
    // No group is empty.
    let groups = groups.min(tables.len());
    let row = |number| Row {
        name: format!("column_{number}"),
        data_type: "bigint".into(),
        not_null: true,
        is_primary: false,
        is_foreign: false,
        comment: None,
    };
    let table = |(number, (group, rows)): (usize, &(usize, usize))| Table {
        group: if number < groups { number } else { group % groups },
        name: format!("table_{number}"),
        note: None,
        is_view: false,
        comment: None,
        rows: (0..*rows).map(row).collect(),
    };
    let mut tables: Vec<_> = tables.iter().enumerate().map(table).collect();
    tables.sort_by_key(|table| table.group);
    let end = |number: usize, row: usize| {
        let table = number % tables.len();
        End { table, row: row.checked_rem(tables[table].rows.len()) }
    };
    let link = |(from, to, row, is_key): &(usize, usize, usize, bool)| Link {
        kind: if *is_key { LinkKind::ForeignKey } else { LinkKind::Reads },
        from: if *is_key { end(*from, *row) } else { End { row: None, ..end(*from, 0) } },
        to: if *is_key { end(*to, 0) } else { End { row: None, ..end(*to, 0) } },
        is_unique: false,
        is_optional: false,
        label: String::new(),
    };
    let links = links.iter().map(link).collect();
    Drawing { groups: (0..groups).map(|number| format!("group_{number}")).collect(), tables, links }
}

fn overlap(one: &Area, other: &Area) -> bool {
    one.x < other.right() && other.x < one.right() && one.y < other.y + other.height && other.y < one.y + one.height
}

fn contains(outer: &Area, inner: &Area) -> bool {
    outer.x < inner.x
        && outer.y < inner.y
        && inner.right() < outer.right()
        && inner.y + inner.height < outer.y + outer.height
}

/// The stretch between two corners, as a rectangle without a width.
fn stretch(pair: &[(i32, i32)]) -> Area {
    let ((ax, ay), (bx, by)) = (pair[0], pair[1]);
    Area { x: ax.min(bx), y: ay.min(by), width: (ax - bx).abs(), height: (ay - by).abs() }
}

fn check(drawing: &Drawing) {
    let layout = lay_out(drawing);
    for (index, area) in layout.tables.iter().enumerate() {
        let other = layout.tables[..index].iter().find(|other| overlap(area, other));
        assert_eq!(other, None, "{area:?}");
        let frame = layout.frames[drawing.tables[index].group];
        assert!(contains(&frame, area), "{area:?} in {frame:?}");
        let rows = i32::try_from(drawing.tables[index].rows.len()).expect("few");
        assert!(area.height >= HEADER + rows * ROW, "{area:?}");
    }
    for (group, frame) in layout.frames.iter().enumerate() {
        assert!(!layout.frames[..group].iter().any(|other| overlap(frame, other)), "{frame:?}");
        assert!(frame.x > 0 && frame.y > 0 && frame.right() < layout.width, "{frame:?} of {}", layout.width);
        assert!(frame.y + frame.height < layout.height, "{frame:?} of {}", layout.height);
    }
    for (link, line) in drawing.links.iter().zip(&layout.lines) {
        for (end, (x, y)) in [(link.from, line[0]), (link.to, line[line.len() - 1])] {
            let area = layout.tables[end.table];
            assert!(x == area.x || x == area.right(), "{link:?} {line:?} {area:?}");
            assert_eq!(y, area.y + height_in_table(end), "{link:?}");
        }
        for pair in line.windows(2) {
            let stretch = stretch(pair);
            assert!(stretch.width == 0 || stretch.height == 0, "{line:?}");
            let crossed = layout.tables.iter().find(|area| overlap(area, &stretch));
            assert_eq!(crossed, None, "{line:?}");
        }
    }
    check_that_lines_are_told_apart(drawing, &layout.lines);
}

/// Lines lie upon one another only where they lead to the same place, or leave the same row.
fn check_that_lines_are_told_apart(drawing: &Drawing, lines: &[Vec<(i32, i32)>]) {
    for (index, one) in lines.iter().enumerate() {
        for (other_index, other) in lines.iter().enumerate().take(index) {
            let (a, b) = (&drawing.links[index], &drawing.links[other_index]);
            let (ends_a, ends_b) = ([a.from, a.to], [b.from, b.to]);
            if (a.to, a.kind) == (b.to, b.kind) || ends_a.iter().any(|end| ends_b.contains(end)) {
                continue;
            }
            for (p, q) in one.windows(2).flat_map(|p| other.windows(2).map(move |q| (stretch(p), stretch(q)))) {
                let same_row = p.y == q.y && p.height + q.height == 0 && p.x < q.right() && q.x < p.right();
                let same_column = p.x == q.x && p.width + q.width == 0 && p.y < q.y + q.height && q.y < p.y + p.height;
                assert!(!same_row && !same_column, "{one:?} and {other:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_overlaps_and_lines_touch_their_tables(
        groups in 1..6_usize,
        tables in prop::collection::vec((0..6_usize, 0..14_usize), 1..50),
        links in prop::collection::vec((0..1000_usize, 0..1000_usize, 0..14_usize, prop::bool::weighted(0.9)), 0..90),
    ) {
        check(&drawing(groups, &tables, &links));
    }
}

#[test]
fn schemas_of_a_shape_of_their_own_are_laid_out_too() {
    let hub: Vec<_> = (0..80).map(|number| (number, 0, number, true)).collect();
    let chain: Vec<_> = (1..80).map(|number| (number, number - 1, 1, true)).collect();
    let circle: Vec<_> = (0..80).map(|number| (number, number + 1, 1, true)).collect();
    // A table of 900 columns among small ones; then a hub, a chain and a circle.
    check(&drawing(1, &[], &[]));
    check(&drawing(1, &[(0, 3)], &[(0, 0, 1, true)]));
    check(&drawing(2, &[(0, 900), (1, 2), (1, 2)], &[(1, 0, 1, true)]));
    check(&drawing(3, &[(0, 4); 80], &hub));
    check(&drawing(1, &[(0, 4); 80], &chain));
    check(&drawing(2, &[(1, 4); 80], &circle));
}
