//! Behaviour of the usage trees and their proofs, and the vectors other languages read.

mod fraud;
mod liar;
mod proofs;
mod testkit;
mod trees;
mod vectors;
