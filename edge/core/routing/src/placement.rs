//! Where the copies of content belong.

use std::collections::BTreeMap;

use selvedge_primitives_types::agent::NodeConfig;
use selvedge_primitives_types::{DeviceId, MAX_FACTOR};

use crate::candidate::Candidate;
use crate::loads::Loads;
use crate::network::Network;
use crate::race::Race;
use crate::spread::{Member, Regions, Spread};
use crate::target::Target;

/// The caches of all regions, and who shares what with whom.
///
/// Copies are placed one after the other. Each goes to the cache that comes first by, in this order:
/// 1. it does not drain;
/// 2. its operator has the fewest of the copies so far;
/// 3. its region's turn is first: of the `k` copies with this one a region with the share `s` of the
///    weight is due `k × s`. While it has fewer than `⌊k × s + 10/73⌋` its turn is 0; then 1, and one
///    later for each that it would have beyond `max(1, ⌈k × s - 10/73⌉)`, at the second copy beyond
///    `max(1, ⌈k × s - 37/73⌉)`. So no region has a second copy before each of about its size has
///    one, a small one is not given one of everything, and a large one alone does not have both of
///    two;
/// 4. its network (a /24 or /48) has the fewest of the copies so far;
/// 5. it is nearest to the target (the crate's doc).
///
/// "So far" is what makes fewer copies the beginning of more.
#[derive(Clone, Debug, Default)]
pub struct Placement {
    serving: Field,
    draining: Field,
    regions: Regions,
    devices: Vec<DeviceId>,
}

/// Caches with what they share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Field {
    pub(crate) race: Race,
    /// In the order of the race's runners.
    pub(crate) members: Vec<Member>,
    /// The distinct operators of each region.
    pub(crate) operators: Vec<Vec<u32>>,
    /// How many members each region has.
    pub(crate) sizes: Vec<u32>,
    /// How many networks there are; `None` when some member's is not known.
    pub(crate) networks: Option<usize>,
}

/// Numbers for what is told apart, in the order in which it came.
struct Numbers<T>(BTreeMap<T, u32>);

impl<T: Ord> Numbers<T> {
    fn of(&mut self, what: T) -> u32 {
        let next = self.0.len() as u32;
        *self.0.entry(what).or_insert(next)
    }
}

impl Placement {
    /// The placement among the caches of a config. Nodes with other roles own nothing.
    pub fn new(nodes: &[NodeConfig]) -> Self {
        let all = Candidate::all(nodes);
        let mut operators = Numbers(BTreeMap::new());
        let mut networks = Numbers(BTreeMap::new());
        let mut regions = Numbers(BTreeMap::new());
        let members: Vec<_> = all
            .iter()
            .map(|(node, candidate)| {
                let member = Member {
                    operator: operators.of(&node.operator),
                    region: regions.of(node.region),
                    network: Network::of(&node.endpoint).map(|network| networks.of(network)),
                };
                (candidate, member)
            })
            .collect();
        let regions = regions.0.len();
        let field = |is_draining| {
            let in_it = members.iter().filter(|(c, _)| c.is_draining == is_draining);
            Field::new(in_it.copied(), regions)
        };
        let serving = field(false);
        Self {
            regions: Regions::new(&serving),
            serving,
            draining: field(true),
            devices: all.iter().map(|(_, candidate)| candidate.device).collect(),
        }
    }

    /// How many caches there are.
    pub fn len(&self) -> usize {
        self.devices.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.devices.is_empty()
    }

    /// Whether a device is one of the caches.
    pub fn is_member(&self, device: &DeviceId) -> bool {
        self.devices.binary_search(device).is_ok()
    }

    /// Who keeps the `factor` copies of a target, as the chain's state alone says: the first is the
    /// nearest. Fewer where there are fewer caches, and at most [`MAX_FACTOR`].
    pub fn owners(&self, target: Target<'_>, factor: u8) -> Vec<DeviceId> {
        self.place(target, factor, None)
    }

    /// Who should keep the copies of a target when caches have been given `loads`: one that has 1.25
    /// of its part comes after all that have not. The same loads give the same answer, but unlike
    /// [`owners`](Self::owners) nobody can tell it from the chain: who places by loads has to
    /// remember where.
    pub fn owners_with(&self, target: Target<'_>, factor: u8, loads: &Loads) -> Vec<DeviceId> {
        self.place(target, factor, Some(loads))
    }

    fn place(&self, target: Target<'_>, factor: u8, loads: Option<&Loads>) -> Vec<DeviceId> {
        let points = target.points();
        let mut spread = Spread::new(&self.regions, factor.min(MAX_FACTOR), loads);
        spread.place(&self.serving, &points);
        spread.place(&self.draining, &points);
        spread.owners
    }
}

impl Field {
    fn new<'a>(
        members: impl Iterator<Item = (&'a Candidate, Member)> + Clone,
        regions: usize,
    ) -> Self {
        let race = Race::new(members.clone().map(|(c, _)| (c.device, c.weight)));
        let members: Vec<_> = members.map(|(_, member)| member).collect();
        let mut operators = vec![Vec::new(); regions];
        let mut sizes = vec![0; regions];
        for member in &members {
            operators[member.region as usize].push(member.operator);
            sizes[member.region as usize] += 1;
        }
        for operators in &mut operators {
            operators.sort_unstable();
            operators.dedup();
        }
        let known: Option<Vec<_>> = members.iter().map(|member| member.network).collect();
        let networks = known.map(|mut networks| {
            networks.sort_unstable();
            networks.dedup();
            networks.len()
        });
        Self {
            race,
            members,
            operators,
            sizes,
            networks,
        }
    }
}

/// Recomputes who keeps the `factor` copies of a target from the nodes of the chain's state: what
/// anyone checks an owner's claim by. Who asks often keeps a [`Placement`].
pub fn assignment(nodes: &[NodeConfig], target: Target<'_>, factor: u8) -> Vec<DeviceId> {
    Placement::new(nodes).owners(target, factor)
}
