//! Real processes, killed with SIGKILL in the midst of their work.
//!
//! A child is this test binary again, told by its environment which of the `child_*` tests is to do
//! its work; without that environment they do nothing. It prints a line after each piece of work,
//! so that what it printed is what must have lasted.

use crate::testkit::{
    cache_in, clock, close, device, gateway_in, now, prices, serve, set, used, CACHE, GATEWAY,
    SERVICE,
};
use selvedge_primitives_types::{Epoch, Millis};
use std::{
    collections::HashSet,
    env,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const FOLDER: &str = "SELVEDGE_METER_TEST_FOLDER";
const BYTES: u64 = 1_000;

fn folder() -> Option<PathBuf> {
    env::var_os(FOLDER).map(PathBuf::from)
}

fn say(line: &str) {
    // Straight to the pipe: a line that waits in a buffer would be lost with the process.
    let mut out = std::io::stdout().lock();
    let said = writeln!(out, "@{line}").and_then(|()| out.flush());
    said.expect("whoever reads lives longer than this process");
}

/// Starts a child, kills it after `lines` lines, and returns everything it said.
fn kill_after(child: &str, folder: &Path, lines: usize) -> Vec<String> {
    let mut process = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            &format!("kill::{child}"),
            "--nocapture",
            "--test-threads=1",
        ])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut reader = BufReader::new(process.stdout.take().unwrap());
    let mut said = Vec::new();
    let mut line = String::new();
    while reader.read_line(&mut line).unwrap() > 0 {
        if let Some((_, text)) = line.trim_end().split_once('@') {
            said.push(text.to_owned());
        }
        line.clear();
        if said.len() == lines {
            // SIGKILL; what it said meanwhile is still in the pipe.
            process.kill().unwrap();
        }
    }
    process.wait().unwrap();
    assert!(
        said.len() >= lines,
        "the child ended by itself after {said:?}"
    );
    said
}

#[test]
fn child_counts() {
    let Some(folder) = folder() else { return };
    let meter = gateway_in(&folder, 1);
    for at in 0u64.. {
        serve(&meter, SERVICE, BYTES, Millis(now(1).0 + at % 60_000));
        say("counted");
    }
}

#[test]
fn kill_9_loses_nothing_counted_and_counts_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    let rounds = 8u64;
    let mut said = 0;
    for round in 0..rounds as usize {
        said += kill_after("child_counts", dir.path(), 1 + round * 37).len() as u64;
    }
    let meter = gateway_in(dir.path(), 2);
    let sum = close(&meter, 1);
    // A kill may fall between a count and its line, or between the two counters of a count.
    assert!(
        (said..=said + rounds).contains(&sum[0]),
        "{} counted, {said} said",
        sum[0]
    );
    assert!(
        (said * BYTES..=(said + rounds) * BYTES).contains(&sum[1]),
        "{} bytes",
        sum[1]
    );
    assert!(sum[1] <= sum[0] * BYTES && sum[1].is_multiple_of(BYTES));
}

#[test]
fn child_sends_ahead() {
    let Some(folder) = folder() else { return };
    let meter = gateway_in(&folder, 1);
    for at in 0u64.. {
        let mut tally = meter.begin(SERVICE, &used(1, BYTES)).unwrap();
        let now = Millis(now(1).0 + at % 60_000);
        tally.count(&used(1, 0), now).unwrap();
        for sent in 1..=4 {
            tally.ahead(sent * BYTES / 4, now).unwrap();
        }
        say("sent");
        for _ in 0..4 {
            tally.count(&used(0, BYTES / 4), now).unwrap();
        }
    }
}

#[test]
fn kill_9_loses_nothing_that_was_ahead() {
    let dir = tempfile::tempdir().unwrap();
    let rounds = 16u64;
    let mut said = 0;
    for round in 0..rounds as usize {
        said += kill_after("child_sends_ahead", dir.path(), 1 + round * 7).len() as u64;
    }
    let meter = gateway_in(dir.path(), 2);
    let [requests, bytes] = close(&meter, 1);
    assert!(
        (said..=said + rounds).contains(&requests),
        "{requests} counted, {said} said"
    );
    // Between taking octets from those ahead and counting them a kill may lose them; it cannot
    // count them twice.
    assert!(
        (said * BYTES - BYTES / 4..=(said + rounds) * BYTES).contains(&bytes),
        "{bytes} bytes, {said} said"
    );
}

#[test]
fn child_vouches() {
    let Some(folder) = folder() else { return };
    let meter = gateway_in(&folder, 1);
    loop {
        serve(&meter, SERVICE, BYTES, now(1));
        for signed in meter.tick().unwrap() {
            let voucher = signed.voucher;
            say(&format!("{} {}", voucher.seq, voucher.usage.0[0]));
        }
    }
}

#[test]
fn kill_9_uses_no_voucher_number_twice_and_takes_nothing_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut seen = HashSet::new();
    let mut last = (0, 0);
    for round in 0..6 {
        for line in kill_after("child_vouches", dir.path(), 3 + round * 5) {
            let (seq, requests) = line.split_once(' ').unwrap();
            let voucher: (u64, u64) = (seq.parse().unwrap(), requests.parse().unwrap());
            assert!(seen.insert(voucher.0), "number {seq} was sent twice");
            assert!(
                voucher.0 > last.0 && voucher.1 > last.1,
                "{voucher:?} after {last:?}"
            );
            last = voucher;
        }
    }
    let meter = gateway_in(dir.path(), 1);
    let kept = meter.last_vouchers(Epoch(1))[0].voucher;
    assert!(
        kept.seq >= last.0 && kept.usage.0[0] >= last.1,
        "what was sent was kept before"
    );
    set(&meter, 2, 0).unwrap();
    let closing = meter.closing(Epoch(1)).unwrap().unwrap();
    let sum = meter.close(closing).unwrap().commitment().caches.sum.paid.0;
    assert!(
        sum[0] >= kept.usage.0[0],
        "the leaves are no less than the vouchers"
    );
}

#[test]
fn child_closes() {
    let Some(folder) = folder() else { return };
    let mut epoch = gateway_epoch(&folder);
    let meter = gateway_in(&folder, epoch);
    loop {
        for old in meter.closable() {
            if let Some(closing) = meter.closing(old).unwrap() {
                let closed = meter.close(closing).unwrap();
                say(&format!(
                    "closed {} {:?}",
                    old.0,
                    closed.commitment().customers.root
                ));
            }
        }
        serve(&meter, SERVICE, BYTES, now(epoch));
        say(&format!("counted {epoch}"));
        epoch += 1;
        set(&meter, epoch, u128::MAX >> 64).unwrap();
    }
}

/// An epoch after all that are in the folder.
fn gateway_epoch(folder: &Path) -> u64 {
    let names = std::fs::read_dir(folder).unwrap().flatten();
    let epochs = names.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        name.strip_prefix("epoch-")?
            .split('.')
            .next()?
            .parse::<u64>()
            .ok()
    });
    epochs.max().map_or(1, |epoch| epoch + 1)
}

#[test]
fn kill_9_while_closing_leaves_each_epoch_open_or_closed() {
    let dir = tempfile::tempdir().unwrap();
    let mut said = Vec::new();
    for round in 0..6 {
        said.extend(kill_after("child_closes", dir.path(), 5 + round * 3));
    }
    let last = gateway_epoch(dir.path());
    let meter = gateway_in(dir.path(), last);
    for epoch in meter.closable() {
        if let Some(closing) = meter.closing(epoch).unwrap() {
            meter.close(closing).unwrap();
        }
    }
    let mut counted = 0;
    for epoch in meter.closed_epochs() {
        let commitment = meter.closed(epoch).unwrap().unwrap().commitment();
        assert_eq!(
            commitment.customers.sum.paid,
            used(1, BYTES),
            "epoch {epoch}"
        );
        counted += 1;
        let root = format!("closed {} {:?}", epoch.0, commitment.customers.root);
        let before: Vec<_> = said
            .iter()
            .filter(|line| line.starts_with(&format!("closed {} ", epoch.0)))
            .collect();
        assert!(before.len() <= 1, "closed twice: {before:?}");
        assert!(
            before.iter().all(|line| **line == root),
            "a commitment changed: {before:?}"
        );
    }
    let lines = said
        .iter()
        .filter(|line| line.starts_with("counted"))
        .count();
    assert!(
        (lines..=lines + 6).contains(&counted),
        "{counted} epochs, {lines} said"
    );
}

#[test]
fn child_supplies() {
    let Some(folder) = folder() else { return };
    let cache = cache_in(&folder.join("cache"), 1);
    let gateway = gateway_in(&folder.join("gateway"), 1);
    let us = device(GATEWAY);
    loop {
        cache
            .supplied(us, SERVICE, &used(1, BYTES), now(1))
            .unwrap();
        serve(&gateway, SERVICE, BYTES, now(1));
        for voucher in gateway.tick().unwrap() {
            cache.accept(&us, &voucher).unwrap();
            say(&voucher.voucher.seq.to_string());
        }
    }
}

#[test]
fn kill_9_of_a_cache_loses_no_supply_and_no_voucher() {
    let dir = tempfile::tempdir().unwrap();
    let rounds = 4u64;
    let (mut said, mut last) = (0, 0);
    for round in 0..rounds as usize {
        let lines = kill_after("child_supplies", dir.path(), 4 + round * 6);
        said += lines.len() as u64;
        last = lines.last().unwrap().parse().unwrap();
    }
    let cache = cache_in(&dir.path().join("cache"), 1);
    let us = device(GATEWAY);
    let supply = cache.supply(Epoch(1))[&(us, SERVICE)].0;
    assert!(
        (said..=said + rounds).contains(&supply[0]),
        "{} supplied, {said} said",
        supply[0]
    );
    let voucher = cache.last_voucher(&us, Epoch(1)).unwrap().voucher;
    assert!(voucher.seq >= last && voucher.cache == device(CACHE));

    // The gateway closes with what it has, and the cache agrees.
    let gateway = gateway_in(&dir.path().join("gateway"), 2);
    cache.set_epoch(clock(2), [prices()]).unwrap();
    let mut closing = gateway.closing(Epoch(1)).unwrap().unwrap();
    for voucher in gateway.last_vouchers(Epoch(1)) {
        cache.accept(&us, &voucher).unwrap();
    }
    for (of, bodies) in closing.requests() {
        closing
            .answer(&of, &cache.sign_leaves(&us, &bodies))
            .unwrap();
    }
    assert_eq!(closing.unsigned(), 0);
}
