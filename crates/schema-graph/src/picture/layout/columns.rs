//! Which tables stand together in a column, and in which order.

use std::collections::VecDeque;

use super::Grid;
use super::rows::GAP;
use crate::picture::drawing::Drawing;

/// What stands between two columns, roughly.
const BETWEEN: i32 = 90;

/// How high the columns are to be, for the picture to be so much wider than high; roughly, for how wide the lines make
/// it is not known yet.
pub(super) fn height(sizes: &[(i32, i32)], aspect: f64) -> f64 {
    let area: f64 = sizes.iter().map(|(width, height)| f64::from(width + BETWEEN) * f64::from(height + GAP)).sum();
    (area / aspect).sqrt()
}

/// The columns of each group, all of about that height.
pub(super) fn deal(drawing: &Drawing, sizes: &[(i32, i32)], height: f64) -> Vec<Vec<Vec<usize>>> {
    let tallest = sizes.iter().map(|(_, height)| height + GAP).max().unwrap_or_default();
    let height = tallest.max(height.round() as i32);
    let mut groups = vec![Vec::new(); drawing.groups.len()];
    for (table, rank) in in_order(drawing) {
        groups[drawing.tables[table].group].push((table, rank));
    }
    groups.into_iter().map(|tables| balance(&tables, sizes, height)).collect()
}

/// As many columns as it takes at that height, none much higher than the others.
fn balance(tables: &[(usize, usize)], sizes: &[(i32, i32)], height: i32) -> Vec<Vec<usize>> {
    let total: i32 = tables.iter().map(|(table, _)| sizes[*table].1 + GAP).sum();
    let count = usize::try_from(total / height + 1).unwrap_or(1);
    let least = f64::from(total) / count as f64;
    let heights = (0..10).map(|step| (least * (1.0 + 0.05 * f64::from(step))) as i32);
    let mut tries = heights.map(|height| fill(tables, sizes, height));
    tries.find(|columns| columns.len() <= count).unwrap_or_else(|| fill(tables, sizes, height))
}

/// Fills columns up to a height; a rank begins a column of its own when the one before is mostly full.
fn fill(tables: &[(usize, usize)], sizes: &[(i32, i32)], height: i32) -> Vec<Vec<usize>> {
    let mut columns: Vec<Vec<usize>> = Vec::new();
    let (mut used, mut last_rank) = (0, 0);
    for (table, rank) in tables {
        let needed = sizes[*table].1 + GAP;
        let is_full = used + needed > height + GAP || (*rank != last_rank && used > height * 7 / 10);
        if columns.is_empty() || is_full {
            columns.push(Vec::new());
            used = 0;
        }
        used += needed;
        last_rank = *rank;
        columns.last_mut().into_iter().for_each(|column| column.push(*table));
    }
    columns
}

/// Every table with its rank among those of its group: what is referred to comes first, what stands alone last, and
/// tables that refer to the same come together.
fn in_order(drawing: &Drawing) -> Vec<(usize, usize)> {
    let count = drawing.tables.len();
    let (mut targets, mut sources) = (vec![Vec::new(); count], vec![Vec::new(); count]);
    for link in &drawing.links {
        let (from, to) = (link.from.table, link.to.table);
        if from != to && drawing.tables[from].group == drawing.tables[to].group && !targets[from].contains(&to) {
            targets[from].push(to);
            sources[to].push(from);
        }
    }
    let ranks = ranks(&targets, &sources);
    let mut tables: Vec<_> = (0..count).collect();
    tables.sort_by_key(|table| ranks[*table]);
    // Rank by rank, each table near what it refers to, above all to what few others do.
    let mut position = vec![0.0; count];
    let mut ordered = Vec::with_capacity(count);
    for rank in tables.chunk_by(|one, other| ranks[*one] == ranks[*other]) {
        let pull = |table: usize| {
            let weighted = targets[table].iter().map(|to| (position[*to], 1.0 / sources[*to].len() as f64));
            let (sum, weight) = weighted.fold((0.0, 0.0), |(sum, all), (at, weight)| (sum + at * weight, all + weight));
            if weight > 0.0 { sum / weight } else { 0.0 }
        };
        let mut rank: Vec<_> = rank.iter().map(|table| (*table, pull(*table))).collect();
        rank.sort_by(|(_, one), (_, other)| one.total_cmp(other));
        for (table, _) in rank {
            position[table] = ordered.len() as f64;
            ordered.push((table, ranks[table]));
        }
    }
    ordered
}

/// One more than the highest rank that a table refers to; where tables refer to one another in a circle, it is broken
/// at the one that most others refer to.
fn ranks(targets: &[Vec<usize>], sources: &[Vec<usize>]) -> Vec<usize> {
    let count = targets.len();
    let mut waits_for: Vec<_> = targets.iter().map(Vec::len).collect();
    let mut ranks: Vec<Option<usize>> = vec![None; count];
    let mut ready: VecDeque<_> = (0..count).filter(|table| targets[*table].is_empty()).collect();
    let mut by_fame: Vec<_> = (0..count).collect();
    by_fame.sort_by_key(|table| std::cmp::Reverse(sources[*table].len()));
    let mut by_fame = by_fame.into_iter();
    while let Some(table) = ready.pop_front().or_else(|| by_fame.find(|table| ranks[*table].is_none())) {
        if ranks[table].is_some() {
            continue;
        }
        ranks[table] = Some(targets[table].iter().filter_map(|to| ranks[*to]).max().map_or(0, |rank| rank + 1));
        for source in &sources[table] {
            waits_for[*source] -= 1;
            if waits_for[*source] == 0 {
                ready.push_back(*source);
            }
        }
    }
    let ranks: Vec<_> = ranks.into_iter().map(Option::unwrap_or_default).collect();
    // What refers to nothing moves up to the first that refers to it.
    let moved = |table: usize| match sources[table].iter().map(|source| ranks[*source]).min() {
        None if targets[table].is_empty() => usize::MAX,
        Some(first) if targets[table].is_empty() => first.saturating_sub(1),
        _ => ranks[table],
    };
    (0..count).map(moved).collect()
}

/// Sorts the tables of each column by where the lines lead, a few times over; the order with the shortest lines stays.
pub(super) fn sort(drawing: &Drawing, grid: &mut Grid, sizes: &[(i32, i32)]) {
    let mut neighbours = vec![Vec::new(); drawing.tables.len()];
    for link in &drawing.links {
        neighbours[link.from.table].push(link.to.table);
        neighbours[link.to.table].push(link.from.table);
    }
    let mut best = (i64::MAX, grid.columns.clone());
    for _ in 0..12 {
        let mut heights = middles(grid, sizes);
        let length: i64 =
            drawing.links.iter().map(|it| heights[it.from.table].abs_diff(heights[it.to.table])).map(i64::from).sum();
        if length < best.0 {
            best = (length, grid.columns.clone());
        }
        for column in &mut grid.columns {
            for block in column.chunk_by_mut(|one, other| drawing.tables[*one].group == drawing.tables[*other].group) {
                block.sort_by_cached_key(|table| pull(&neighbours, &heights, *table));
                restack(block, sizes, &mut heights);
            }
        }
    }
    grid.columns = best.1;
}

/// Where a table's neighbours would have it; those with many neighbours have less of a say.
fn pull(neighbours: &[Vec<usize>], heights: &[i32], table: usize) -> i64 {
    let (mut sum, mut all) = (0.0, 0.0);
    for other in &neighbours[table] {
        let weight = 1.0 / neighbours[*other].len() as f64;
        sum += f64::from(heights[*other]) * weight;
        all += weight;
    }
    if all > 0.0 { (sum / all).round() as i64 } else { i64::from(heights[table]) }
}

fn middles(grid: &Grid, sizes: &[(i32, i32)]) -> Vec<i32> {
    let mut heights = vec![0; sizes.len()];
    for column in &grid.columns {
        let mut y = 0;
        for table in column {
            heights[*table] = y + sizes[*table].1 / 2;
            y += sizes[*table].1 + GAP;
        }
    }
    heights
}

/// The same tables one below the other in their new order.
fn restack(block: &[usize], sizes: &[(i32, i32)], heights: &mut [i32]) {
    let top = block.iter().map(|table| heights[*table] - sizes[*table].1 / 2).min().unwrap_or_default();
    let mut y = top;
    for table in block {
        heights[*table] = y + sizes[*table].1 / 2;
        y += sizes[*table].1 + GAP;
    }
}
