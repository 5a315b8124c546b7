//! Points say where a viewer can join.

mod any_streams;
mod clips;
mod mux;
mod odd_streams;
