//! The dependency graph, as cargo resolves it.

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, MetadataCommand, PackageId};
use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
};

/// A package of the graph.
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its folder below the workspace's, with slashes, if it is a member.
    pub room: Option<String>,
    /// What it imports.
    pub imports: Vec<Import>,
}

/// An edge of the graph.
pub struct Import {
    /// Position of the imported package.
    pub package: usize,
    /// Whether only its tests and benchmarks need it.
    pub dev_only: bool,
}

/// All packages that a workspace builds.
pub struct Graph {
    /// The packages, in the order of their names and versions.
    pub packages: Vec<Package>,
}

impl Graph {
    /// Reads the graph of the workspace with this manifest, without touching the network or its
    /// lock file.
    pub fn read(manifest: &Path) -> Result<Self> {
        let metadata = MetadataCommand::new()
            .manifest_path(manifest)
            .other_options(vec!["--locked".into(), "--offline".into()])
            .exec()
            .with_context(|| format!("cargo cannot read {}", manifest.display()))?;
        let root = &metadata.workspace_root;
        let members: BTreeSet<&PackageId> = metadata.workspace_members.iter().collect();
        let mut sorted: Vec<_> = metadata.packages.iter().collect();
        sorted.sort_by_key(|package| (package.name.to_string(), package.version.clone()));
        let position: HashMap<&PackageId, usize> = sorted
            .iter()
            .enumerate()
            .map(|(index, package)| (&package.id, index))
            .collect();
        let resolve = metadata
            .resolve
            .as_ref()
            .context("cargo resolved nothing")?;
        let nodes: HashMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
        let packages = sorted
            .iter()
            .map(|package| {
                let folder = package.manifest_path.parent();
                let room = folder
                    .filter(|_| members.contains(&package.id))
                    .and_then(|folder| folder.strip_prefix(root).ok())
                    .map(|room| room.as_str().replace('\\', "/"));
                let imports = nodes[&package.id].deps.iter().map(|dependency| Import {
                    package: position[&dependency.pkg],
                    dev_only: dependency
                        .dep_kinds
                        .iter()
                        .all(|kind| kind.kind == DependencyKind::Development),
                });
                Package {
                    name: package.name.to_string(),
                    version: package.version.to_string(),
                    room,
                    imports: imports.collect(),
                }
            })
            .collect();
        Ok(Self { packages })
    }

    /// Names of the packages on a way from `start` to a package that `is_target`, without imports
    /// of tests; `None` when there is no way.
    pub fn path(&self, start: usize, is_target: impl Fn(&Package) -> bool) -> Option<Vec<&str>> {
        let mut seen = BTreeSet::from([start]);
        let mut trail = vec![(start, None)];
        let mut next = 0;
        while next < trail.len() {
            let (at, _) = trail[next];
            if at != start && is_target(&self.packages[at]) {
                let mut names = Vec::new();
                let mut step = Some(next);
                while let Some(index) = step {
                    names.push(self.packages[trail[index].0].name.as_str());
                    step = trail[index].1;
                }
                names.reverse();
                return Some(names);
            }
            for import in self.packages[at]
                .imports
                .iter()
                .filter(|import| !import.dev_only)
            {
                if seen.insert(import.package) {
                    trail.push((import.package, Some(next)));
                }
            }
            next += 1;
        }
        None
    }
}
