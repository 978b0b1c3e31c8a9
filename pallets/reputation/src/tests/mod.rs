mod blocks;
mod close;
mod invariants;
mod jobs;
