//! Signing with the agent key of the keystore.

use super::*;
use crate::sign_with_agent_key;
use selvedge_primitives_types::Domain;
use sp_core::{crypto::KeyTypeId, sr25519, Pair};
use sp_keystore::{testing::MemoryKeystore, Keystore, KeystoreExt};

#[test]
fn signs_domain_genesis_and_payload_with_a_key_of_the_keystore_only() {
    let keystore = MemoryKeystore::new();
    let key = keystore
        .sr25519_generate_new(KeyTypeId(AGENT_KEY_TYPE), None)
        .unwrap();
    let mut ext = sp_io::TestExternalities::default();
    ext.register_extension(KeystoreExt::new(keystore));
    ext.execute_with(|| {
        let (genesis, payload) = ([4; 32], (*b"commit", 7u64));
        let signature = sign_with_agent_key(Domain::Agent, &key.0, &genesis, &payload).unwrap();
        let message = Domain::Agent.message(&genesis, &payload);
        let signature = sr25519::Signature::from_raw(signature.0);
        assert!(sr25519::Pair::verify(&signature, &message, &key));
        let other = Domain::Agent.message(&[5; 32], &payload);
        assert!(!sr25519::Pair::verify(&signature, other, &key));
        assert_eq!(
            sign_with_agent_key(Domain::Agent, &[1; 32], &genesis, &payload),
            None
        );
    });
}
