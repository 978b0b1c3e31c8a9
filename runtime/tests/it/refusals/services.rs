//! Services, their terms, host names and price lists.

use super::{
    by, content, row,
    scene::{create, Scene, CUSTOMER, GATEWAY, STRANGER},
    Attempt,
    Fault::*,
    Never, Table,
};
use frame_support::assert_ok;
use pallet_edge_billing::Error as BillingError;
use pallet_edge_governance::Origin;
use pallet_edge_services::{types::MAX_PRICE_LISTS, Call, Error};
use selvedge_primitives_types::{
    agent::HostCheckVerdict, DeviceId, Domain, Epoch, Planck, Prices, ServiceId, Signature64,
};
use selvedge_runtime::{constants::currency::SEL, presets::PRICES, Runtime, Services};

type Refused = Error<Runtime>;

/// No service has it.
const NO_SERVICE: ServiceId = ServiceId(u64::MAX);
/// A public name, which has to be proven.
const PUBLIC: &str = "www.example.org";

fn host(name: &str) -> Vec<u8> {
    name.as_bytes().to_vec()
}

fn add(service: ServiceId, name: &str) -> Call<Runtime> {
    let host = host(name);
    Call::add_host { service, host }
}

fn remove(service: ServiceId, name: &str) -> Call<Runtime> {
    let host = host(name);
    Call::remove_host { service, host }
}

fn origin(service: ServiceId, url: &str) -> Call<Runtime> {
    Call::set_origin {
        service,
        origin_url: url.as_bytes().to_vec(),
    }
}

fn cap(service: ServiceId, cap: Planck) -> Call<Runtime> {
    Call::set_cap { service, cap }
}

fn pin(service: ServiceId, price_version: u32) -> Call<Runtime> {
    Call::set_price_version {
        service,
        price_version,
    }
}

fn created(change: impl FnOnce(&mut Vec<Vec<u8>>, &mut Planck, &mut u32)) -> Call<Runtime> {
    let mut call = create(&["new.localhost"]);
    if let Call::create_service {
        hosts,
        cap,
        price_version,
        ..
    } = &mut call
    {
        change(hosts, cap, price_version);
    }
    call
}

/// A second price list, which nobody may pin yet.
fn published() {
    assert_ok!(Services::publish_prices(Origin::Prices.into(), PRICES));
}

fn paused(scene: &mut Scene<'_>) -> ServiceId {
    let service = scene.service();
    scene.send(CUSTOMER, Call::pause { service });
    service
}

/// What the first gateway says of a public name that it was drawn for in epoch 1.
fn verdict(scene: &mut Scene<'_>) -> HostCheckVerdict {
    let service = scene.service();
    scene.send(CUSTOMER, add(service, PUBLIC));
    scene.at(1, 0);
    HostCheckVerdict {
        device: scene.id(GATEWAY),
        service,
        host: host(PUBLIC),
        epoch: Epoch(1),
        found: true,
    }
}

fn attest(verdict: HostCheckVerdict, signature: Signature64) -> Call<Runtime> {
    let HostCheckVerdict {
        device,
        service,
        host,
        epoch,
        found,
    } = verdict;
    Call::attest_host {
        service,
        host,
        device,
        epoch,
        found,
        signature,
    }
}

fn attested(scene: &Scene<'_>, verdict: HostCheckVerdict) -> Call<Runtime> {
    let signature = scene.node(GATEWAY).sign(Domain::HostCheck, &verdict);
    attest(verdict, signature)
}

pub fn table() -> Table {
    let mut rows = vec![
        row("create_service", NotTheirs, Refused::HostTaken, |scene| {
            scene.service();
            let amount = 200 * SEL;
            scene.send(STRANGER, pallet_edge_billing::Call::deposit { amount });
            by(STRANGER, create(&["one.localhost"]))
        }),
        row("create_service", Zero, Refused::CapIsZero, |scene| {
            scene.deposit();
            by(CUSTOMER, created(|_, cap, _| *cap = 0))
        }),
        row("create_service", Zero, Refused::HostNameInvalid, |scene| {
            scene.deposit();
            by(CUSTOMER, create(&[""]))
        }),
        row(
            "create_service",
            Maximum,
            BillingError::<Runtime>::AllowanceNotCovered,
            |scene| {
                scene.deposit();
                by(CUSTOMER, created(|_, cap, _| *cap = Planck::MAX))
            },
        ),
        row("create_service", Maximum, Refused::TooManyHosts, |scene| {
            scene.deposit();
            by(
                CUSTOMER,
                created(|hosts, _, _| *hosts = vec![host("a.localhost"); 17]),
            )
        }),
        row(
            "create_service",
            UnknownId,
            Refused::UnknownPriceList,
            |scene| {
                scene.deposit();
                by(CUSTOMER, created(|_, _, version| *version = 9))
            },
        ),
        row("create_service", Repeated, Refused::HostTaken, |scene| {
            scene.service();
            by(CUSTOMER, create(&["one.localhost"]))
        }),
        row(
            "create_service",
            OutOfOrder,
            BillingError::<Runtime>::NoAccount,
            |_| by(CUSTOMER, create(&["one.localhost"])),
        ),
        row(
            "create_service",
            TooEarly,
            Refused::PriceListNotInForce,
            |scene| {
                scene.deposit();
                published();
                by(CUSTOMER, created(|_, _, version| *version = 2))
            },
        ),
        row("add_host", NotTheirs, Refused::NotOwner, |scene| {
            by(STRANGER, add(scene.service(), "two.localhost"))
        }),
        row("add_host", Zero, Refused::HostNameInvalid, |scene| {
            by(CUSTOMER, add(scene.service(), ""))
        }),
        row("add_host", Maximum, Refused::HostNameInvalid, |scene| {
            let name = format!("{}.localhost", "a.".repeat(200));
            by(CUSTOMER, add(scene.service(), &name))
        }),
        row("add_host", Maximum, Refused::TooManyHosts, |scene| {
            let service = scene.service();
            for index in 1..16 {
                scene.send(CUSTOMER, add(service, &format!("{index}.localhost")));
            }
            by(CUSTOMER, add(service, "last.localhost"))
        }),
        row("add_host", UnknownId, Refused::UnknownService, |_| {
            by(CUSTOMER, add(NO_SERVICE, "two.localhost"))
        }),
        row("add_host", Repeated, Refused::HostAlreadyListed, |scene| {
            by(CUSTOMER, add(scene.service(), "one.localhost"))
        }),
        row("remove_host", NotTheirs, Refused::NotOwner, |scene| {
            by(STRANGER, remove(scene.service(), "one.localhost"))
        }),
        row("remove_host", Zero, Refused::HostNotListed, |scene| {
            by(CUSTOMER, remove(scene.service(), ""))
        }),
        row("remove_host", Maximum, Refused::HostNotListed, |scene| {
            by(CUSTOMER, remove(scene.service(), &"a".repeat(100_000)))
        }),
        row("remove_host", UnknownId, Refused::UnknownService, |_| {
            by(CUSTOMER, remove(NO_SERVICE, "one.localhost"))
        }),
        row("remove_host", Repeated, Refused::HostNotListed, |scene| {
            let service = scene.service();
            scene.send(CUSTOMER, remove(service, "one.localhost"));
            by(CUSTOMER, remove(service, "one.localhost"))
        }),
        row("remove_host", OutOfOrder, Refused::HostNotListed, |scene| {
            by(CUSTOMER, remove(scene.service(), "two.localhost"))
        }),
        row("set_origin", NotTheirs, Refused::NotOwner, |scene| {
            by(STRANGER, origin(scene.service(), "http://127.0.0.1:1"))
        }),
        row("set_origin", Zero, Refused::OriginInvalid, |scene| {
            by(CUSTOMER, origin(scene.service(), ""))
        }),
        row("set_origin", Maximum, Refused::OriginInvalid, |scene| {
            let url = format!("http://127.0.0.1/{}", "a".repeat(512));
            by(CUSTOMER, origin(scene.service(), &url))
        }),
        row("set_origin", UnknownId, Refused::UnknownService, |_| {
            by(CUSTOMER, origin(NO_SERVICE, "http://127.0.0.1:1"))
        }),
        row("set_origin", Repeated, Refused::Unchanged, |scene| {
            by(CUSTOMER, origin(scene.service(), "http://127.0.0.1:8000"))
        }),
        row("set_cap", NotTheirs, Refused::NotOwner, |scene| {
            by(STRANGER, cap(scene.service(), 1))
        }),
        row("set_cap", Zero, Refused::CapIsZero, |scene| {
            by(CUSTOMER, cap(scene.service(), 0))
        }),
        row(
            "set_cap",
            Maximum,
            BillingError::<Runtime>::AllowanceNotCovered,
            |scene| by(CUSTOMER, cap(scene.service(), Planck::MAX)),
        ),
        row("set_cap", UnknownId, Refused::UnknownService, |_| {
            by(CUSTOMER, cap(NO_SERVICE, 1))
        }),
        row("set_cap", Repeated, Refused::Unchanged, |scene| {
            let service = scene.service();
            scene.send(CUSTOMER, cap(service, 1));
            by(CUSTOMER, cap(service, 1))
        }),
        row("set_cap", TooEarly, Refused::TooManyChanges, |scene| {
            let service = scene.service();
            for epoch in 1..32 {
                scene.send(CUSTOMER, cap(service, u128::from(epoch)));
                scene.at(epoch, 0);
            }
            by(CUSTOMER, cap(service, 100))
        }),
        row("set_price_version", NotTheirs, Refused::NotOwner, |scene| {
            by(STRANGER, pin(scene.service(), 1))
        }),
        row(
            "set_price_version",
            Zero,
            Refused::UnknownPriceList,
            |scene| by(CUSTOMER, pin(scene.service(), 0)),
        ),
        row(
            "set_price_version",
            Maximum,
            Refused::UnknownPriceList,
            |scene| by(CUSTOMER, pin(scene.service(), u32::MAX)),
        ),
        row(
            "set_price_version",
            UnknownId,
            Refused::UnknownService,
            |_| by(CUSTOMER, pin(NO_SERVICE, 1)),
        ),
        row("set_price_version", Repeated, Refused::Unchanged, |scene| {
            by(CUSTOMER, pin(scene.service(), 1))
        }),
        row(
            "set_price_version",
            TooEarly,
            Refused::PriceListNotInForce,
            |scene| {
                published();
                by(CUSTOMER, pin(scene.service(), 2))
            },
        ),
        row("pause", NotTheirs, Refused::NotOwner, |scene| {
            let service = scene.service();
            by(STRANGER, Call::pause { service })
        }),
        row("pause", UnknownId, Refused::UnknownService, |_| {
            let service = NO_SERVICE;
            by(CUSTOMER, Call::pause { service })
        }),
        row("pause", Repeated, Refused::AlreadyPaused, |scene| {
            let service = paused(scene);
            by(CUSTOMER, Call::pause { service })
        }),
        row("resume", NotTheirs, Refused::NotOwner, |scene| {
            let service = paused(scene);
            by(STRANGER, Call::resume { service })
        }),
        row("resume", UnknownId, Refused::UnknownService, |_| {
            let service = NO_SERVICE;
            by(CUSTOMER, Call::resume { service })
        }),
        row("resume", Repeated, Refused::NotPaused, |scene| {
            let service = paused(scene);
            scene.send(CUSTOMER, Call::resume { service });
            by(CUSTOMER, Call::resume { service })
        }),
        row("resume", OutOfOrder, Refused::NotPaused, |scene| {
            let service = scene.service();
            by(CUSTOMER, Call::resume { service })
        }),
        row(
            "resume",
            TooLate,
            BillingError::<Runtime>::AllowanceNotCovered,
            |scene| {
                let service = paused(scene);
                scene.at(11, 0);
                let amount = 300 * SEL;
                scene.send(CUSTOMER, pallet_edge_billing::Call::withdraw { amount });
                by(CUSTOMER, Call::resume { service })
            },
        ),
        row("remove_service", NotTheirs, Refused::NotOwner, |scene| {
            let service = paused(scene);
            by(STRANGER, Call::remove_service { service })
        }),
        row("remove_service", UnknownId, Refused::UnknownService, |_| {
            let service = NO_SERVICE;
            by(CUSTOMER, Call::remove_service { service })
        }),
        row(
            "remove_service",
            Repeated,
            Refused::UnknownService,
            |scene| {
                let service = paused(scene);
                scene.at(169, 0);
                scene.send(CUSTOMER, Call::remove_service { service });
                by(CUSTOMER, Call::remove_service { service })
            },
        ),
        row("remove_service", OutOfOrder, Refused::NotPaused, |scene| {
            let service = scene.service();
            by(CUSTOMER, Call::remove_service { service })
        }),
        row(
            "remove_service",
            TooEarly,
            Refused::StillUnsettled,
            |scene| {
                let service = paused(scene);
                scene.at(168, 0);
                by(CUSTOMER, Call::remove_service { service })
            },
        ),
        row("attest_host", NotTheirs, Refused::NotDrawn, |scene| {
            let verdict = HostCheckVerdict {
                device: DeviceId([9; 32]),
                ..verdict(scene)
            };
            by(STRANGER, attested(scene, verdict))
        }),
        row("attest_host", Zero, Refused::BadSignature, |scene| {
            by(STRANGER, attest(verdict(scene), Signature64::default()))
        }),
        row("attest_host", Maximum, Refused::HostNameInvalid, |scene| {
            let verdict = HostCheckVerdict {
                host: vec![b'a'; 254],
                ..verdict(scene)
            };
            by(STRANGER, attested(scene, verdict))
        }),
        row("attest_host", UnknownId, Refused::NothingToProve, |scene| {
            let verdict = HostCheckVerdict {
                service: NO_SERVICE,
                ..verdict(scene)
            };
            by(STRANGER, attested(scene, verdict))
        }),
        row("attest_host", Repeated, Refused::AlreadyAnswered, |scene| {
            let verdict = verdict(scene);
            let call = attested(scene, verdict);
            scene.bring(call.clone());
            by(STRANGER, call)
        }),
        row(
            "attest_host",
            OutOfOrder,
            Refused::NothingToProve,
            |scene| {
                let verdict = HostCheckVerdict {
                    host: host("api.example.org"),
                    ..verdict(scene)
                };
                by(STRANGER, attested(scene, verdict))
            },
        ),
        row("attest_host", TooEarly, Refused::WrongEpoch, |scene| {
            let verdict = HostCheckVerdict {
                epoch: Epoch(2),
                ..verdict(scene)
            };
            by(STRANGER, attested(scene, verdict))
        }),
        row("attest_host", TooLate, Refused::WrongEpoch, |scene| {
            let verdict = verdict(scene);
            scene.at(2, 0);
            by(STRANGER, attested(scene, verdict))
        }),
        row(
            "publish_prices",
            Maximum,
            Refused::TooManyPriceLists,
            |_| {
                for _ in 1..MAX_PRICE_LISTS {
                    published();
                }
                let prices = Prices([1; 6]);
                Attempt::Decided(Origin::Prices, Call::publish_prices { prices }.into())
            },
        ),
    ];
    rows.extend(content::rows());
    let any_time = "it may be done at any time";
    let mut never: Vec<Never> = vec![
        (
            "create_service",
            &[TooLate],
            "a price list is in force for ever",
        ),
        ("add_host", &[OutOfOrder, TooEarly, TooLate], any_time),
        ("remove_host", &[TooEarly, TooLate], any_time),
        ("set_origin", &[OutOfOrder, TooEarly, TooLate], any_time),
        ("set_cap", &[OutOfOrder, TooLate], any_time),
        (
            "set_price_version",
            &[OutOfOrder],
            "any list follows any other",
        ),
        (
            "set_price_version",
            &[TooLate],
            "a price list is in force for ever",
        ),
        ("pause", &[Zero, Maximum], "it takes no amount"),
        ("pause", &[OutOfOrder, TooEarly, TooLate], any_time),
        ("resume", &[Zero, Maximum], "it takes no amount"),
        ("resume", &[TooEarly], any_time),
        ("remove_service", &[Zero, Maximum], "it takes no amount"),
        (
            "remove_service",
            &[TooLate],
            "a service can be removed for ever",
        ),
        (
            "publish_prices",
            &[
                NotTheirs, Zero, UnknownId, Repeated, OutOfOrder, TooEarly, TooLate,
            ],
            "any prices may be published, whenever the origin may",
        ),
    ];
    never.extend(content::never());
    Table {
        pallet: "Services",
        rows,
        never,
    }
}
