//! Behaviour of the usage trees, their proofs and the draws from them, and the vectors other languages read.

mod bill;
mod draws;
mod fraud;
mod liar;
mod proofs;
mod testkit;
mod trees;
mod vectors;
