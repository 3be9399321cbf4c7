//! The vertical parts of the lines, each with a place between two columns; and with them the columns' own places.

use std::collections::BTreeMap;

use super::lanes::Net;
use super::rows::{MARGIN, Rows};
use super::{Area, Grid, Layout, RADIUS, height_in_table};
use crate::picture::drawing::{Drawing, End};

/// Between a column and the first line beside it: room for a crow's foot.
const CLEAR: i32 = 24;
/// Between two lines.
const TRACK: i32 = 9;
/// Two lines on one track stay that far apart.
const APART: i32 = 12;
/// Between two columns at least.
const NARROWEST: i32 = 64;
/// Between a frame and what is in it.
const PADDING: i32 = 24;

/// What a line touches between two columns.
#[derive(Debug, Clone, Copy)]
struct Segment {
    top: i32,
    bottom: i32,
    /// How many more parts of it come from the right than from the left.
    balance: i32,
}

/// Between two columns; the first is left of the first column.
#[derive(Debug, Default)]
struct Gutter {
    segments: BTreeMap<usize, Segment>,
    tracks: BTreeMap<usize, i32>,
    count: i32,
}

/// The stations of a line: a height, then the gutter in which it changes to the next height, and so on.
struct Way {
    heights: Vec<i32>,
    gutters: Vec<usize>,
}

pub(super) fn finish(drawing: &Drawing, grid: &Grid, nets: &[Net], rows: &Rows, sizes: &[(i32, i32)]) -> Layout {
    let mut gutters: Vec<Gutter> = Vec::new();
    gutters.resize_with(grid.columns.len() + 1, Gutter::default);
    let mut ways: Vec<Option<Way>> = Vec::new();
    ways.resize_with(drawing.links.len(), || None);
    for (index, net) in nets.iter().enumerate() {
        for link in &net.links {
            let way = way(grid, rows, (index, net), drawing.links[*link].from);
            let is_rightward = way.gutters.first() < way.gutters.last();
            for (pair, gutter) in way.heights.windows(2).zip(&way.gutters) {
                gutters[*gutter].touch(index, [pair[0], pair[1]], is_rightward);
            }
            ways[*link] = Some(way);
        }
    }
    gutters.iter_mut().for_each(Gutter::assign);
    let columns = widths(grid, sizes);
    let (edges, width) = edges(grid, &gutters, &columns);
    let area = |table: usize| {
        let column = grid.column_of[table];
        Area { x: edges[column], y: rows.tops[table], width: columns[column], height: sizes[table].1 }
    };
    let tables: Vec<_> = (0..drawing.tables.len()).map(area).collect();
    let track = |net: usize, gutter: usize| {
        let left = if gutter == 0 { MARGIN } else { edges[gutter - 1] + columns[gutter - 1] };
        left + CLEAR + gutters[gutter].tracks.get(&net).copied().unwrap_or_default() * TRACK
    };
    let mut lines = vec![Vec::new(); drawing.links.len()];
    let mut branches = lines.clone();
    for (index, net) in nets.iter().enumerate() {
        let mut drawn = BTreeMap::new();
        for link in &net.links {
            let Some(way) = &ways[*link] else { continue };
            let stops: Vec<_> = way.gutters.iter().map(|gutter| track(index, *gutter)).collect();
            let ends = [drawing.links[*link].from, net.to].map(|end| tables[end.table]);
            lines[*link] = line(&stops, &way.heights, ends);
            branches[*link] = branch(&lines[*link], &mut drawn);
        }
    }
    let frames = frames(grid, rows, &gutters, &edges, &columns);
    Layout { width, height: rows.height, label: rows.label, frames, tables, lines, branches }
}

/// From where a link starts through the gutters and columns on its way to where its net leads.
fn way(grid: &Grid, rows: &Rows, (index, net): (usize, &Net), from: End) -> Way {
    let (start, home) = (grid.column_of[from.table], grid.column_of[net.to.table]);
    let lane = |column: usize| rows.lanes.get(&(index, column)).copied().unwrap_or_default();
    let height = |end: End| rows.tops[end.table] + height_in_table(end);
    let (between, gutters): (Vec<_>, Vec<_>) = if start == home {
        (Vec::new(), vec![if net.turns_left { home } else { home + 1 }])
    } else if start > home {
        ((home + 1..start).rev().collect(), (home + 1..=start).rev().collect())
    } else {
        ((start + 1..home).collect(), (start + 1..=home).collect())
    };
    let mut heights = vec![height(from)];
    heights.extend(between.into_iter().map(lane));
    heights.push(height(net.to));
    Way { heights, gutters }
}

/// The corners of a line that changes its height at every stop, two for each, also where it goes straight on.
fn line(stops: &[i32], heights: &[i32], [from, to]: [Area; 2]) -> Vec<(i32, i32)> {
    let side = |area: &Area, stop: Option<&i32>| {
        if stop.is_some_and(|stop| *stop > area.x) { area.right() } else { area.x }
    };
    let mut points = vec![(side(&from, stops.first()), heights[0])];
    for (stop, pair) in stops.iter().zip(heights.windows(2)) {
        points.extend([(*stop, pair[0]), (*stop, pair[1])]);
    }
    points.push((side(&to, stops.last()), heights[heights.len() - 1]));
    points
}

/// The beginning of a line, up to what is `drawn` of its net: from where to where at each place between columns. From
/// there on the lines of a net are one.
fn branch(line: &[(i32, i32)], drawn: &mut BTreeMap<i32, (i32, i32)>) -> Vec<(i32, i32)> {
    let mut points = vec![line[0]];
    for pair in line[1..].chunks_exact(2) {
        let ((x, from), (_, to)) = (pair[0], pair[1]);
        points.push((x, from));
        if let Some((top, bottom)) = drawn.get_mut(&x) {
            // Where it was turning there is nothing but its round corner.
            if from < *top {
                points.push((x, (*top + RADIUS).min(*bottom)));
            } else if from > *bottom {
                points.push((x, (*bottom - RADIUS).max(*top)));
            }
            (*top, *bottom) = ((*top).min(from), (*bottom).max(from));
            return points;
        }
        drawn.insert(x, (from.min(to), from.max(to)));
        points.push((x, to));
    }
    points.extend(line.last());
    points
}

impl Gutter {
    fn touch(&mut self, net: usize, heights: [i32; 2], is_rightward: bool) {
        let new = Segment { top: i32::MAX, bottom: i32::MIN, balance: 0 };
        let segment = self.segments.entry(net).or_insert(new);
        for height in heights {
            segment.top = segment.top.min(height);
            segment.bottom = segment.bottom.max(height);
        }
        segment.balance += if is_rightward { -1 } else { 1 };
    }

    /// Gives each line a track of its own for as far as it goes.
    fn assign(&mut self) {
        let mut segments: Vec<_> = self.segments.iter().map(|(net, segment)| (*segment, *net)).collect();
        segments.sort_by_key(|(segment, net)| (segment.top, *net));
        let mut ends: Vec<i32> = Vec::new();
        for (segment, net) in segments {
            let free = ends.iter().position(|end| end + APART <= segment.top);
            let track = free.unwrap_or(ends.len());
            ends.resize(ends.len().max(track + 1), 0);
            ends[track] = segment.bottom;
            self.tracks.insert(net, i32::try_from(track).unwrap_or_default());
        }
        self.count = i32::try_from(ends.len()).unwrap_or_default();
    }

    fn width(&self) -> i32 {
        (2 * CLEAR + (self.count - 1).max(0) * TRACK).max(NARROWEST)
    }
}

/// A column is as wide as its widest table.
fn widths(grid: &Grid, sizes: &[(i32, i32)]) -> Vec<i32> {
    let widest = |column: &Vec<usize>| column.iter().map(|table| sizes[*table].0).max().unwrap_or_default();
    grid.columns.iter().map(widest).collect()
}

/// The left edge of each column, and the width of it all.
fn edges(grid: &Grid, gutters: &[Gutter], columns: &[i32]) -> (Vec<i32>, i32) {
    let last = columns.len();
    let is_edge =
        |gutter: usize| grid.blocks.iter().any(|block| block.first == gutter || block.first + block.count == gutter);
    let mut edges = Vec::new();
    let mut x = MARGIN + PADDING;
    for column in 0..last {
        edges.push(x);
        let gutter = &gutters[column + 1];
        let beside = match column + 1 {
            next if next == last => right_of(gutter) + MARGIN,
            // There is the group's frame, and that of the next.
            next if is_edge(next) => right_of(gutter) + MARGIN + PADDING,
            _ => gutter.width(),
        };
        x += columns[column] + beside;
    }
    (edges, x)
}

/// From a group's last column to the frame: the lines that turn there stay within.
fn right_of(gutter: &Gutter) -> i32 {
    if gutter.count == 0 { PADDING } else { gutter.width() }
}

fn frames(grid: &Grid, rows: &Rows, gutters: &[Gutter], edges: &[i32], columns: &[i32]) -> Vec<Area> {
    let mut frames = vec![Area::default(); rows.frames.len()];
    for block in &grid.blocks {
        let last = block.first + block.count - 1;
        let (top, bottom) = rows.frames[block.group];
        let x = edges[block.first] - PADDING;
        let right = edges[last] + columns[last] + right_of(&gutters[last + 1]);
        frames[block.group] = Area { x, y: top, width: right - x, height: bottom - top };
    }
    frames
}
