//! Falsifies leaves so that trees over them add up.

use super::AgentLie;
use anyhow::Context;
use selvedge_primitives_math::price::charge;
use selvedge_primitives_types::{Leaf, Planck, Prices, Signature64, Usage};
use std::collections::BTreeMap;

/// One leaf in so many is inflated.
const RARE: usize = 1_000;

/// How many times as dear as all others together a fat leaf is: 90 % of the whole.
const FAT: Planck = 9;

/// The leaves as a liar of this kind has them.
///
/// # Errors
///
/// Fails when none of them is fit for the lie, and when a price list is not known.
pub(super) fn falsify(
    mut leaves: Vec<Leaf>,
    lie: AgentLie,
    prices: &BTreeMap<u32, Prices>,
) -> anyhow::Result<Vec<Leaf>> {
    // A leaf without a signature may say what it likes: only one that a cache signed can be caught by it.
    let signed = leaves
        .iter_mut()
        .filter(|leaf| leaf.cache_signature != Signature64::default() && leaf.body.amount > 0);
    match lie {
        AgentLie::Inflate => {
            let mut rare: Vec<_> = signed.step_by(RARE).collect();
            anyhow::ensure!(!rare.is_empty(), "no leaf is signed");
            for leaf in &mut rare {
                multiply(leaf, 2, prices)?;
            }
        }
        AgentLie::Fat => {
            let largest = signed.max_by_key(|leaf| leaf.body.amount);
            let place = largest.context("no leaf is signed")?.customer_position();
            let is_fat = |leaf: &Leaf| leaf.customer_position() == place;
            let others = leaves.iter().filter(|leaf| !is_fat(leaf));
            let others: Planck = others.map(|leaf| leaf.body.amount).sum();
            let fat = leaves.iter_mut().find(|leaf| is_fat(leaf));
            let fat = fat.context("it was there")?;
            // One more than it takes: what is charged is rounded down.
            let factor = (others * FAT).div_ceil(fat.body.amount) + 1;
            multiply(fat, u64::try_from(factor)?, prices)?;
        }
        AgentLie::ForeignCache => {
            let named = leaves.iter().find(|leaf| !leaf.body.cache.is_none());
            let named = named.context("no leaf names a cache")?.body.cache;
            for leaf in leaves.iter_mut().filter(|leaf| leaf.body.cache == named) {
                // A gateway's own device is no cache, and signs nothing as one.
                leaf.body.cache = leaf.body.gateway;
                leaf.cache_signature = Signature64::default();
            }
        }
        _ => {}
    }
    Ok(leaves)
}

/// Makes the use of a leaf so many times as much, at its price.
fn multiply(leaf: &mut Leaf, factor: u64, prices: &BTreeMap<u32, Prices>) -> anyhow::Result<()> {
    let body = &mut leaf.body;
    let prices = prices.get(&body.price_version);
    let prices = prices.context("the price list is not known yet")?;
    for units in &mut body.paid.0 {
        *units = units.checked_mul(factor).context("too much use")?;
    }
    body.amount = charge(&body.paid, prices).map_err(|_| anyhow::anyhow!("too dear"))?;
    debug_assert_ne!(body.paid, Usage::ZERO, "a leaf with an amount has use");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{audit::is_signed, books::Keccak, device_key, device_of};
    use ed25519_dalek::Signer;
    use selvedge_edge_core_metering::Closed;
    use selvedge_primitives_math::fraud::{find, verify, Context as Chain, Defect, Terms};
    use selvedge_primitives_types::{
        Account, DeviceId, Domain, Epoch, GenesisHash, LeafBody, ServiceId, Slice,
    };

    const GENESIS: GenesisHash = [7; 32];
    const GATEWAY: DeviceId = DeviceId([9; 32]);
    const PRICES: Prices = Prices([1 << 32, 0, 0, 0, 0, 0]);

    struct Known;

    impl Chain for Known {
        fn terms(&self, _: ServiceId) -> Option<Terms> {
            Some(Terms {
                owner: Account([2; 32]),
                lease: Planck::MAX,
                price_version: 1,
                prices: Some(PRICES),
                storage: u64::MAX,
            })
        }

        fn is_cache(&self, device: &DeviceId) -> bool {
            *device == device_of(&device_key(1))
        }

        fn is_signed(&self, leaf: &Leaf) -> bool {
            is_signed(leaf, &GENESIS)
        }
    }

    /// Leaves of so many services in each slice, all signed by one cache.
    fn leaves(services: u64) -> Vec<Leaf> {
        let cache = device_key(1);
        let of = |service| (0..60).map(move |slice| (service, slice));
        (0..services)
            .flat_map(of)
            .map(|(service, slice)| {
                let body = LeafBody {
                    gateway: GATEWAY,
                    epoch: Epoch(3),
                    customer: Account([2; 32]),
                    service: ServiceId(service),
                    cache: device_of(&cache),
                    slice: Slice(slice),
                    price_version: 1,
                    paid: Usage([10, 0, 0, 0, 0, 0]),
                    amount: 10,
                    ..Default::default()
                };
                let signature = cache.sign(&Domain::Leaf.message(&GENESIS, &body));
                Leaf {
                    body,
                    cache_signature: Signature64(signature.to_bytes()),
                }
            })
            .collect()
    }

    fn told(lie: AgentLie, services: u64) -> Vec<Leaf> {
        falsify(leaves(services), lie, &[(1, PRICES)].into()).expect("a lie that can be told")
    }

    /// What the chain would say to whoever looks at all that is shown.
    fn found(told: Vec<Leaf>) -> Option<Defect> {
        let closed = Closed::build(GATEWAY, Epoch(3), told).expect("lies form trees");
        let commitment = closed.commitment();
        let proof = find::<Keccak>(closed.trees(), &commitment, &Known).expect("all is shown");
        proof.map(|proof| verify::<Keccak>(&proof, &commitment, &Known).expect("a proof"))
    }

    #[test]
    fn each_lie_about_leaves_is_a_defect_that_is_found() {
        assert_eq!(found(told(AgentLie::None, 2)), None);
        assert_eq!(found(told(AgentLie::Hide, 2)), None);
        let forged = Some(Defect::BadSignature);
        assert_eq!(found(told(AgentLie::Inflate, 2)), forged);
        assert_eq!(found(told(AgentLie::Fat, 2)), forged);
        let foreign = Some(Defect::UnassignedCache);
        assert_eq!(found(told(AgentLie::ForeignCache, 2)), foreign);
    }

    #[test]
    fn one_leaf_in_a_thousand_is_inflated() {
        let honest = leaves(50);
        let told = told(AgentLie::Inflate, 50);
        let false_ones = honest.iter().zip(&told).filter(|(one, other)| one != other);
        assert_eq!((honest.len(), false_ones.count()), (3_000, 3));
    }

    #[test]
    fn a_fat_leaf_is_nine_tenths_of_the_value() {
        let told = told(AgentLie::Fat, 2);
        let amounts = || told.iter().map(|leaf| leaf.body.amount);
        let (all, fat): (Planck, _) = (amounts().sum(), amounts().max().expect("leaves"));
        assert!(fat * 10 >= all * 9, "{fat} of {all}");
    }

    #[test]
    fn a_lie_that_no_leaf_is_fit_for_is_not_told() {
        let mut unsigned = leaves(1);
        for leaf in &mut unsigned {
            leaf.cache_signature = Signature64::default();
        }
        let prices = [(1, PRICES)].into();
        for lie in [AgentLie::Inflate, AgentLie::Fat] {
            assert!(falsify(unsigned.clone(), lie, &prices).is_err(), "{lie}");
            assert!(falsify(leaves(1), lie, &BTreeMap::new()).is_err(), "{lie}");
        }
    }
}
