//! `selvedge node audit`: looks at all that a gateway shows of an epoch, as the chain would.

use super::Context;
use crate::{audit, bill::Keccak, chain::Chain, error::Failure, views};
use selvedge_primitives_math::{
    fraud::{self, find, verify, Defect, FraudProof, Terms},
    UsageTrees,
};
use selvedge_primitives_runtime_api::{AuditTerms, CommitmentStatus, NodeView};
use selvedge_primitives_types::{
    DeviceId, Domain, Epoch, GenesisHash, Leaf, ServiceId, UsageCommitment,
};
use sp_core::{ed25519, Pair};
use std::collections::{BTreeMap, BTreeSet};

/// Services, and caches, that the chain is asked about at once.
const PAGE: usize = 1_000;

/// What the chain knows of the epoch and of all that the leaves name.
struct Known {
    services: BTreeMap<ServiceId, Terms>,
    caches: BTreeSet<DeviceId>,
    genesis: GenesisHash,
}

impl fraud::Context for Known {
    fn terms(&self, service: ServiceId) -> Option<Terms> {
        self.services.get(&service).copied()
    }

    fn is_cache(&self, device: &DeviceId) -> bool {
        self.caches.contains(device)
    }

    fn is_signed(&self, leaf: &Leaf) -> bool {
        let message = Domain::Leaf.message(&self.genesis, &leaf.body);
        let signature = ed25519::Signature::from_raw(leaf.cache_signature.0);
        ed25519::Pair::verify(
            &signature,
            message,
            &ed25519::Public::from_raw(leaf.body.cache.0),
        )
    }
}

/// What was found.
enum Finding {
    Sound,
    Fraud(Defect, Box<FraudProof>),
    Withheld(String),
}

/// Looks for a defect, says what was found, and reports it if asked to.
pub async fn run(
    context: &Context<'_>,
    gateway: DeviceId,
    epoch: Epoch,
    report: bool,
) -> anyhow::Result<()> {
    let chain = context.chain().await?;
    let node: Option<NodeView> = chain.view("NodesApi_node", &gateway).await?;
    let node =
        node.ok_or_else(|| Failure::NotFound(format!("no device {gateway} is registered")))?;
    let committed: Option<(UsageCommitment, CommitmentStatus)> = chain
        .view("BillingApi_commitment", &(gateway, epoch))
        .await?;
    let (commitment, _) = committed.ok_or_else(|| {
        Failure::NotFound(format!("{gateway} has not committed for epoch {epoch}"))
    })?;

    context.output.progress("fetching leaves ...");
    let count = commitment.customers.sum.leaves;
    let leaves = audit::leaves(&node.public_url, epoch, count).await?;
    let shown = leaves.len();
    context
        .output
        .progress(format!("looking at {shown} leaves ..."));
    let known = known(&chain, epoch, &leaves).await?;
    let finding = look(leaves, &commitment, &known)?;

    let mut answer = views::Audit {
        gateway: gateway.to_string(),
        epoch: epoch.0,
        leaves: shown,
        finding: "sound",
        reason: None,
        class: None,
        reported: None,
    };
    match finding {
        Finding::Sound => {}
        Finding::Withheld(what) => {
            answer.finding = "withheld";
            answer.reason = Some(what);
        }
        Finding::Fraud(defect, proof) => {
            answer.finding = "fraud";
            answer.reason = Some(defect.to_string());
            answer.class = Some(format!("{:?}", defect.class()).to_lowercase());
            if report {
                let signer = context.signer()?;
                context.output.progress("sending the proof ...");
                let arguments = (gateway, epoch, proof);
                let receipt = chain
                    .submit_encoded("Audits", "report_fraud", &arguments, &signer)
                    .await?;
                answer.reported = Some(receipt.block);
            }
        }
    }
    context.output.answer(&answer, || human(&answer))
}

/// Asks the chain for the terms of all services and caches that the leaves name.
async fn known(chain: &Chain, epoch: Epoch, leaves: &[Leaf]) -> anyhow::Result<Known> {
    let services: BTreeSet<_> = leaves.iter().map(|leaf| leaf.body.service).collect();
    let caches: BTreeSet<_> = leaves.iter().map(|leaf| leaf.body.cache).collect();
    let (services, caches): (Vec<_>, Vec<_>) =
        (services.into_iter().collect(), caches.into_iter().collect());
    let mut known = Known {
        services: BTreeMap::new(),
        caches: BTreeSet::new(),
        genesis: chain.genesis(),
    };
    let pages = services.len().max(caches.len()).div_ceil(PAGE);
    for page in 0..pages {
        let services = services.chunks(PAGE).nth(page).unwrap_or_default();
        let caches = caches.chunks(PAGE).nth(page).unwrap_or_default();
        let terms: Option<AuditTerms> = chain
            .view("AuditsApi_terms", &(epoch, services, caches))
            .await?;
        let terms = terms.ok_or_else(|| {
            Failure::NotFound(format!(
                "the chain knows the terms of epoch {epoch} no longer"
            ))
        })?;
        let of_services = services.iter().zip(terms.services);
        known
            .services
            .extend(of_services.filter_map(|(service, terms)| Some((*service, terms?))));
        let of_caches = caches.iter().zip(terms.caches);
        known
            .caches
            .extend(of_caches.filter_map(|(cache, is_active)| is_active.then_some(*cache)));
    }
    Ok(known)
}

/// Looks at the trees that the leaves make.
fn look(
    leaves: Vec<Leaf>,
    commitment: &UsageCommitment,
    known: &Known,
) -> Result<Finding, Failure> {
    let trees = match UsageTrees::build::<Keccak>(leaves) {
        Ok(trees) => trees,
        Err(error) => {
            return Ok(Finding::Withheld(format!(
                "what it shows is no tree: {error}"
            )))
        }
    };
    match find::<Keccak>(&trees, commitment, known) {
        Ok(None) => Ok(Finding::Sound),
        Err(withheld) => Ok(Finding::Withheld(withheld.to_string())),
        Ok(Some(proof)) => verify::<Keccak>(&proof, commitment, known)
            .map(|defect| Finding::Fraud(defect, proof))
            .map_err(|refusal| Failure::AnswerInvalid(refusal.to_string())),
    }
}

fn human(audit: &views::Audit) -> String {
    let head = format!("Gateway {} in epoch {}", audit.gateway, audit.epoch);
    match (&audit.reason, audit.finding) {
        (Some(reason), "fraud") => {
            let next = match &audit.reported {
                Some(block) => format!("reported, final in block {block}"),
                None => "nothing is reported yet: --report sends the proof".into(),
            };
            format!("{head} is defective: {reason}\n{next}")
        }
        (Some(reason), _) => format!(
            "{head} does not show what it committed to: {reason}\nThat proves nothing: it may be read wrongly, or hidden"
        ),
        (None, _) => format!("{head}: {} leaves, nothing is wrong", audit.leaves),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_primitives_math::price::charge;
    use selvedge_primitives_types::{Account, LeafBody, Prices, Slice, Usage};

    const PRICES: Prices = Prices([1 << 32, 0, 0, 0, 0, 0]);
    const GATEWAY: DeviceId = DeviceId([9; 32]);
    const GENESIS: GenesisHash = [7; 32];

    fn leaves() -> Vec<Leaf> {
        let cache = ed25519::Pair::from_seed(&[1; 32]);
        (0..4)
            .map(|slice| {
                let paid = Usage([10, 0, 0, 0, 0, 0]);
                let body = LeafBody {
                    gateway: GATEWAY,
                    epoch: Epoch(3),
                    customer: Account([2; 32]),
                    cache: DeviceId(cache.public().0),
                    slice: Slice(slice),
                    price_version: 1,
                    paid,
                    amount: charge(&paid, &PRICES).unwrap(),
                    ..Default::default()
                };
                let signature = cache.sign(&Domain::Leaf.message(&GENESIS, &body));
                Leaf {
                    body,
                    cache_signature: selvedge_primitives_types::Signature64(signature.0),
                }
            })
            .collect()
    }

    fn known() -> Known {
        let terms = Terms {
            owner: Account([2; 32]),
            lease: 1_000,
            price_version: 1,
            prices: Some(PRICES),
            storage: 0,
        };
        Known {
            services: [(ServiceId(0), terms)].into(),
            caches: [leaves()[0].body.cache].into(),
            genesis: GENESIS,
        }
    }

    fn commitment(leaves: Vec<Leaf>) -> UsageCommitment {
        let trees = UsageTrees::build::<Keccak>(leaves).unwrap();
        trees.commitment(GATEWAY, Epoch(3))
    }

    #[test]
    fn an_honest_gateway_is_sound() {
        let finding = look(leaves(), &commitment(leaves()), &known()).unwrap();
        assert!(matches!(finding, Finding::Sound));
    }

    #[test]
    fn a_forged_signature_is_found() {
        let mut forged = leaves();
        forged[2].cache_signature.0[3] ^= 1;
        let finding = look(forged.clone(), &commitment(forged), &known()).unwrap();
        assert!(matches!(finding, Finding::Fraud(Defect::BadSignature, _)));
    }

    #[test]
    fn other_leaves_than_the_committed_ones_are_data_withheld() {
        let finding = look(leaves()[1..].to_vec(), &commitment(leaves()), &known()).unwrap();
        assert!(matches!(finding, Finding::Withheld(_)));
        let twice = [leaves(), leaves()].concat();
        let finding = look(twice, &commitment(leaves()), &known()).unwrap();
        assert!(matches!(finding, Finding::Withheld(_)));
    }
}
