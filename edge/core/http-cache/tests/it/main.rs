//! The rules of RFC 9110, 9111 and 5861, by section.

mod answering;
mod errors;
mod forwarding;
mod freshness;
mod invalidation;
mod laws;
mod partial;
mod reuse;
mod storing;
mod testkit;
mod validation;
