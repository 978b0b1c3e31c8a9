//! Whether a request or an order counts.

use selvedge_edge_core_verify::sign::verify;
use selvedge_edge_core_verify::verify_customer;
use selvedge_primitives_types::{
    Account, DeviceId, Domain, GenesisHash, Millis, PurgeAuthor, PurgeRefusal, ServiceId,
    SignedPurgeOrder, SignedPurgeRequest,
};

/// How far a number may lie ahead of the clock, in milliseconds: one far in the future would forbid
/// all later purges.
pub const AHEAD: u64 = 300_000;
/// How far a number may lie from when its request was signed, in milliseconds. An old request cannot
/// be ordered anew.
const AROUND: u64 = 1_200_000;

/// What of the chain's config signatures are checked against.
pub trait Registry {
    /// The chain's genesis hash.
    fn genesis(&self) -> &GenesisHash;

    /// Who pays for a service.
    fn customer(&self, service: ServiceId) -> Option<Account>;

    /// Whether a device is a registered cache, which may own the order of a service.
    fn is_cache(&self, device: &DeviceId) -> bool;

    /// Whether a device is a registered gateway with an active stake: one that may serve every
    /// service there is, and say what unsafe requests made invalid of it.
    fn is_gateway(&self, device: &DeviceId) -> bool;
}

/// Checks what was asked for and by whom, but not when.
pub(crate) fn request(
    registry: &impl Registry,
    signed: &SignedPurgeRequest,
) -> Result<(), PurgeRefusal> {
    if !signed.request.is_bounded() {
        return Err(PurgeRefusal::Text);
    }
    let customer = registry
        .customer(signed.request.service)
        .ok_or(PurgeRefusal::UnknownService)?;
    let (request, genesis) = (&signed.request, registry.genesis());
    match &signed.author {
        PurgeAuthor::Gateway(device, signature) => {
            let is_allowed = signed.is_fitting() && registry.is_gateway(device);
            if !is_allowed {
                return Err(PurgeRefusal::NotTheGateway);
            }
            verify(device, Domain::Invalidation, genesis, request, signature)
                .map_err(|_| PurgeRefusal::NotTheGateway)
        }
        author => {
            let signature = author.customer().filter(|_| signed.is_fitting());
            let signature = signature.ok_or(PurgeRefusal::NotTheCustomer)?;
            let domain = Domain::PurgeRequest;
            verify_customer(&customer, domain, genesis, request, &signature)
                .map_err(|_| PurgeRefusal::NotTheCustomer)
        }
    }
}

/// Checks an order. What was missed may be of an owner that is registered no longer: its author's
/// signature and the time that it bears are enough for it. A gateway that is registered no longer is
/// no author: what it made invalid stays unknown, and so doubtful, where it was missed.
pub(crate) fn order(
    registry: &impl Registry,
    signed: &SignedPurgeOrder,
    is_live: bool,
    now: Millis,
) -> Result<(), PurgeRefusal> {
    let order = &signed.order;
    let issued = signed.request().issued.0;
    let is_possible = order.number <= now.0.saturating_add(AHEAD)
        && order.number.abs_diff(issued) <= AROUND
        && order.after < order.number;
    if !is_possible {
        return Err(PurgeRefusal::Number);
    }
    if is_live && !registry.is_cache(&order.owner) {
        return Err(PurgeRefusal::NotAnOwner);
    }
    verify(
        &order.owner,
        Domain::PurgeOrder,
        registry.genesis(),
        order,
        &signed.signature,
    )
    .map_err(|_| PurgeRefusal::NotAnOwner)?;
    request(registry, &order.signed)
}
