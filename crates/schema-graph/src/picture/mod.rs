//! Pictures of schemas: as text that other programs draw, and drawn by ourselves. All of it is pure, and the same
//! schema gives the same bytes.
//!
//! [`Drawing`] is what a picture shows; there is a file for each format; [`layout`] says where things are in ours. Names
//! are anybody's: each format has its own way to keep them from meaning anything.

mod dot;
mod drawing;
mod html;
mod key;
mod layout;
mod mermaid;
mod svg;
mod text;

use crate::Graph;
use drawing::Drawing;
pub use text::escape;

/// How a picture is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureFormat {
    /// An entity relationship diagram for Mermaid.
    Mermaid,
    /// A graph for Graphviz.
    Dot,
    /// A drawing.
    Svg,
    /// The drawing in a page of its own that needs nothing else, to look around in.
    Html,
}

/// A picture of schemas, each with its database's name: their tables and views with columns and keys, and the foreign
/// keys between them. Partitions are part of their table.
#[must_use]
pub fn picture(schemas: &[(&str, &Graph)], format: PictureFormat) -> String {
    let drawing = Drawing::new(schemas);
    let title = schemas.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    match format {
        PictureFormat::Mermaid => mermaid::write(&drawing),
        PictureFormat::Dot => dot::write(&drawing),
        PictureFormat::Svg => svg::write(&drawing, &title),
        PictureFormat::Html => html::write(&drawing, &title),
    }
}
