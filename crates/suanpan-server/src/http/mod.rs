//! The HTTP edge: one file per caller, and [`routes`] as their table of contents.

pub mod routes;
