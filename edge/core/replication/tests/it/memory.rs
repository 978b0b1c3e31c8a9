//! What a steward keeps of a blob, in bytes, counted by the allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicI64, Ordering};

use selvedge_edge_core_replication::{Rules, BYTES_PER_OBJECT};

use crate::net::{blob, Net};

/// Bytes that are allocated, over all threads.
static HELD: AtomicI64 = AtomicI64::new(0);

struct Counting;

// SAFETY: all is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size() as i64, Ordering::Relaxed);
        System.alloc(layout)
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size() as i64, Ordering::Relaxed);
        System.dealloc(place, layout)
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// One test alone, since the count is of all threads: the others hold megabytes, this one hundreds.
#[test]
fn a_million_blobs_take_no_more_than_is_stated() {
    const BLOBS: usize = 1_000_000;
    let mut net = Net::new(8, Rules::default());
    let contents: Vec<_> = (0..BLOBS as u32).map(|id| blob(id, 1_000)).collect();
    let before = HELD.load(Ordering::Relaxed);
    for some in contents.chunks(50_000) {
        net.keep(some, 3);
    }
    // Everybody is asked and lacks it; the answers fill every table.
    net.run(5_000);
    net.said = Vec::new();
    let held = HELD.load(Ordering::Relaxed) - before;
    let each = held / BLOBS as i64;
    println!("{each} bytes per blob");
    assert!(
        (100..=BYTES_PER_OBJECT as i64).contains(&each),
        "{each} bytes per blob"
    );
}
