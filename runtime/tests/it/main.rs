//! The runtime as a whole, run natively: what a wallet sees, what genesis makes, what governance
//! may do, and a life of the network from the first block to the claim.

mod audit_worker;
mod auditors;
mod audits;
mod brake;
mod chain;
mod claims;
mod content;
mod cost;
mod economy;
mod edge;
mod genesis;
mod governance;
mod metadata;
mod offences;
mod probes;
mod refusals;
mod sequences;
mod standing;
mod utility;
mod vectors;
mod weights;
