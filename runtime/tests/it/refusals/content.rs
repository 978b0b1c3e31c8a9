//! Content of services: pins, and what of them is in use.

use super::{
    by, row,
    scene::{Scene, CUSTOMER, STRANGER},
    Fault::*,
    Never, Row,
};
use pallet_edge_services::{types::MAX_PINS, Call, Error};
use selvedge_primitives_types::{
    content::MAX_RULES, ContentKind, ContentRef, Hash, Pin, ServiceId,
};
use selvedge_runtime::Runtime;

type Refused = Error<Runtime>;

/// No service has it.
const NO_SERVICE: ServiceId = ServiceId(u64::MAX);
const DIRECTORY: Hash = [1; 32];
const FILE: Hash = [2; 32];

fn pin(service: ServiceId, root: Hash, change: impl FnOnce(&mut Pin)) -> Call<Runtime> {
    let kind = if root == DIRECTORY {
        ContentKind::Directory
    } else {
        ContentKind::File
    };
    let content = ContentRef {
        root,
        length: 1_000,
        kind,
    };
    let mut pin = Pin {
        content,
        bytes: 1_000,
        factor: 3,
    };
    change(&mut pin);
    Call::pin { service, pin }
}

fn unpin(service: ServiceId, root: Hash) -> Call<Runtime> {
    Call::unpin { service, root }
}

fn site(service: ServiceId, root: Option<Hash>) -> Call<Runtime> {
    Call::set_site { service, root }
}

fn rules(service: ServiceId, root: Option<Hash>) -> Call<Runtime> {
    Call::set_rules { service, root }
}

/// A service that has pinned a directory and a file.
fn pinned(scene: &mut Scene<'_>) -> ServiceId {
    let service = scene.service();
    for root in [DIRECTORY, FILE] {
        scene.send(CUSTOMER, pin(service, root, |_| ()));
    }
    service
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        row("pin", NotTheirs, Refused::NotOwner, |scene| {
            by(STRANGER, pin(scene.service(), FILE, |_| ()))
        }),
        row("pin", Zero, Refused::FactorInvalid, |scene| {
            by(CUSTOMER, pin(scene.service(), FILE, |pin| pin.factor = 0))
        }),
        row("pin", Maximum, Refused::BytesInvalid, |scene| {
            let service = scene.service();
            by(CUSTOMER, pin(service, FILE, |pin| pin.bytes = u64::MAX))
        }),
        row("pin", Maximum, Refused::LengthInvalid, |scene| {
            let long = |pin: &mut Pin| pin.content.length = u64::MAX;
            by(CUSTOMER, pin(scene.service(), DIRECTORY, long))
        }),
        row("pin", Maximum, Refused::TooManyPins, |scene| {
            let service = scene.service();
            for n in 0..MAX_PINS as u8 {
                scene.send(CUSTOMER, pin(service, [100 + n; 32], |_| ()));
            }
            by(CUSTOMER, pin(service, FILE, |_| ()))
        }),
        row("pin", UnknownId, Refused::UnknownService, |_| {
            by(CUSTOMER, pin(NO_SERVICE, FILE, |_| ()))
        }),
        row("pin", Repeated, Refused::Unchanged, |scene| {
            by(CUSTOMER, pin(pinned(scene), FILE, |_| ()))
        }),
        row("pin", OutOfOrder, Refused::PinnedOtherwise, |scene| {
            let other = |pin: &mut Pin| pin.content.kind = ContentKind::Directory;
            by(CUSTOMER, pin(pinned(scene), FILE, other))
        }),
        row("unpin", NotTheirs, Refused::NotOwner, |scene| {
            by(STRANGER, unpin(pinned(scene), FILE))
        }),
        row("unpin", Zero, Refused::NotPinned, |scene| {
            by(CUSTOMER, unpin(pinned(scene), [0; 32]))
        }),
        row("unpin", UnknownId, Refused::UnknownService, |_| {
            by(CUSTOMER, unpin(NO_SERVICE, FILE))
        }),
        row("unpin", Repeated, Refused::NotPinned, |scene| {
            let service = pinned(scene);
            scene.send(CUSTOMER, unpin(service, FILE));
            by(CUSTOMER, unpin(service, FILE))
        }),
        row("unpin", OutOfOrder, Refused::StillPointedAt, |scene| {
            let service = pinned(scene);
            scene.send(CUSTOMER, site(service, Some(DIRECTORY)));
            by(CUSTOMER, unpin(service, DIRECTORY))
        }),
        row("set_site", NotTheirs, Refused::NotOwner, |scene| {
            by(STRANGER, site(pinned(scene), Some(DIRECTORY)))
        }),
        row("set_site", Zero, Refused::NotPinned, |scene| {
            by(CUSTOMER, site(pinned(scene), Some([0; 32])))
        }),
        row("set_site", UnknownId, Refused::UnknownService, |_| {
            by(CUSTOMER, site(NO_SERVICE, None))
        }),
        row("set_site", Repeated, Refused::Unchanged, |scene| {
            let service = pinned(scene);
            scene.send(CUSTOMER, site(service, Some(DIRECTORY)));
            by(CUSTOMER, site(service, Some(DIRECTORY)))
        }),
        row("set_site", OutOfOrder, Refused::NotADirectory, |scene| {
            by(CUSTOMER, site(pinned(scene), Some(FILE)))
        }),
        row("set_site", TooEarly, Refused::NotPinned, |scene| {
            by(CUSTOMER, site(scene.service(), Some(DIRECTORY)))
        }),
        row("set_site", TooLate, Refused::NotPinned, |scene| {
            let service = pinned(scene);
            scene.send(CUSTOMER, unpin(service, DIRECTORY));
            by(CUSTOMER, site(service, Some(DIRECTORY)))
        }),
        row("set_rules", NotTheirs, Refused::NotOwner, |scene| {
            by(STRANGER, rules(pinned(scene), Some(FILE)))
        }),
        row("set_rules", Zero, Refused::NotPinned, |scene| {
            by(CUSTOMER, rules(pinned(scene), Some([0; 32])))
        }),
        row("set_rules", Maximum, Refused::RulesInvalid, |scene| {
            let service = scene.service();
            let long = |pin: &mut Pin| {
                pin.content.length = MAX_RULES + 1;
                pin.bytes = pin.content.length;
            };
            scene.send(CUSTOMER, pin(service, FILE, long));
            by(CUSTOMER, rules(service, Some(FILE)))
        }),
        row("set_rules", UnknownId, Refused::UnknownService, |_| {
            by(CUSTOMER, rules(NO_SERVICE, None))
        }),
        row("set_rules", Repeated, Refused::Unchanged, |scene| {
            let service = pinned(scene);
            scene.send(CUSTOMER, rules(service, Some(FILE)));
            by(CUSTOMER, rules(service, Some(FILE)))
        }),
        row("set_rules", OutOfOrder, Refused::RulesInvalid, |scene| {
            by(CUSTOMER, rules(pinned(scene), Some(DIRECTORY)))
        }),
        row("set_rules", TooEarly, Refused::NotPinned, |scene| {
            by(CUSTOMER, rules(scene.service(), Some(FILE)))
        }),
        row("set_rules", TooLate, Refused::NotPinned, |scene| {
            let service = pinned(scene);
            scene.send(CUSTOMER, unpin(service, FILE));
            by(CUSTOMER, rules(service, Some(FILE)))
        }),
    ]
}

pub(super) fn never() -> Vec<Never> {
    let any_time = "it may be done at any time";
    vec![
        ("pin", &[TooEarly, TooLate], any_time),
        ("unpin", &[Maximum], "it takes no amount"),
        ("unpin", &[TooEarly, TooLate], any_time),
        ("set_site", &[Maximum], "it takes no amount"),
    ]
}
