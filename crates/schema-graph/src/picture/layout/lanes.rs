//! Nets: the lines that lead to the same place; and the lanes in which they pass between the tables of a column.

use std::collections::BTreeMap;

use super::rows::Rows;
use super::{Grid, height_in_table};
use crate::picture::drawing::{Drawing, End, LinkKind};

/// The lines to one place.
#[derive(Debug)]
pub(super) struct Net {
    pub(super) to: End,
    pub(super) links: Vec<usize>,
    /// Lines within one column go round on its left side instead of its right.
    pub(super) turns_left: bool,
}

/// For each column and each gap in it, the first being above its first table, the nets that pass there from the top.
pub(super) type Lanes = Vec<Vec<Vec<usize>>>;

pub(super) fn nets(drawing: &Drawing, grid: &Grid) -> Vec<Net> {
    let mut nets: BTreeMap<(End, LinkKind), Vec<usize>> = BTreeMap::new();
    for (index, link) in drawing.links.iter().enumerate() {
        nets.entry((link.to, link.kind)).or_default().push(index);
    }
    let net = |((to, _), links)| Net { to, links, turns_left: is_last_of_several(drawing, grid, to) };
    nets.into_iter().map(net).collect()
}

/// Whether there is a column of the same group before, and none after: there the line stays within the group's frame.
fn is_last_of_several(drawing: &Drawing, grid: &Grid, end: End) -> bool {
    let (group, column) = (drawing.tables[end.table].group, grid.column_of[end.table]);
    let block = grid.blocks.iter().find(|block| block.group == group);
    block.is_some_and(|block| block.count > 1 && column + 1 == block.first + block.count)
}

/// Lets each net pass every column in its way where it has the least way to go up or down.
pub(super) fn choose(drawing: &Drawing, grid: &Grid, nets: &[Net], rows: &Rows) -> Lanes {
    let mut wanted: Vec<Vec<Vec<(i32, usize)>>> =
        grid.columns.iter().map(|column| vec![Vec::new(); column.len() + 1]).collect();
    for (index, net) in nets.iter().enumerate() {
        let home = grid.column_of[net.to.table];
        let start = rows.tops[net.to.table] + height_in_table(net.to);
        for is_right in [true, false] {
            let mut pins: Vec<_> = net.links.iter().map(|link| drawing.links[*link].from).collect();
            pins.retain(
                |end| if is_right { grid.column_of[end.table] > home } else { grid.column_of[end.table] < home },
            );
            let mut pins: Vec<_> = pins
                .iter()
                .map(|end| (grid.column_of[end.table].abs_diff(home), rows.tops[end.table] + height_in_table(*end)))
                .collect();
            // The farthest last, so that what is still to be reached is a range of them.
            pins.sort_unstable();
            let mut y = start;
            for distance in 1..pins.last().map_or(0, |(distance, _)| *distance) {
                let beyond = pins.iter().filter(|(of, _)| *of > distance).map(|(_, y)| *y);
                let (least, most) = beyond.fold((i32::MAX, i32::MIN), |(least, most), y| (least.min(y), most.max(y)));
                let column = if is_right { home + distance } else { home - distance };
                let gap = nearest(&rows.gaps[column], y.clamp(least, most));
                y = rows.gaps[column][gap];
                wanted[column][gap].push((y.clamp(least, most), index));
            }
        }
    }
    let sorted = |mut nets: Vec<(i32, usize)>| {
        nets.sort_unstable();
        nets.into_iter().map(|(_, net)| net).collect()
    };
    wanted.into_iter().map(|column| column.into_iter().map(sorted).collect()).collect()
}

fn nearest(gaps: &[i32], y: i32) -> usize {
    let after = gaps.partition_point(|gap| *gap < y);
    let candidates = after.saturating_sub(1)..gaps.len().min(after + 1);
    candidates.min_by_key(|gap| gaps[*gap].abs_diff(y)).unwrap_or_default()
}
