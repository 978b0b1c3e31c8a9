//! What wallets and light clients depend on.

use crate::chain::{genesis, signed};
use codec::{Decode, Encode};
use frame_metadata::{v14::RuntimeMetadataV14, RuntimeMetadata, RuntimeMetadataPrefixed};
use scale_info::{form::PortableForm, PortableRegistry, Type, TypeDef};
use selvedge_runtime::{
    constants::{
        currency::{DECIMALS, SEL, SYMBOL},
        SS58_PREFIX,
    },
    Runtime,
};
use sp_core::crypto::{Ss58AddressFormat, Ss58Codec};
use sp_keyring::Sr25519Keyring;

/// The stock extensions in the order that wallets sign them.
const EXTENSIONS: [&str; 11] = [
    "AuthorizeCall",
    "CheckNonZeroSender",
    "CheckSpecVersion",
    "CheckTxVersion",
    "CheckGenesis",
    "CheckMortality",
    "CheckNonce",
    "CheckWeight",
    "ChargeTransactionPayment",
    "CheckMetadataHash",
    "WeightReclaim",
];

/// Those that every wallet knows how to fill in.
const KNOWN_TO_WALLETS: [&str; 9] = [
    "CheckNonZeroSender",
    "CheckSpecVersion",
    "CheckTxVersion",
    "CheckGenesis",
    "CheckMortality",
    "CheckNonce",
    "CheckWeight",
    "ChargeTransactionPayment",
    "CheckMetadataHash",
];

/// The pallets of this house.
const OURS: [&str; 11] = [
    "NodeRegistry",
    "NodeStaking",
    "UsageClock",
    "Services",
    "Billing",
    "Audits",
    "Claims",
    "Reputation",
    "NodeYields",
    "EdgeGovernance",
    "ChainParams",
];

/// The metadata that wallets ask for first. Constants may stand in storage, so it needs a state.
pub fn metadata() -> RuntimeMetadataV14 {
    match genesis("development").execute_with(|| Runtime::metadata().1) {
        RuntimeMetadata::V14(metadata) => metadata,
        other => panic!("version 14 comes first, not {}", other.version()),
    }
}

/// Every call of the pallets of this house, as pallet and call.
pub fn own_calls(metadata: &RuntimeMetadataV14) -> Vec<(String, String)> {
    let mut own = Vec::new();
    for pallet in metadata
        .pallets
        .iter()
        .filter(|pallet| OURS.contains(&pallet.name.as_str()))
    {
        let Some(calls) = &pallet.calls else { continue };
        let TypeDef::Variant(kind) = &resolve(&metadata.types, calls.ty.id).type_def else {
            panic!("calls are variants");
        };
        let calls = kind.variants.iter();
        own.extend(calls.map(|call| (pallet.name.clone(), call.name.clone())));
    }
    own
}

fn resolve(types: &PortableRegistry, id: u32) -> &Type<PortableForm> {
    types.resolve(id).expect("the registry is whole")
}

/// Whether a value of the type takes no byte.
fn is_empty(types: &PortableRegistry, id: u32) -> bool {
    match &resolve(types, id).type_def {
        TypeDef::Composite(composite) => composite
            .fields
            .iter()
            .all(|field| is_empty(types, field.ty.id)),
        TypeDef::Tuple(tuple) => tuple.fields.iter().all(|field| is_empty(types, field.id)),
        TypeDef::Array(array) => array.len == 0 || is_empty(types, array.type_param.id),
        _ => false,
    }
}

#[test]
fn extensions_are_the_stock_ones_in_their_order() {
    let metadata = metadata();
    let names: Vec<_> = metadata
        .extrinsic
        .signed_extensions
        .iter()
        .map(|extension| extension.identifier.as_str())
        .collect();
    assert_eq!(names, EXTENSIONS);
}

#[test]
fn an_extension_that_wallets_do_not_know_takes_no_byte() {
    let metadata = metadata();
    for extension in &metadata.extrinsic.signed_extensions {
        if KNOWN_TO_WALLETS.contains(&extension.identifier.as_str()) {
            continue;
        }
        let name = &extension.identifier;
        assert!(
            is_empty(&metadata.types, extension.ty.id),
            "{name} adds to the transaction"
        );
        assert!(
            is_empty(&metadata.types, extension.additional_signed.id),
            "{name} adds to what is signed"
        );
    }
}

#[test]
fn a_signed_transaction_is_of_version_four() {
    assert_eq!(metadata().extrinsic.version, 4);
    genesis("development").execute_with(|| {
        let call = frame_system::Call::remark { remark: Vec::new() };
        let bytes = signed(Sr25519Keyring::Alice, call).encode();
        let mut body = &bytes[..];
        codec::Compact::<u32>::decode(&mut body).expect("a length comes first");
        assert_eq!(body[0], 0b1000_0100);
    });
}

#[test]
fn every_version_of_the_metadata_can_be_read() {
    assert_eq!(Runtime::metadata_versions(), [14, 15, 16]);
    genesis("development").execute_with(|| {
        for version in [14, 15, 16] {
            let opaque = Runtime::metadata_at_version(version).expect("the version is there");
            let read = RuntimeMetadataPrefixed::decode(&mut &opaque[..]).expect("it decodes");
            assert_eq!(read.1.version(), version);
        }
        assert!(Runtime::metadata_at_version(13).is_none());
    });
}

/// Wallets show these texts to who is about to sign.
#[test]
fn every_call_event_and_error_of_ours_is_documented() {
    let metadata = metadata();
    let mut silent = Vec::new();
    let mut seen = 0;
    for pallet in metadata
        .pallets
        .iter()
        .filter(|pallet| OURS.contains(&pallet.name.as_str()))
    {
        let kinds = [
            pallet.calls.as_ref().map(|calls| calls.ty.id),
            pallet.event.as_ref().map(|event| event.ty.id),
            pallet.error.as_ref().map(|error| error.ty.id),
        ];
        for id in kinds.into_iter().flatten() {
            let TypeDef::Variant(kind) = &resolve(&metadata.types, id).type_def else {
                panic!("calls, events and errors are variants");
            };
            for variant in &kind.variants {
                seen += 1;
                if variant.docs.iter().all(|line| line.trim().is_empty()) {
                    silent.push(format!("{}::{}", pallet.name, variant.name));
                }
            }
        }
        for entry in pallet.storage.iter().flat_map(|storage| &storage.entries) {
            seen += 1;
            if entry.docs.is_empty() {
                silent.push(format!("{}::{}", pallet.name, entry.name));
            }
        }
    }
    assert_eq!(silent, Vec::<String>::new());
    assert!(seen > 200, "only {seen} items were looked at");
}

/// A stock name with another shape would break wallets that know the stock pallet.
#[test]
fn our_pallets_take_no_stock_name() {
    let stock = [
        "Staking",
        "NodeAuthorization",
        "Identity",
        "Assets",
        "Bounties",
        "Society",
    ];
    for name in OURS {
        assert!(!stock.contains(&name), "{name}");
    }
}

#[test]
fn addresses_begin_with_se() {
    assert_eq!(
        <Runtime as frame_system::Config>::SS58Prefix::get(),
        SS58_PREFIX
    );
    let format = Ss58AddressFormat::custom(SS58_PREFIX);
    for key in Sr25519Keyring::well_known() {
        let address = key.to_account_id().to_ss58check_with_version(format);
        assert!(address.starts_with("se"), "{address}");
    }
    let constant = metadata()
        .pallets
        .iter()
        .find(|pallet| pallet.name == "System")
        .and_then(|system| {
            system
                .constants
                .iter()
                .find(|constant| constant.name == "SS58Prefix")
                .cloned()
        })
        .expect("wallets read the prefix here");
    assert_eq!(u16::decode(&mut &constant.value[..]), Ok(460));
}

#[test]
fn the_token_is_what_chain_specs_say() {
    assert_eq!((SYMBOL, DECIMALS, SEL), ("SEL", 12, 1_000_000_000_000));
}
