//! Puts the revision that was built into the version text.

fn main() {
    // Only this file's own change runs it again: the revision must not rebuild the node after every
    // commit while developing.
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=SUBSTRATE_CLI_GIT_COMMIT_HASH");
    substrate_build_script_utils::generate_cargo_keys();
}
