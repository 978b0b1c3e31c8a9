use super::*;
use proptest::prelude::*;

/// A place of its own for every number.
fn place(number: u32, size: u64) -> Place {
    Place {
        segment: number % 5,
        offset: number * 10_000,
        size: size as u32,
    }
}

fn entry(service: u64, key: u8, body: u8, generation: u64, number: u64, bytes: u64) -> Entry {
    Entry {
        service: ServiceId(service),
        key: [key; 16],
        body: BodyName([body; 32]),
        generation,
        number,
        place: place(number as u32, bytes),
    }
}

fn body(number: u64, bytes: u64) -> Body {
    Body {
        place: place(number as u32, bytes),
        number,
        length: bytes,
        values: (0, 0),
        group: None,
        extents: Vec::new(),
        rest: (0, bytes as u32),
    }
}

fn name(body: u8) -> BodyName {
    BodyName([body; 32])
}

/// Bodies of pinned and kept things are 100 bytes long here.
fn key(body: u8) -> BlobKey {
    BlobKey {
        name: name(body),
        length: 100,
    }
}

fn content(number: u64, is_pinned: bool, promised: u64) -> Content {
    Content {
        service: ServiceId(1),
        is_pinned,
        number,
        place: place(number as u32, 10),
        promised,
        cost: if is_pinned { 100 } else { 0 },
    }
}

#[test]
fn a_body_stays_while_a_record_names_it() {
    let mut index = Index::new(1_000);
    index.insert_body(name(9), body(1, 100));
    assert_eq!(
        index.insert([1; 32], entry(1, 1, 9, 0, 2, 10)),
        Gone::default()
    );
    assert_eq!(
        index.insert([2; 32], entry(1, 2, 9, 0, 3, 10)),
        Gone::default()
    );
    assert_eq!((index.bytes(), index.bodies()), (120, 1));
    // The same record again, for the same body and for another one.
    let gone = index.insert([1; 32], entry(1, 1, 9, 0, 4, 20));
    assert_eq!((gone.marks.len(), gone.bodies.len()), (1, 0));
    assert_eq!(index.bytes(), 130);
    index.insert_body(name(8), body(5, 50));
    index.insert([1; 32], entry(1, 1, 8, 0, 6, 20));
    let gone = index.insert([2; 32], entry(1, 2, 8, 0, 7, 10));
    assert_eq!(gone.bodies, [name(9)]);
    assert_eq!(index.bytes(), 80);
    let gone = index.remove(&[[1; 32], [2; 32]]);
    assert_eq!((gone.records, gone.bodies.len()), (2, 1));
    assert_eq!((index.bytes(), index.records(), index.bodies()), (0, 0, 0));
}

#[test]
fn of_two_puts_at_once_the_later_number_stays() {
    let mut index = Index::new(1_000);
    index.insert_body(name(1), body(1, 100));
    index.insert_body(name(2), body(2, 100));
    index.insert([1; 32], entry(1, 1, 2, 0, 6, 10));
    let gone = index.insert([1; 32], entry(1, 1, 1, 0, 5, 10));
    assert_eq!(
        (gone.bodies, gone.marks),
        (vec![name(1)], vec![place(5, 10)])
    );
    assert_eq!(index.record(&[1; 32]).unwrap().number, 6);
}

#[test]
fn a_purge_names_the_older_records_of_one_service() {
    let mut index = Index::new(1_000);
    index.insert_body(name(1), body(1, 1));
    for (id, service, generation) in [(1, 1, 4), (2, 1, 5), (3, 2, 4), (4, 1, 3)] {
        index.insert([id; 32], entry(service, id, 1, generation, id.into(), 1));
    }
    let mut old = index.of_service(ServiceId(1), 5);
    old.sort_unstable();
    assert_eq!(old, [[1; 32], [4; 32]]);
}

#[test]
fn what_is_pinned_stays_when_all_else_has_left() {
    let mut index = Index::new(500);
    index.hold(key(1), content(1, true, 0));
    index.insert_body(name(1), body(2, 100));
    index.hold(key(2), content(3, false, 0));
    index.insert_body(name(2), body(4, 100));
    index.insert([1; 32], entry(1, 1, 2, 0, 5, 10));
    let (is_there, gone) = index.promise(390);
    assert!(is_there);
    assert_eq!((gone.records, gone.bodies), (1, vec![name(2)]));
    assert_eq!((index.bytes(), index.pinned()), (500, 100));
    assert!(!index.promise(1).0);
    index.hold(key(1), content(6, false, 0));
    assert_eq!(index.pinned(), 0);
    assert!(index.promise(1).0);
    assert_eq!((index.bodies(), index.bytes()), (0, 391));
}

proptest! {
    #[test]
    fn bytes_add_up_and_stay_within_the_quota(
        steps in prop::collection::vec((0u8..7, 0u8..12, 0u8..6, 1u64..200), 0..200),
    ) {
        let mut index = Index::new(900);
        let mut promised = 0;
        let mut number = 0;
        for (step, id, root, bytes) in steps {
            number += 10;
            let name = name(root);
            match step {
                0 | 1 => {
                    // As a store does: room for the record and the body is promised first.
                    if index.promise(2 * bytes).0 {
                        index.release(2 * bytes);
                        index.insert_body(name, body(number, bytes));
                        index.insert([id; 32], entry(1, id, root, 0, number + 1, bytes));
                    }
                }
                2 => {
                    if index.promise(bytes).0 {
                        promised += bytes;
                    }
                }
                3 => {
                    index.release(promised);
                    promised = 0;
                    index.remove(&[[id; 32]]);
                }
                4 => {
                    if index.pinned() < 300 && index.promise(110).0 {
                        index.hold(key(root), content(number, id % 2 == 0, 100));
                        index.release(10);
                    }
                }
                5 => drop(index.remove_content(&key(root))),
                _ => drop(index.remove_decayed(&name)),
            }
            let records: u64 = index.records.values().map(|entry| u64::from(entry.place.size)).sum();
            let bodies: u64 = index.bodies.values().map(|stored| stored.body.bytes()).sum();
            let holds: u64 = index.contents.values().map(|content| u64::from(content.place.size)).sum();
            let missing: u64 = index.contents.values().map(|content| content.promised).sum();
            prop_assert_eq!(index.named, records + bodies + holds);
            prop_assert_eq!(index.promised, promised + missing);
            prop_assert_eq!(index.live.values().sum::<u64>(), index.named);
            let pinned: u64 = index.contents.values().map(|content| content.cost).sum();
            prop_assert_eq!(index.pinned(), pinned);
            prop_assert!(index.bytes() <= 900 + 200 * 6);
            let loose = index.contents.values().filter(|content| !content.is_pinned).count();
            prop_assert_eq!(index.fifo.len(), index.records() + loose);
            for (id, entry) in &index.records {
                prop_assert!(index.bodies[&entry.body].records.contains(id));
            }
            for (name, stored) in &index.bodies {
                let length = stored.body.length;
                let is_held = index.contents.contains_key(&BlobKey { name: *name, length });
                prop_assert!(!stored.records.is_empty() || is_held);
            }
        }
    }
}
