//! The committed assignments. `APPROVE_VECTORS=1` writes the file anew; without it a difference is a
//! failure.

use std::{env, fs, path::PathBuf};

use selvedge_edge_core_routing::{assignment, Owners, Target};
use selvedge_primitives_types::agent::NodeConfig;
use selvedge_primitives_types::{Account, DeviceId, Role, Score, ServiceId};
use serde_json::{json, Value};

use crate::nodes::{cache, root};

fn hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

fn devices(owners: &[DeviceId]) -> Vec<String> {
    owners.iter().map(|owner| hex(&owner.0)).collect()
}

/// Regions of three sizes, operators with several caches, shared networks, one that drains, one
/// that claims too much, a gateway.
fn nodes() -> Vec<NodeConfig> {
    let regions = ["eu", "us", "eu", "asia", "us", "eu"];
    let mut nodes: Vec<_> = (0..24u32)
        .map(|number| NodeConfig {
            operator: Account([(number % 7) as u8; 32]),
            endpoint: match number % 5 {
                0 => format!("cache-{number}.example:4460"),
                4 => format!("[2001:db8:{}::{number:x}]:4460", number % 3),
                _ => format!("198.51.{}.{number}:4460", number % 4),
            }
            .into_bytes(),
            quality: Score(600_000 + 40_000 * (number % 13)),
            ..cache(number, regions[number as usize % 6], 1 + number % 4)
        })
        .collect();
    nodes[5].draining = true;
    nodes[9].capacity = 1_000_000;
    nodes[11].role = Role::Gateway;
    nodes
}

fn routing() -> Value {
    let nodes = nodes();
    let described = nodes.iter().map(|node| {
        json!({
            "device": hex(&node.device.0),
            "operator": hex(&node.operator.0),
            "is_cache": node.role == Role::Cache,
            "region": node.region.name(),
            "endpoint": String::from_utf8_lossy(&node.endpoint),
            "capacity": node.capacity,
            "quality": node.quality.0,
            "draining": node.draining,
        })
    });
    let content = (0..16).map(|number| {
        let root = root(number);
        let owners = assignment(&nodes, Target::Content(&root), 16);
        json!({ "root": hex(&root), "owners": devices(&owners) })
    });
    let everywhere = Owners::everywhere(&nodes);
    let keys = (0..8).map(|number| {
        let key = format!("https://www.example.org/{number}");
        let service = ServiceId(number / 2);
        let target = Target::Key {
            service,
            key: key.as_bytes(),
        };
        let order = everywhere.rank(target, 24);
        json!({ "service": service.0, "key": key, "order": devices(&order) })
    });
    let services = (0..4).map(|number| {
        let order = everywhere.rank(Target::Service(ServiceId(number)), 24);
        json!({ "service": number, "order": devices(&order) })
    });
    json!({
        "nodes": described.collect::<Vec<_>>(),
        "content": content.collect::<Vec<_>>(),
        "keys": keys.collect::<Vec<_>>(),
        "services": services.collect::<Vec<_>>(),
    })
}

#[test]
fn the_committed_assignments_are_what_this_code_makes() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../vectors/routing.json");
    let text = format!("{:#}\n", routing());
    if env::var_os("APPROVE_VECTORS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap();
    assert!(
        committed == text,
        "{} differs; see vectors/README.md",
        path.display()
    );
}
