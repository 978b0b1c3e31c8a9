//! The rules of RFC 9110, 9111 and 5861, by section.

mod answering;
mod documents;
mod errors;
mod forwarding;
mod freshness;
mod histories;
mod history;
mod invalidation;
mod laws;
mod oracle;
mod partial;
mod reuse;
mod storing;
mod testkit;
mod validation;
