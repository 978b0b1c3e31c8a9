//! Checks who imports whom.
//!
//! Every member of the workspace belongs to a [`Room`] by its folder. A room lists the rooms it may
//! import and the foreign packages that must not be reachable from it. What only tests import may
//! be scaffolding too.

use crate::graph::{Graph, Package};
use anyhow::{bail, Result};
use std::path::Path;

/// A kind of member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    /// Ids, units, exact arithmetic.
    Ground,
    /// Declarations of runtime APIs.
    RuntimeApi,
    /// What one pallet may ask of another.
    PalletTraits,
    /// A set of books.
    Pallet,
    /// The composition of the pallets.
    Runtime,
    /// The runtime as WebAssembly.
    RuntimeWasm,
    /// A duty beside the node.
    Client,
    /// The chain node.
    Node,
    /// Rules of the data plane.
    EdgeCore,
    /// HTTP, which other drivers speak.
    EdgeHttp,
    /// Sockets, disks and clocks.
    EdgeDriver,
    /// A duty of the data plane.
    EdgeRole,
    /// The daemon.
    EdgeBin,
    /// Speaks published interfaces only.
    Outside,
    /// The same, and checks what it is given by the rules of the data plane.
    Tool,
    /// For tests and automation; nothing shipped imports it.
    Scaffold,
}

use Room::*;

/// Folders and their rooms; the longest one that fits counts.
const ROOMS: &[(&str, Room)] = &[
    ("primitives", Ground),
    ("primitives/runtime-api", RuntimeApi),
    ("pallets", Pallet),
    ("pallets/traits", PalletTraits),
    ("pallets/mocks", Scaffold),
    ("runtime", Runtime),
    ("runtime/wasm", RuntimeWasm),
    ("runtime/rehearsal", RuntimeWasm),
    ("client", Client),
    ("node", Node),
    ("edge/core", EdgeCore),
    ("edge/drivers", EdgeDriver),
    ("edge/drivers/http", EdgeHttp),
    ("edge/roles", EdgeRole),
    ("edge/bin", EdgeBin),
    ("edge/tools", Outside),
    ("edge/tools/cli", Tool),
    ("edge/tools/sim", Scaffold),
    ("edge/tools/simulator", Scaffold),
    ("edge/tools/testkit", Scaffold),
    ("tests", Scaffold),
    ("tests/economy", Outside),
    ("xtask", Scaffold),
];

impl Room {
    fn of(folder: &str) -> Option<Self> {
        ROOMS
            .iter()
            .filter(|(prefix, _)| {
                folder == *prefix
                    || folder
                        .strip_prefix(prefix)
                        .is_some_and(|rest| rest.starts_with('/'))
            })
            .max_by_key(|(prefix, _)| prefix.len())
            .map(|(_, room)| *room)
    }

    /// Rooms it may import.
    fn may_import(self) -> &'static [Room] {
        match self {
            Ground => &[Ground],
            RuntimeApi => &[Ground],
            PalletTraits => &[Ground],
            Pallet => &[Ground, PalletTraits],
            Runtime => &[Ground, RuntimeApi, PalletTraits, Pallet],
            RuntimeWasm => &[RuntimeWasm],
            Client => &[Ground, RuntimeApi],
            Node => &[Ground, RuntimeApi, Client],
            EdgeCore => &[Ground, EdgeCore],
            EdgeHttp => &[Ground, EdgeCore],
            EdgeDriver => &[Ground, EdgeCore, EdgeHttp],
            EdgeRole => &[Ground, EdgeCore, EdgeHttp, EdgeDriver],
            EdgeBin => &[Ground, EdgeCore, EdgeHttp, EdgeDriver, EdgeRole],
            Outside => &[Ground, RuntimeApi],
            Tool => &[Ground, RuntimeApi, EdgeCore],
            Scaffold => &[
                Ground,
                RuntimeApi,
                PalletTraits,
                Pallet,
                Runtime,
                RuntimeWasm,
                Client,
                Node,
                EdgeCore,
                EdgeHttp,
                EdgeDriver,
                EdgeRole,
                EdgeBin,
                Outside,
                Tool,
                Scaffold,
            ],
        }
    }

    /// Rooms that its tests may import beside.
    fn tests_may_import(self) -> &'static [Room] {
        match self {
            Pallet => &[Scaffold],
            EdgeCore | EdgeHttp | EdgeDriver | EdgeRole | EdgeBin | Outside | Tool => {
                &[Scaffold, Ground, EdgeCore, EdgeHttp, EdgeDriver]
            }
            _ => &[],
        }
    }

    /// Whether a foreign package must not be reachable from it, with the reason.
    fn refuses(self, package: &Package) -> Option<&'static str> {
        let name = package.name.as_str();
        let is_sdk = ["sp-", "sc-", "frame-", "pallet-"]
            .iter()
            .any(|part| name.starts_with(part));
        match self {
            Ground if is_sdk => Some("the ground floor knows no chain framework"),
            Ground | EdgeCore if ["tokio", "async-std", "mio"].contains(&name) => {
                Some("rules do no input or output")
            }
            EdgeCore | EdgeHttp | EdgeDriver | EdgeRole | EdgeBin if is_sdk => {
                Some("the data plane never links the chain's SDK")
            }
            Pallet | PalletTraits | Runtime if name.starts_with("sc-") => {
                Some("what runs on chain knows no node")
            }
            Client | Node if package.room.as_deref() == Some("runtime") => {
                Some("the node takes the runtime from its chain spec")
            }
            _ => None,
        }
    }
}

/// Checks the workspace in `root` and prints every crossing.
pub fn run(root: &Path) -> Result<()> {
    let graph = Graph::read(&root.join("Cargo.toml"))?;
    let crossings = check(&graph);
    for crossing in &crossings {
        println!("{crossing}");
    }
    if !crossings.is_empty() {
        bail!(
            "{} floors crossed; the table is in xtask/src/layers.rs",
            crossings.len()
        );
    }
    let members = graph
        .packages
        .iter()
        .filter(|package| package.room.is_some())
        .count();
    println!("{members} crates keep to their floors");
    Ok(())
}

/// Every crossing of the graph, as a sentence.
fn check(graph: &Graph) -> Vec<String> {
    let mut crossings = Vec::new();
    for (index, package) in graph.packages.iter().enumerate() {
        let Some(folder) = &package.room else {
            continue;
        };
        let Some(room) = Room::of(folder) else {
            crossings.push(format!("{folder}: no floor is known for this folder"));
            continue;
        };
        check_imports(graph, package, room, &mut crossings);
        let refused = |target: &Package| room.refuses(target).is_some();
        if let Some(way) = graph.path(index, refused) {
            let target = way.last().copied().unwrap_or_default();
            let reason = graph
                .packages
                .iter()
                .find(|package| package.name == target)
                .and_then(|package| room.refuses(package))
                .unwrap_or_default();
            crossings.push(format!("{}: {reason}", way.join(" -> ")));
        }
    }
    check_versions(graph, &mut crossings);
    crossings
}

/// Imports of other members.
fn check_imports(graph: &Graph, package: &Package, room: Room, crossings: &mut Vec<String>) {
    for import in &package.imports {
        let target = &graph.packages[import.package];
        let Some(other) = target.room.as_deref().and_then(Room::of) else {
            continue;
        };
        let may = room.may_import().contains(&other)
            || import.dev_only && room.tests_may_import().contains(&other);
        if !may {
            crossings.push(format!(
                "{} -> {}: {room:?} may not import {other:?}",
                package.name, target.name
            ));
        }
    }
}

/// Packages that must be there once, or not at all.
fn check_versions(graph: &Graph, crossings: &mut Vec<String>) {
    let versions = |name: &str| -> Vec<_> {
        let found = graph.packages.iter().filter(|package| package.name == name);
        found.map(|package| package.version.as_str()).collect()
    };
    let runtimes = versions("sp-runtime");
    if runtimes.len() > 1 {
        crossings.push(format!(
            "sp-runtime {}: two trains of the chain's SDK are mixed",
            runtimes.join(" and ")
        ));
    }
    for name in ["librocksdb-sys", "rocksdb", "kvdb-rocksdb"] {
        if !versions(name).is_empty() {
            crossings.push(format!(
                "{name}: the database is ParityDb; turn the feature off"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn fixture(name: &str) -> Vec<String> {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("fixtures")
            .join(name);
        check(&Graph::read(&root.join("Cargo.toml")).expect("the fixture is a workspace"))
    }

    #[test]
    fn a_house_in_order_has_no_crossing() {
        assert_eq!(fixture("in-order"), Vec::<String>::new());
    }

    #[test]
    fn every_crossed_floor_is_caught() {
        let crossings = fixture("crossed");
        let expected = [
            "node -> runtime: Node may not import Runtime",
            "node -> runtime: the node takes the runtime from its chain spec",
            "pallet-edge-a -> pallet-edge-b: Pallet may not import Pallet",
            "edge-role -> helper -> sp-core: the data plane never links the chain's SDK",
            "edge-role -> testkit: EdgeRole may not import Scaffold",
            "sp-runtime 48.0.0 and 49.0.0: two trains of the chain's SDK are mixed",
            "librocksdb-sys: the database is ParityDb; turn the feature off",
            "attic: no floor is known for this folder",
        ];
        for crossing in expected {
            assert!(
                crossings.iter().any(|found| found == crossing),
                "{crossing}: {crossings:#?}"
            );
        }
        assert_eq!(crossings.len(), expected.len(), "{crossings:#?}");
    }

    #[test]
    fn the_longest_folder_counts() {
        assert_eq!(Room::of("pallets/traits"), Some(PalletTraits));
        assert_eq!(Room::of("pallets/billing"), Some(Pallet));
        assert_eq!(Room::of("runtime/wasm"), Some(RuntimeWasm));
        assert_eq!(Room::of("runtime-extra"), None);
    }

    #[test]
    fn this_workspace_keeps_to_its_floors() {
        let root = crate::root();
        let graph = Graph::read(&root.join("Cargo.toml")).expect("this is a workspace");
        assert_eq!(check(&graph), Vec::<String>::new());
    }
}
