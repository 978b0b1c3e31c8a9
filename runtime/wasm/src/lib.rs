//! Builds the runtime to WebAssembly, apart from its native build.
//!
//! Whoever tests or checks the runtime compiles `selvedge-runtime` natively and never pays for
//! this; the node takes the code from a chain specification that `cargo xtask spec` writes out of
//! the blob named here.

include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));
