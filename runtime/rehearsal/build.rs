//! Builds the next runtime to WebAssembly, with the dependencies that the released one was built with.

use std::{env, path::Path};

fn main() {
    // An absolute path: the builder runs cargo from a folder below the target directory.
    let here = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it for build scripts");
    let runtime = Path::new(&here)
        .parent()
        .expect("this crate lies below the runtime");
    substrate_wasm_builder::WasmBuilder::new()
        .with_project(runtime.join("Cargo.toml"))
        .expect("the runtime has a manifest")
        .enable_feature("upgrade-rehearsal")
        // Beside the released runtime's blob, not in its place.
        .set_file_name("upgrade_rehearsal")
        .import_memory()
        .export_heap_base()
        .build();
}
