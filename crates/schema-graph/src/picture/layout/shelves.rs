//! Groups beside and below one another.

use super::rows::GAP;
use super::{Block, Grid};
use crate::picture::drawing::Drawing;

/// Puts the columns of all groups into one grid: each group, the big ones first, goes where it ends highest up. New
/// columns are opened for one that would make the picture higher.
pub(super) fn arrange(drawing: &Drawing, groups: Vec<Vec<Vec<usize>>>, sizes: &[(i32, i32)]) -> Grid {
    let height = |columns: &[Vec<usize>]| {
        let column = |tables: &Vec<usize>| tables.iter().map(|table| sizes[*table].1 + GAP).sum::<i32>();
        columns.iter().map(column).max().unwrap_or_default() + 2 * GAP
    };
    let mut order: Vec<_> =
        groups.into_iter().enumerate().map(|(group, columns)| (group, height(&columns), columns)).collect();
    order.sort_by_key(|(group, height, columns)| (std::cmp::Reverse((columns.len(), *height)), *group));
    let most = order.iter().map(|(_, height, _)| *height).max().unwrap_or_default();
    let mut grid = Grid { column_of: vec![0; drawing.tables.len()], ..Grid::default() };
    let mut used: Vec<i32> = Vec::new();
    for (group, height, columns) in order {
        let count = columns.len();
        let top = |first: usize| used[first..first + count].iter().copied().max().unwrap_or_default();
        let places = (0..(used.len() + 1).saturating_sub(count)).map(|first| (top(first), first));
        let place = places.min().filter(|(top, _)| top + height <= most + most / 20);
        let (top, first) = place.unwrap_or((0, used.len()));
        used.resize(used.len().max(first + count), 0);
        grid.columns.resize(used.len(), Vec::new());
        used[first..first + count].fill(top + height);
        for (index, tables) in (first..).zip(columns) {
            tables.iter().for_each(|table| grid.column_of[*table] = index);
            grid.columns[index].extend(tables);
        }
        grid.blocks.push(Block { group, first, count });
    }
    grid
}
