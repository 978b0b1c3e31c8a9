//! Yields and parameters.

use super::{by, row, scene::STRANGER, Attempt, Fault::*, Table};
use pallet_edge_governance::{Call as Governance, Error as GovernanceError, Origin};
use pallet_edge_yields::{Call as Yields, Error as YieldsError};
use selvedge_primitives_types::Ppm;
use selvedge_runtime::{
    configs::params::{dynamic_params::shares, RuntimeParameters},
    Runtime,
};
use sp_keyring::Sr25519Keyring::Alice;
use sp_runtime::traits::BadOrigin;

pub fn yields() -> Table {
    let nothing = YieldsError::<Runtime>::NothingToClaim;
    let rows = vec![
        row("claim", Zero, nothing, |_| by(STRANGER, Yields::claim {})),
        row(
            "claim",
            Repeated,
            YieldsError::<Runtime>::NothingToClaim,
            |scene| {
                // An era is closed over some blocks, of which a leap makes few.
                scene.at(4, 1);
                scene.chain.blocks(20);
                scene.send(Alice, Yields::claim {});
                by(Alice, Yields::claim {})
            },
        ),
        row(
            "claim",
            TooEarly,
            YieldsError::<Runtime>::NothingToClaim,
            |scene| {
                scene.at(3, 3);
                by(Alice, Yields::claim {})
            },
        ),
    ];
    Table {
        pallet: "NodeYields",
        rows,
        never: vec![
            (
                "claim",
                &[NotTheirs, Maximum, UnknownId, OutOfOrder],
                "it is all that the caller was granted",
            ),
            ("claim", &[TooLate], "yields wait for ever"),
        ],
    }
}

fn take(origin: Origin, value: Option<Ppm>) -> Attempt {
    let parameter = RuntimeParameters::Shares(shares::Parameters::Take(shares::Take, value));
    let call = Governance::<Runtime>::set_parameter { parameter };
    Attempt::Decided(origin, call.into())
}

pub fn governance() -> Table {
    type Refused = GovernanceError<Runtime>;
    let rows = vec![
        row("set_parameter", NotTheirs, BadOrigin, |_| {
            take(Origin::Roles, Some(Ppm::percent(20)))
        }),
        row("set_parameter", Zero, Refused::OutOfRange, |_| {
            take(Origin::Parameters, Some(Ppm(0)))
        }),
        row("set_parameter", Zero, Refused::ValueMissing, |_| {
            take(Origin::Parameters, None)
        }),
        row("set_parameter", Maximum, Refused::OutOfRange, |_| {
            take(Origin::Parameters, Some(Ppm(u32::MAX)))
        }),
        // 10 % can be the take only when less of it goes to referrers.
        row(
            "set_parameter",
            OutOfOrder,
            Refused::OutOfJointRange,
            |_| take(Origin::Parameters, Some(Ppm::percent(10))),
        ),
    ];
    Table {
        pallet: "EdgeGovernance",
        rows,
        never: vec![
            (
                "set_parameter",
                &[UnknownId],
                "an unknown parameter cannot be written down",
            ),
            ("set_parameter", &[Repeated], "the same again says the same"),
            (
                "set_parameter",
                &[TooEarly, TooLate],
                "a referendum's time is the tracks' matter",
            ),
        ],
    }
}
