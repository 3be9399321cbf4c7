//! Where everything is in a picture: tables in columns, referenced ones left of those that refer to them, and lines
//! that run between the columns and between the tables of a column, so that none crosses a table.
//!
//! 1. [`columns`] deals each group's tables out to columns, [`shelves`] puts the groups beside and below one another.
//! 2. [`lanes`] decides between which tables a line passes each column that is in its way.
//! 3. [`rows`] gives everything its height, [`tracks`] every line its place between two columns, and the columns theirs.
//!
//! Lines to the same column of the same table are one line as soon as they meet. All of it takes about linear time.

mod columns;
mod lanes;
mod rows;
mod shelves;
mod tracks;

#[cfg(test)]
mod tests;

use super::drawing::{Drawing, End};
use super::text::width;

/// The height of a table's name.
pub(in crate::picture) const HEADER: i32 = 30;
/// The height of a column.
pub(in crate::picture) const ROW: i32 = 20;
/// What is left free below the columns of a table.
const FOOT: i32 = 6;
/// The room before a column's name, for the marks of keys.
pub(in crate::picture) const KEYS: i32 = 44;
/// The room behind a column's type, for the dot.
pub(in crate::picture) const DOTS: i32 = 24;
/// How much wider than high a picture is to be.
const ASPECT: f64 = 1.5;
/// Corners of lines are that round.
pub(in crate::picture) const RADIUS: i32 = 6;
/// Names and types that are wider are cut.
pub(in crate::picture) const WIDEST_NAME: usize = 34;
pub(in crate::picture) const WIDEST_TYPE: usize = 24;

/// A rectangle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::picture) struct Area {
    pub(in crate::picture) x: i32,
    pub(in crate::picture) y: i32,
    pub(in crate::picture) width: i32,
    pub(in crate::picture) height: i32,
}

impl Area {
    pub(in crate::picture) fn right(&self) -> i32 {
        self.x + self.width
    }
}

/// A picture's places, in the order of the drawing.
#[derive(Debug)]
pub(in crate::picture) struct Layout {
    pub(in crate::picture) width: i32,
    pub(in crate::picture) height: i32,
    /// How much of a frame is for the name of its group.
    pub(in crate::picture) label: i32,
    /// The frames of the groups.
    pub(in crate::picture) frames: Vec<Area>,
    pub(in crate::picture) tables: Vec<Area>,
    /// The corners of each link's line, from where it starts to where it leads.
    pub(in crate::picture) lines: Vec<Vec<(i32, i32)>>,
    /// The same as far as where it meets one that leads to the same place and comes before it.
    pub(in crate::picture) branches: Vec<Vec<(i32, i32)>>,
}

/// Tables in columns, and which columns are whose.
#[derive(Debug, Default)]
struct Grid {
    /// The tables of each column from the top.
    columns: Vec<Vec<usize>>,
    /// Each table's column.
    column_of: Vec<usize>,
    /// Each group's columns, those above before those below.
    blocks: Vec<Block>,
}

/// A group's columns.
#[derive(Debug, Clone, Copy)]
struct Block {
    group: usize,
    first: usize,
    count: usize,
}

impl Block {
    fn columns(&self) -> std::ops::Range<usize> {
        self.first..self.first + self.count
    }
}

/// Lays out; a few times, for only then it is known how much room the lines take.
pub(in crate::picture) fn lay_out(drawing: &Drawing) -> Layout {
    let sizes: Vec<_> = drawing.tables.iter().map(size).collect();
    let mut height = columns::height(&sizes, ASPECT);
    let mut best = lay_out_at(drawing, &sizes, height);
    for _ in 0..3 {
        let factor = best.aspect() / ASPECT;
        if (0.9..1.1).contains(&factor) {
            break;
        }
        height *= factor.sqrt();
        let next = lay_out_at(drawing, &sizes, height);
        if (next.aspect() / ASPECT).ln().abs() >= factor.ln().abs() {
            break;
        }
        best = next;
    }
    best
}

fn lay_out_at(drawing: &Drawing, sizes: &[(i32, i32)], height: f64) -> Layout {
    let mut grid = shelves::arrange(drawing, columns::deal(drawing, sizes, height), sizes);
    columns::sort(drawing, &mut grid, sizes);
    let nets = lanes::nets(drawing, &grid);
    let empty: lanes::Lanes = grid.columns.iter().map(|column| vec![Vec::new(); column.len() + 1]).collect();
    // A big picture is looked at from afar.
    let label = ((height / 40.0) as i32).clamp(44, 200);
    let roughly = rows::place(drawing, &grid, sizes, &empty, label);
    let lanes = lanes::choose(drawing, &grid, &nets, &roughly);
    let rows = rows::place(drawing, &grid, sizes, &lanes, label);
    tracks::finish(drawing, &grid, &nets, &rows, sizes)
}

impl Layout {
    fn aspect(&self) -> f64 {
        f64::from(self.width.max(1)) / f64::from(self.height.max(1))
    }
}

/// A table's width and height.
fn size(table: &super::drawing::Table) -> (i32, i32) {
    let note = table.note.as_ref().map_or(0, |note| width(note) + 2);
    // The name is of 13 pixels and bold.
    let header = (width(&table.name).min(WIDEST_NAME) + note) * 9 / 8;
    let rows = table.rows.iter().map(|row| (width(&row.name).min(WIDEST_NAME), width(&row.data_type).min(WIDEST_TYPE)));
    let (names, types) = rows.fold((0, 0), |(names, types), (name, of)| (names.max(name), types.max(of)));
    let columns = KEYS + text_width(names + 2 + types) + DOTS;
    let height = HEADER + i32::try_from(table.rows.len()).unwrap_or_default() * ROW + FOOT;
    (columns.max(text_width(header) + 28), height)
}

/// In a monospaced font of 12 pixels.
fn text_width(characters: usize) -> i32 {
    i32::try_from((characters * 29).div_ceil(4)).unwrap_or_default()
}

/// The height at which a line ends, below the top of its table.
fn height_in_table(end: End) -> i32 {
    let row = |row: usize| HEADER + i32::try_from(row).unwrap_or_default() * ROW + ROW / 2;
    end.row.map_or(HEADER / 2 - 1, row)
}
