mod claim;
mod close;
mod grants;
mod invariants;
mod pools;
