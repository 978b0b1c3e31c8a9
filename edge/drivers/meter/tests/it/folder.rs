use crate::testkit::{
    cache_in, clock, close, gateway, gateway_in, key, now, serve, set, terms, SERVICE,
};
use selvedge_edge_drivers_meter::{rules::EpochClock, GatewayMeter, MeterError};
use selvedge_primitives_types::Epoch;
use std::{fs, path::Path};

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn one_process_has_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let meter = gateway(dir.path());
    let second = GatewayMeter::open(dir.path(), key(1));
    assert!(matches!(second, Err(MeterError::InUse(_))));
    drop(meter);
    assert!(GatewayMeter::open(dir.path(), key(1)).is_ok());
}

#[test]
fn a_folder_is_of_one_device_and_chain() {
    let dir = tempfile::tempdir().unwrap();
    drop(gateway_in(dir.path(), 1));
    assert!(matches!(
        GatewayMeter::open(dir.path(), key(2)),
        Err(MeterError::Foreign(_))
    ));
    let meter = gateway(dir.path());
    let elsewhere = EpochClock {
        genesis: [8; 32],
        ..clock(1)
    };
    let result = meter.set_epoch(elsewhere, [(SERVICE, terms(1))]);
    assert!(matches!(result, Err(MeterError::Foreign(_))));
    set(&meter, 1, 1).unwrap();
}

#[test]
fn damaged_leaves_are_an_error_and_never_other_leaves() {
    let dir = tempfile::tempdir().unwrap();
    let meter = gateway_in(dir.path(), 1);
    serve(&meter, SERVICE, 10, now(1));
    set(&meter, 2, 0).unwrap();
    close(&meter, 1);
    drop(meter);
    let path = dir.path().join("epoch-1.leaves");
    let length = fs::metadata(&path).unwrap().len() as usize;
    for at in 0..length {
        flip(&path, at);
        let meter = gateway(dir.path());
        assert!(
            matches!(meter.closed(Epoch(1)), Err(MeterError::Damaged(_))),
            "byte {at}"
        );
        flip(&path, at);
    }
    let whole = fs::read(&path).unwrap();
    for length in [0, 8, 31, 47, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(matches!(
            gateway(dir.path()).closed(Epoch(1)),
            Err(MeterError::Damaged(_))
        ));
    }
    fs::write(&path, &whole).unwrap();
    assert!(gateway(dir.path()).closed(Epoch(1)).unwrap().is_some());
}

#[test]
fn counters_of_another_format_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let meter = gateway_in(dir.path(), 1);
    serve(&meter, SERVICE, 10, now(1));
    drop(meter);
    let path = dir.path().join("epoch-1.0.counts");
    flip(&path, 3);
    assert!(matches!(
        GatewayMeter::open(dir.path(), key(1)),
        Err(MeterError::Foreign(_))
    ));
    flip(&path, 3);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    assert!(matches!(
        GatewayMeter::open(dir.path(), key(1)),
        Err(MeterError::Damaged(_))
    ));
    fs::write(&path, &whole).unwrap();
    assert!(GatewayMeter::open(dir.path(), key(1)).is_ok());
}

#[test]
fn files_that_were_being_written_are_removed() {
    let dir = tempfile::tempdir().unwrap();
    drop(gateway_in(dir.path(), 1));
    let half = dir.path().join("epoch-1.leaves.new");
    fs::write(&half, b"half").unwrap();
    let meter = gateway(dir.path());
    assert!(!half.exists());
    assert!(meter.closed_epochs().is_empty());
}

#[test]
fn counters_left_beside_their_leaves_are_not_counted_again() {
    let dir = tempfile::tempdir().unwrap();
    let meter = gateway_in(dir.path(), 1);
    serve(&meter, SERVICE, 10, now(1));
    let counters = fs::read(dir.path().join("epoch-1.0.counts")).unwrap();
    set(&meter, 2, 0).unwrap();
    assert_eq!(close(&meter, 1), [1, 10]);
    drop(meter);
    // As after a crash between the two.
    fs::write(dir.path().join("epoch-1.0.counts"), counters).unwrap();
    let meter = gateway_in(dir.path(), 2);
    assert!(meter.closable().is_empty());
    assert_eq!(meter.closed_epochs(), [Epoch(1)]);
    assert!(!dir.path().join("epoch-1.0.counts").exists());
}

#[test]
fn a_voucher_journal_with_a_torn_end_passes_numbers_over() {
    let dir = tempfile::tempdir().unwrap();
    let meter = gateway_in(dir.path(), 1);
    serve(&meter, SERVICE, 10, now(1));
    let sent = meter.tick().unwrap()[0].voucher;
    drop(meter);
    let path = dir.path().join("vouchers.journal");
    let length = fs::metadata(&path).unwrap().len() as usize;
    flip(&path, length - 1);
    let meter = gateway_in(dir.path(), 1);
    serve(&meter, SERVICE, 10, now(1));
    let next = meter.tick().unwrap()[0].voucher;
    assert!(next.follows(&sent) && next.seq > sent.seq + 1);
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"").unwrap();
    let result = GatewayMeter::open(&file.join("meter"), key(1));
    assert!(matches!(result, Err(MeterError::Io { .. })));
    drop(cache_in(dir.path(), 1));
}
