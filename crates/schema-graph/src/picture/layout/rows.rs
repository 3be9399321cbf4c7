//! How far down everything is.

use std::collections::HashMap;

use super::lanes::Lanes;
use super::{Block, Grid};
use crate::picture::drawing::Drawing;

/// Between two tables of a column, when no line passes there.
pub(super) const GAP: i32 = 30;
/// Between a frame's bottom and its last tables.
const PADDING: i32 = 20;
/// Around the picture, and between frames.
pub(super) const MARGIN: i32 = 24;
/// Between two lines.
const LANE: i32 = 10;

/// Heights.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// The top of each table.
    pub(super) tops: Vec<i32>,
    /// Where the lines of each column pass: the middles of the gaps.
    pub(super) gaps: Vec<Vec<i32>>,
    /// Where a net passes a column.
    pub(super) lanes: HashMap<(usize, usize), i32>,
    /// The top and the bottom of each group's frame.
    pub(super) frames: Vec<(i32, i32)>,
    pub(super) height: i32,
    /// Between a frame's top and its first tables: room for the group's name.
    pub(super) label: i32,
}

/// Puts the tables of each column one below the other, with room between them for the lines that pass.
///
/// Tables stand on a grid of 20, in every other column one of 10 further down, and lanes avoid where their columns' rows
/// are, so that lines that come from both sides into the space between two columns never lie upon one another.
pub(super) fn place(drawing: &Drawing, grid: &Grid, sizes: &[(i32, i32)], lanes: &Lanes, label: i32) -> Rows {
    let columns = grid.columns.len();
    let mut rows = Rows {
        tops: vec![0; drawing.tables.len()],
        gaps: grid.columns.iter().map(|column| vec![0; column.len() + 1]).collect(),
        frames: vec![(0, 0); drawing.groups.len()],
        label,
        ..Rows::default()
    };
    let mut walk = Walk { ends: vec![MARGIN; columns], next: vec![0; columns] };
    for block in &grid.blocks {
        let top = walk.open(block, lanes, &mut rows);
        let mut bottom = top;
        for column in block.columns() {
            let mut y = top + label;
            let tables = grid.columns[column][walk.next[column]..].iter();
            let own = tables.take_while(|table| drawing.tables[**table].group == block.group);
            for (index, table) in own.enumerate() {
                if index > 0 {
                    y = walk.pass(column, y + GAP / 2, lanes, &mut rows) + GAP / 2;
                }
                y = on_grid(y, 20, i32::from(column % 2 == 1) * 10);
                rows.tops[*table] = y;
                y += sizes[*table].1;
                walk.next[column] += 1;
            }
            if walk.next[column] == grid.columns[column].len() {
                y = walk.pass(column, y + GAP / 2, lanes, &mut rows);
            }
            bottom = bottom.max(y + PADDING);
        }
        rows.frames[block.group] = (top, bottom);
        walk.ends[block.columns()].fill(bottom + MARGIN);
    }
    rows.height = walk.ends.into_iter().max().unwrap_or_default();
    rows
}

/// How far each column is.
struct Walk {
    ends: Vec<i32>,
    /// The next table of each column.
    next: Vec<usize>,
}

impl Walk {
    /// Passes the lines above a block, and gives the top of its frame.
    fn open(&self, block: &Block, lanes: &Lanes, rows: &mut Rows) -> i32 {
        let below = |column: usize, rows: &mut Rows| {
            let start = self.ends[column];
            let y = self.pass(column, start, lanes, rows);
            if y > start { y + MARGIN } else { start }
        };
        block.columns().map(|column| below(column, rows)).max().unwrap_or_default()
    }

    /// Gives the lanes of the next gap their heights, and says where they end.
    fn pass(&self, column: usize, start: i32, lanes: &Lanes, rows: &mut Rows) -> i32 {
        let gap = self.next[column];
        let mut y = start;
        for net in &lanes[column][gap] {
            let lane = on_grid(y, LANE, if column % 2 == 1 { 7 } else { 3 });
            rows.lanes.insert((*net, column), lane);
            y = lane + 1;
        }
        rows.gaps[column][gap] = (start + y) / 2;
        y
    }
}

/// The first height from `y` on that is `rest` above a multiple of `step`.
fn on_grid(y: i32, step: i32, rest: i32) -> i32 {
    y + (rest - y).rem_euclid(step)
}
