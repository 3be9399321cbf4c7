//! The server as its users see it: the real program, driven by the real client.

mod collections;
mod durability;
mod filters;
mod harness;
mod points;
mod process;
mod python;
mod queries;
mod rest;
mod snapshots;
mod vectors;
