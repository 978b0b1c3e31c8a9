//! Builds the runtime to WebAssembly.

fn main() {
    substrate_wasm_builder::WasmBuilder::new()
        .with_project("../Cargo.toml")
        .expect("the runtime lies beside this crate")
        .import_memory()
        .export_heap_base()
        .build();
}
