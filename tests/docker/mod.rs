//! The compose files, the images and the seed's commands on a Docker engine.
//!
//! `cargo xtask docker-test` starts an engine, builds the images and runs these tests there, one after the other; they
//! are ignored everywhere else.

mod dev_up;
mod doctor;
mod engine;
mod production;
mod programs;
mod seed;
