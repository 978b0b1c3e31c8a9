use crate::{
    mock::RuntimeOrigin, EnsureBrake, EnsureParameters, EnsurePrices, EnsureRangeChecked,
    EnsureRoles, EnsureTreasurySpend, Origin,
};
use frame_support::traits::EnsureOrigin;

fn all() -> [(&'static str, RuntimeOrigin); 9] {
    [
        ("parameters", Origin::Parameters.into()),
        ("prices", Origin::Prices.into()),
        ("treasury", Origin::TreasurySpend.into()),
        ("roles", Origin::Roles.into()),
        ("brake", Origin::Brake.into()),
        ("range-checked", Origin::RangeChecked.into()),
        ("root", RuntimeOrigin::root()),
        ("signed", RuntimeOrigin::signed(1)),
        ("none", RuntimeOrigin::none()),
    ]
}

fn accepted<E: EnsureOrigin<RuntimeOrigin>>() -> Vec<&'static str> {
    let accepts = |origin: &RuntimeOrigin| E::try_origin(origin.clone()).is_ok();
    let all = all().into_iter().filter(|(_, origin)| accepts(origin));
    all.map(|(name, _)| name).collect()
}

#[test]
fn each_accepts_its_own_only() {
    assert_eq!(accepted::<EnsureParameters>(), ["parameters"]);
    assert_eq!(accepted::<EnsurePrices>(), ["prices"]);
    assert_eq!(accepted::<EnsureTreasurySpend>(), ["treasury"]);
    assert_eq!(accepted::<EnsureRoles>(), ["roles"]);
    assert_eq!(accepted::<EnsureBrake>(), ["brake"]);
    assert_eq!(accepted::<EnsureRangeChecked>(), ["range-checked"]);
}

#[test]
fn a_refused_origin_comes_back_as_it_was() {
    for (name, origin) in all().into_iter().filter(|(name, _)| *name != "brake") {
        let caller = origin.caller.clone();
        let back = EnsureBrake::try_origin(origin).unwrap_err();
        assert_eq!(back.caller, caller, "{name}");
    }
}
