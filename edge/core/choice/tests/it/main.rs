//! Who is asked.

mod choice;
mod filter;
mod outliers;
mod simulation;
