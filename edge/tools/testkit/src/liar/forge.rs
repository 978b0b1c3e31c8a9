//! What a liar holds and makes up.

use bytes::Bytes;
use selvedge_edge_core_verify::{
    sign::device, sign_record, Outboard, RangePlan, RecordHead, SignedFrame, SigningKey,
};
use selvedge_edge_core_verify::{FrameWriter, LeaseId, Part};
use selvedge_edge_drivers_transport::LookupRequest;
use selvedge_primitives_types::{GenesisHash, Millis, SignedRecord};

/// A response it was seeded with.
#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) head: RecordHead,
    pub(crate) frames: Vec<(SignedFrame, Bytes)>,
    pub(crate) signed: SignedRecord,
    pub(crate) body: Vec<u8>,
}

/// A response of this age for a request, signed as it should be by whoever has the key.
pub(crate) fn old_record(
    request: &LookupRequest,
    key: &SigningKey,
    genesis: &GenesisHash,
    age: u64,
) -> Kept {
    let body = b"what the site said once".to_vec();
    let then = Millis(crate::chain::now().0 - age);
    let fields = [
        ("cache-control", "max-age=60"),
        ("content-type", "text/plain"),
    ];
    let head = RecordHead {
        lease: LeaseId(0),
        cache: Default::default(),
        service: request.service,
        key: request.key.clone(),
        variant: Vec::new(),
        status: 200,
        fields: fields
            .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
            .to_vec(),
        generation: request.generation,
        requested: then,
        received: then,
        gateway: device(key),
        stated_length: None,
    };
    let mut writer = FrameWriter::new(key.clone(), *genesis, &head).expect("its own head");
    let frame = writer.frame(&body, true).expect("a short frame");
    let record = head
        .clone()
        .into_record(*blake3::hash(&body).as_bytes(), body.len() as u64);
    let signed = sign_record(key, genesis, record).expect("its own record");
    Kept {
        head,
        frames: vec![(frame, body.clone().into())],
        signed,
        body,
    }
}

/// A whole body on the wire, with its proofs.
pub(crate) fn encode(body: &[u8]) -> Vec<u8> {
    encode_range(
        body,
        &RangePlan::whole(body.len() as u64).expect("a short body"),
    )
}

/// A range of a body on the wire, with its proofs.
pub(crate) fn encode_range(body: &[u8], plan: &RangePlan) -> Vec<u8> {
    let outboard = Outboard::of(body);
    let mut bytes = Vec::new();
    for part in plan.parts() {
        match part {
            Part::Proof { slice, .. } => {
                bytes.extend(
                    outboard
                        .slice_proof(slice)
                        .expect("a slice of the body")
                        .to_bytes(),
                );
            }
            Part::Group { bytes: range, .. } => {
                bytes.extend_from_slice(&body[range.start as usize..range.end as usize]);
            }
        }
    }
    bytes
}
