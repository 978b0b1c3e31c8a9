//! Signatures over vouchers and leaves.

use crate::Keccak;
use codec::Encode;
use ed25519_dalek::SigningKey;
use selvedge_edge_core_verify::{
    sign::{sign, verify},
    Error,
};
use selvedge_primitives_math::Keccak256;
use selvedge_primitives_types::{
    Domain, GenesisHash, Hash, Leaf, LeafBody, Signature64, SignedVoucher, Voucher,
};

/// Signs what a gateway owes; `key` is the gateway's.
pub fn sign_voucher(key: &SigningKey, genesis: &GenesisHash, voucher: Voucher) -> SignedVoucher {
    SignedVoucher {
        voucher,
        signature: sign(key, Domain::Voucher, genesis, &voucher),
    }
}

/// Checks a voucher against the gateway it names. Errors: not a key, or not its signature.
pub fn verify_voucher(genesis: &GenesisHash, signed: &SignedVoucher) -> Result<(), Error> {
    let SignedVoucher { voucher, signature } = signed;
    verify(
        &voucher.gateway,
        Domain::Voucher,
        genesis,
        voucher,
        signature,
    )
}

/// Signs a leaf; `key` is its cache's.
pub fn sign_leaf(key: &SigningKey, genesis: &GenesisHash, body: &LeafBody) -> Signature64 {
    sign(key, Domain::Leaf, genesis, body)
}

/// Checks a leaf against the cache it names. Errors: not a key, or not its signature.
pub fn verify_leaf(genesis: &GenesisHash, leaf: &Leaf) -> Result<(), Error> {
    verify(
        &leaf.body.cache,
        Domain::Leaf,
        genesis,
        &leaf.body,
        &leaf.cache_signature,
    )
}

/// What a leaf says of the last voucher its cache held: keccak-256 of the voucher's SCALE form,
/// without its signature.
pub fn voucher_digest(voucher: &Voucher) -> Hash {
    Keccak::hash(&voucher.encode())
}
