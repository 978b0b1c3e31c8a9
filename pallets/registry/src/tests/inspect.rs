//! What other pallets and runtime APIs read.

use crate::mock::*;
use frame_support::assert_ok;
use pallet_edge_traits::DeviceInspect;

#[test]
fn a_device_is_told_as_it_was_registered() {
    run(|| {
        assert_ok!(register(1, 1));
        let info = NodeRegistry::device(&device(1)).unwrap();
        assert_eq!(info.operator, account(1));
        assert_eq!(info.endpoint, b"gw.example:443");
        assert_eq!(info.public_url, b"https://gw.example/audit");
        assert_eq!(NodeRegistry::device(&device(2)), None);
    });
}

#[test]
fn devices_are_listed_in_the_order_of_their_ids() {
    run(|| {
        let mut ids: Vec<_> = (1..=9).map(device).collect();
        ids.sort_unstable();
        for id in 1..=9 {
            assert_ok!(register(id, 1));
        }
        assert_eq!(NodeRegistry::devices_after(None, 100), ids);
        assert_eq!(NodeRegistry::devices_after(None, 4), ids[..4]);
        assert_eq!(NodeRegistry::devices_after(Some(ids[3]), 4), ids[4..8]);
        assert!(NodeRegistry::devices_after(Some(ids[8]), 4).is_empty());
        assert!(NodeRegistry::devices_after(None, 0).is_empty());
    });
}
