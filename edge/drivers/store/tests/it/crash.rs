use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use crate::testkit::{body, fetch, open, put, record};

const FOLDER: &str = "SELVEDGE_STORE_CRASH_TEST";
const QUOTA: u64 = 1 << 30;

/// The child stores bodies without end, says so after each, and has another one under way whenever
/// it is killed.
fn child(folder: &str) -> ! {
    let store = open(folder.as_ref(), QUOTA);
    let mut under_way = store.writer().unwrap();
    under_way.write(&body(150_000, 255)).unwrap();
    let mut number = 0u64;
    loop {
        let bytes = body(150_000, number as u8);
        put(&store, &record(1, &format!("/{number}"), &bytes), &bytes).unwrap();
        println!("\nstored {number}");
        std::io::stdout().flush().unwrap();
        number += 1;
    }
}

#[test]
fn nothing_that_was_stored_is_lost_to_kill_9() {
    if let Ok(folder) = std::env::var(FOLDER) {
        child(&folder);
    }
    let folder = tempfile::tempdir().unwrap();
    for round in 1..=4u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "crash::nothing_that_was_stored_is_lost_to_kill_9",
                "--nocapture",
            ])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Held until the child is dead: a closed pipe would end it in order.
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let last = lines
            .by_ref()
            .map_while(Result::ok)
            .filter_map(|line| line.strip_prefix("stored ")?.parse::<u64>().ok())
            .find(|number| *number >= 3 * round)
            .expect("the child stores bodies until it is killed");
        // SIGKILL, at any step of storing the next one.
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9));
        drop(lines);

        let store = open(folder.path(), QUOTA);
        let found = store.recovery();
        assert_eq!(found.dropped_records, 0, "{found:?}");
        for number in 0..=last {
            assert_eq!(
                fetch(&store, 1, &format!("/{number}")),
                Some(body(150_000, number as u8))
            );
        }
    }
}
