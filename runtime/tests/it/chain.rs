//! A chain of real blocks: everything goes through `Executive`, as in a node.

use codec::{Decode, Encode};
use frame_support::{
    dispatch::DispatchResult,
    storage::{with_transaction_unchecked, TransactionOutcome},
    traits::Get,
};
use pallet_edge_traits::EpochClock;
use parking_lot::RwLock;
use selvedge_primitives_types::{
    agent::AGENT_KEY_TYPE, Account, DeviceId, Domain, Epoch, GenesisHash, Signature64,
};
use selvedge_runtime::{
    configs::{driver::genesis_hash, system::RuntimeBlockWeights},
    presets, AccountId, Executive, Header, Runtime, RuntimeCall, RuntimeGenesisConfig, Session,
    SignedPayload, System, TxExtension, UncheckedExtrinsic, UsageClock,
};
use serde_json::Value;
use sp_consensus_babe::{
    digests::{PreDigest, SecondaryPlainPreDigest},
    Slot, BABE_ENGINE_ID,
};
use sp_core::{
    crypto::KeyTypeId,
    ed25519,
    offchain::{
        testing::{PoolState, TestTransactionPoolExt},
        TransactionPoolExt,
    },
    Pair, H256,
};
use sp_io::TestExternalities;
use sp_keyring::Sr25519Keyring;
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::{
    generic::Era,
    traits::Header as _,
    transaction_validity::{TransactionSource, TransactionValidityError},
    ApplyExtrinsicResult, BuildStorage, Digest, DigestItem, MultiSignature,
};
use std::sync::Arc;

/// Hash of the first block in every test.
pub const GENESIS: H256 = H256([7; 32]);
/// Time of the first block: in the middle of a slot, in November 2026.
const START_MILLIS: u64 = 1_795_000_001_500;
/// A slot of the presets.
pub const SLOT_MILLIS: u64 = 3_000;

/// The whole configuration of a preset.
pub fn config(preset: &str) -> Value {
    let mut config =
        serde_json::to_value(RuntimeGenesisConfig::default()).expect("the default is JSON");
    let patch = presets::get(&preset.into()).expect("the preset exists");
    merge(
        &mut config,
        serde_json::from_slice(&patch).expect("a preset is JSON"),
    );
    config
}

fn merge(config: &mut Value, patch: Value) {
    match (config, patch) {
        (Value::Object(config), Value::Object(patch)) => {
            for (key, value) in patch {
                merge(config.entry(key).or_insert(Value::Null), value);
            }
        }
        (config, patch) => *config = patch,
    }
}

/// State of a preset's first block, with a keystore for agents.
pub fn genesis(preset: &str) -> TestExternalities {
    genesis_of(config(preset))
}

/// State of the first block of a configuration, with a keystore for agents.
pub fn genesis_of(config: Value) -> TestExternalities {
    let config: RuntimeGenesisConfig =
        serde_json::from_value(config).expect("a preset fits its configuration");
    let mut ext = TestExternalities::new(config.build_storage().expect("the preset builds"));
    ext.register_extension(KeystoreExt(Arc::new(MemoryKeystore::new())));
    ext
}

/// Runs `test` on a preset and checks every invariant of the runtime after it.
pub fn run(preset: &str, test: impl FnOnce(&mut Chain)) {
    run_from(genesis(preset), |chain| {
        test(chain);
        selvedge_runtime::check_invariants().expect("every invariant holds at the end");
    });
}

/// Makes the first block of a chain, and runs `test` on it.
pub fn run_from<R>(mut genesis: TestExternalities, test: impl FnOnce(&mut Chain) -> R) -> R {
    let mut chain = Chain::start(&mut genesis);
    genesis.execute_with(|| test(&mut chain))
}

/// The chain, between two blocks.
pub struct Chain {
    parent: H256,
    slot: u64,
    author: u32,
    pool: Arc<RwLock<PoolState>>,
}

impl Chain {
    /// Makes the first block of a chain; its state stays with `genesis`.
    pub fn start(genesis: &mut TestExternalities) -> Self {
        let (pool, state) = TestTransactionPoolExt::new();
        genesis.register_extension(TransactionPoolExt::new(pool));
        let mut chain = Self {
            parent: GENESIS,
            slot: START_MILLIS / SLOT_MILLIS,
            author: 0,
            pool: state,
        };
        genesis.execute_with(|| chain.block([]));
        chain
    }

    /// Takes what off-chain workers have put into the node's pool.
    pub fn submitted(&mut self) -> Vec<UncheckedExtrinsic> {
        let transactions = std::mem::take(&mut self.pool.write().transactions);
        transactions
            .iter()
            .map(|bytes| UncheckedExtrinsic::decode(&mut &bytes[..]).expect("it is a transaction"))
            .collect()
    }

    /// One block with what off-chain workers have put into the pool; all of it must succeed.
    pub fn apply_submitted(&mut self) {
        let transactions = self.submitted();
        assert!(!transactions.is_empty(), "nothing was sent");
        for transaction in &transactions {
            assert_eq!(validate(transaction.clone()), Ok(()));
        }
        for outcome in self.block(transactions) {
            assert_eq!(outcome, Ok(Ok(())));
        }
    }

    /// Makes the next block, in the next slot, of the time and `transactions`; each must be valid
    /// and is applied in order. Returns how they ended.
    pub fn block(
        &mut self,
        transactions: impl IntoIterator<Item = UncheckedExtrinsic>,
    ) -> Vec<ApplyExtrinsicResult> {
        let mut transactions = transactions.into_iter().peekable();
        match transactions.peek() {
            Some(_) => self.begin_with_room(),
            None => self.begin(),
        }
        let outcomes = transactions.map(apply).collect();
        self.end();
        outcomes
    }

    /// One block with one transaction of `signer`; fails as its call does. Where the block has no
    /// room, as a session's first, it waits for the next one as it would in a pool.
    pub fn send(&mut self, signer: Sr25519Keyring, call: impl Into<RuntimeCall>) -> DispatchResult {
        let transaction = signed(signer, call);
        self.begin_with_room();
        let outcome = apply(transaction).expect("the transaction is valid");
        self.end();
        outcome
    }

    /// Makes empty blocks until a usage epoch has run for this part of its length.
    pub fn run_to(&mut self, epoch: u64, quarters: u64) {
        let epoch = Epoch(epoch);
        loop {
            let due = UsageClock::start_of(epoch).0 + UsageClock::length().0 * quarters / 4;
            if UsageClock::now().0 >= due {
                break;
            }
            self.block([]);
        }
        assert_eq!(UsageClock::current(), epoch, "the epoch was passed already");
    }

    /// Goes on to where an epoch has run for this part of its length, with no more blocks than that
    /// takes.
    pub fn leap_to(&mut self, epoch: u64, quarters: u64) {
        while let Some(empty) = empty_slots_to(Epoch(epoch), quarters) {
            self.stop(empty);
            self.block([]);
        }
    }

    /// Makes `count` empty blocks.
    pub fn blocks(&mut self, count: u32) {
        for _ in 0..count {
            self.block([]);
        }
    }

    /// Lets slots pass in which nobody makes a block.
    pub fn stop(&mut self, slots: u64) {
        self.slot += slots;
    }

    /// The slot of the last block.
    pub fn slot(&self) -> Slot {
        self.slot.into()
    }

    /// Begins the next block that has room for calls: the first of a session is full with turning it,
    /// so that what is in a pool waits for the one after it.
    pub fn begin_with_room(&mut self) {
        self.begin();
        let max = RuntimeBlockWeights::get().max_block;
        while System::block_weight().total().any_gte(max) {
            self.end();
            self.begin();
        }
    }

    /// Begins a block with its inherents.
    pub fn begin(&mut self) {
        self.slot += 1;
        let number = System::block_number() + 1;
        self.author = self.next_author();
        let digest = PreDigest::SecondaryPlain(SecondaryPlainPreDigest {
            authority_index: self.author,
            slot: self.slot.into(),
        });
        let digest = Digest {
            logs: vec![DigestItem::PreRuntime(BABE_ENGINE_ID, digest.encode())],
        };
        let header = Header::new(number, H256::zero(), H256::zero(), self.parent, digest);
        Executive::initialize_block(&header);
        let now = self.slot * SLOT_MILLIS + SLOT_MILLIS / 2;
        let time = RuntimeCall::Timestamp(pallet_timestamp::Call::set { now });
        Executive::apply_extrinsic(UncheckedExtrinsic::new_bare(time))
            .expect("the time is a valid inherent")
            .expect("the time can be set");
    }

    /// Index of the authority that makes the next block: the next one that is not disabled.
    pub fn next_author(&self) -> u32 {
        let count = pallet_babe::Authorities::<Runtime>::get().len().max(1) as u32;
        let disabled = Session::disabled_validators();
        (1..=count)
            .map(|step| (self.author + step) % count)
            .find(|author| !disabled.contains(author))
            .expect("somebody may author")
    }

    /// Ends the block that was begun.
    pub fn end(&mut self) {
        self.parent = Executive::finalize_block().hash();
    }
}

/// Applies a transaction as a block's author does: one that is refused leaves nothing behind.
pub fn apply(transaction: UncheckedExtrinsic) -> ApplyExtrinsicResult {
    with_transaction_unchecked(|| match Executive::apply_extrinsic(transaction) {
        Err(refused) => TransactionOutcome::Rollback(Err(refused)),
        outcome => TransactionOutcome::Commit(outcome),
    })
}

/// Slots that may stay empty before the block in which an epoch has run for this part of its
/// length, or that brings it as near as one block can; `None` when it has run for so long.
pub fn empty_slots_to(epoch: Epoch, quarters: u64) -> Option<u64> {
    let due = UsageClock::start_of(epoch).0 + UsageClock::length().0 * quarters / 4;
    let missing = due.checked_sub(UsageClock::now().0)?.div_ceil(SLOT_MILLIS);
    let most = UsageClock::length().0 / SLOT_MILLIS;
    missing.min(most).checked_sub(1)
}

/// A transaction as a wallet would sign it.
pub fn signed(signer: Sr25519Keyring, call: impl Into<RuntimeCall>) -> UncheckedExtrinsic {
    let account = signer.to_account_id();
    signed_by(&account, call, |message| signer.sign(message).into())
}

/// A transaction of `account`, signed by whoever signs for it.
pub fn signed_by(
    account: &AccountId,
    call: impl Into<RuntimeCall>,
    sign: impl FnOnce(&[u8]) -> MultiSignature,
) -> UncheckedExtrinsic {
    let nonce = System::account_nonce(account);
    let payload =
        SignedPayload::new(call.into(), extension(nonce)).expect("the payload can be made");
    let signature = payload.using_encoded(sign);
    let (call, extension, _) = payload.deconstruct();
    UncheckedExtrinsic::new_signed(call, account.clone().into(), signature, extension)
}

fn extension(nonce: u32) -> TxExtension {
    (
        frame_system::AuthorizeCall::new(),
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckMortality::from(Era::Immortal),
        frame_system::CheckNonce::from(nonce),
        frame_system::CheckWeight::new(),
        pallet_transaction_payment::ChargeTransactionPayment::from(0),
        frame_metadata_hash_extension::CheckMetadataHash::new(false),
        frame_system::WeightReclaim::new(),
    )
}

/// Whether the pool would take a transaction.
pub fn validate(transaction: UncheckedExtrinsic) -> Result<(), TransactionValidityError> {
    let parent = System::parent_hash();
    Executive::validate_transaction(TransactionSource::External, transaction, parent).map(drop)
}

/// The account of a key ring's key as the edge names it.
pub fn account(key: Sr25519Keyring) -> Account {
    Account(key.to_account_id().into())
}

/// A device, with its agent's key in the keystore.
pub struct Device {
    /// Signs as the device.
    pub pair: ed25519::Pair,
    /// The key of its agent.
    pub agent_key: [u8; 32],
}

impl Device {
    /// The device of a seed.
    pub fn new(seed: u8) -> Self {
        let agent = format!("//agent//{seed}");
        let agent_key =
            sp_io::crypto::sr25519_generate(KeyTypeId(AGENT_KEY_TYPE), Some(agent.into()));
        Self {
            pair: ed25519::Pair::from_seed(&[seed; 32]),
            agent_key: agent_key.0,
        }
    }

    /// Its id.
    pub fn id(&self) -> DeviceId {
        DeviceId(self.pair.public().0)
    }

    /// Its signature for a purpose.
    pub fn sign(&self, domain: Domain, payload: &impl Encode) -> Signature64 {
        Signature64(self.pair.sign(&domain.message(&chain_hash(), payload)).0)
    }
}

/// The genesis hash as signatures bind it.
pub fn chain_hash() -> GenesisHash {
    assert_eq!(genesis_hash(), GENESIS.0);
    genesis_hash()
}

/// The longest hold-back of a preset, in epochs.
pub fn hold_back() -> u64 {
    <selvedge_runtime::configs::params::dynamic_params::billing::HoldBackEpochs as Get<u64>>::get()
}
