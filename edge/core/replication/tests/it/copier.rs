//! A cache fetches what it was ordered to, from whoever gives it, and no faster than it may.

use selvedge_edge_core_replication::{
    Copier, CopierInput, CopierOutput, CopierRules, FetchFailure, Refusal,
};
use selvedge_primitives_types::{ContentRef, DeviceId, Millis};

use crate::net::{blob, device, SERVICE};

const MIB: u64 = 1024 * 1024;

fn copier(rules: CopierRules, room: u64) -> Copier {
    let mut copier = Copier::new(rules, Millis(0));
    copier
        .handle_input(Millis(0), CopierInput::Room(room))
        .unwrap();
    copier
}

fn order(content: ContentRef, from: &[u8]) -> CopierInput {
    CopierInput::Order {
        content,
        service: SERVICE,
        from: from.iter().map(|id| device(*id)).collect(),
        held: 0,
    }
}

fn drain(copier: &mut Copier) -> (Vec<CopierOutput>, u64) {
    let mut outputs = Vec::new();
    loop {
        match copier.poll_output() {
            CopierOutput::Timeout(at) => return (outputs, at.0),
            output => outputs.push(output),
        }
    }
}

fn fetch(output: &CopierOutput) -> (DeviceId, u64, u64) {
    match output {
        CopierOutput::Fetch { from, range, .. } => (*from, range.start, range.end),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_copy_goes_on_at_another_source_where_the_first_stopped() {
    let content = blob(1, 2 * MIB + 5);
    let mut copier = copier(CopierRules::default(), 10 * MIB);
    let root = content.root;
    copier
        .handle_input(Millis(0), order(content, &[1, 2]))
        .unwrap();
    let (outputs, _) = drain(&mut copier);
    assert_eq!(fetch(&outputs[0]), (device(1), 0, MIB));
    copier
        .handle_input(Millis(5), CopierInput::Fetched { root, to: MIB })
        .unwrap();
    let (outputs, _) = drain(&mut copier);
    assert_eq!(fetch(&outputs[0]), (device(1), MIB, 2 * MIB));
    let failed = CopierInput::Failed {
        root,
        from: device(1),
        why: FetchFailure::Unreachable,
    };
    copier.handle_input(Millis(9), failed).unwrap();
    let (outputs, _) = drain(&mut copier);
    assert_eq!(fetch(&outputs[0]), (device(2), MIB, 2 * MIB));
    copier
        .handle_input(Millis(12), CopierInput::Fetched { root, to: 2 * MIB })
        .unwrap();
    let (outputs, _) = drain(&mut copier);
    assert_eq!(fetch(&outputs[0]), (device(2), 2 * MIB, 2 * MIB + 5));
    let last = CopierInput::Fetched {
        root,
        to: 2 * MIB + 5,
    };
    copier.handle_input(Millis(13), last).unwrap();
    assert_eq!(drain(&mut copier).0, [CopierOutput::Kept { root }]);
    assert!(copier.is_empty() && copier.promised() == 0);
}

#[test]
fn a_source_that_stalls_is_left_after_its_time() {
    let content = blob(1, MIB);
    let mut copier = copier(CopierRules::default(), 10 * MIB);
    copier
        .handle_input(Millis(0), order(content, &[1, 2]))
        .unwrap();
    let (_, at) = drain(&mut copier);
    assert_eq!(at, 20_000);
    copier.handle_input(Millis(at), CopierInput::Tick).unwrap();
    let (outputs, _) = drain(&mut copier);
    assert_eq!(fetch(&outputs[0]).0, device(2));
}

#[test]
fn who_sends_wrong_bytes_is_named_and_not_asked_again() {
    let content = blob(1, MIB);
    let root = content.root;
    let mut copier = copier(CopierRules::default(), 10 * MIB);
    copier
        .handle_input(Millis(0), order(content, &[1, 2]))
        .unwrap();
    drain(&mut copier);
    for from in [device(1), device(2)] {
        let why = FetchFailure::WrongBytes;
        copier
            .handle_input(Millis(1), CopierInput::Failed { root, from, why })
            .unwrap();
        let (outputs, _) = drain(&mut copier);
        assert_eq!(outputs[0], CopierOutput::Corrupt { root, from });
    }
    assert!(copier.is_empty());
}

#[test]
fn a_copy_is_given_up_after_all_sources_failed_three_times_with_growing_pauses() {
    let content = blob(1, MIB);
    let mut copier = copier(CopierRules::default(), 10 * MIB);
    copier
        .handle_input(Millis(0), order(content, &[1, 2]))
        .unwrap();
    let (mut now, mut asked) = (0, Vec::new());
    let gave_up = loop {
        let (outputs, next) = drain(&mut copier);
        if let Some(output) = outputs.first() {
            if matches!(output, CopierOutput::GaveUp { .. }) {
                break now;
            }
            let (from, ..) = fetch(output);
            asked.push((now, from));
            let failed = CopierInput::Failed {
                root: content.root,
                from,
                why: FetchFailure::Unreachable,
            };
            copier.handle_input(Millis(now), failed).unwrap();
        } else {
            now = next;
            copier.handle_input(Millis(now), CopierInput::Tick).unwrap();
        }
    };
    let (one, two) = (device(1), device(2));
    let expected = [
        (0, one),
        (0, two),
        (2_000, one),
        (2_000, two),
        (6_000, one),
        (6_000, two),
    ];
    assert_eq!((asked.as_slice(), gave_up), (&expected[..], 6_000));
}

#[test]
fn what_is_asked_for_in_any_second_is_bounded() {
    let rules = CopierRules {
        rate: 4 * MIB,
        burst: 2 * MIB,
        ..CopierRules::default()
    };
    let mut copier = copier(rules, 1_000 * MIB);
    for id in 0..20 {
        copier
            .handle_input(Millis(0), order(blob(id, 3 * MIB), &[1]))
            .unwrap();
    }
    let (mut now, mut asked) = (0, Vec::new());
    while !copier.is_empty() {
        match copier.poll_output() {
            CopierOutput::Fetch { content, range, .. } => {
                asked.push((now, range.end - range.start));
                let fetched = CopierInput::Fetched {
                    root: content.root,
                    to: range.end,
                };
                copier.handle_input(Millis(now), fetched).unwrap();
            }
            CopierOutput::Timeout(at) => {
                assert!(at.0 > now);
                now = at.0;
                copier.handle_input(Millis(now), CopierInput::Tick).unwrap();
            }
            _ => {}
        }
    }
    for (first, (from, _)) in asked.iter().enumerate() {
        let second = asked[first..]
            .iter()
            .take_while(|(at, _)| *at < from + 1_000);
        assert!(second.map(|(_, bytes)| bytes).sum::<u64>() <= 6 * MIB);
    }
    assert!(now <= 16_000, "{now}");
}

#[test]
fn orders_are_refused_for_which_there_is_no_room_no_place_or_no_source() {
    let rules = CopierRules {
        orders: 2,
        ..CopierRules::default()
    };
    let mut copier = copier(rules, 5 * MIB);
    let mut take = |input| copier.handle_input(Millis(0), input);
    assert_eq!(take(order(blob(1, 4 * MIB), &[1])), Ok(()));
    let (needed, room) = (2 * MIB, MIB);
    assert_eq!(
        take(order(blob(2, 2 * MIB), &[1])),
        Err(Refusal::Full { needed, room })
    );
    assert_eq!(take(order(blob(2, MIB), &[])), Err(Refusal::NoSource));
    assert_eq!(take(order(blob(2, MIB), &[1])), Ok(()));
    assert_eq!(take(order(blob(3, 0), &[1])), Err(Refusal::Busy));
    // The same again is the same order; with another length it is a lie.
    assert_eq!(take(order(blob(2, MIB), &[2])), Ok(()));
    assert_eq!(take(order(blob(2, 9), &[1])), Err(Refusal::Contradiction));
    assert_eq!(copier.len(), 2);
    let root = blob(1, 4 * MIB).root;
    copier
        .handle_input(Millis(0), CopierInput::Cancel { root })
        .unwrap();
    assert_eq!((copier.len(), copier.promised()), (1, MIB));
}

#[test]
fn what_the_store_has_already_is_not_fetched_again() {
    let content = blob(1, 3 * MIB);
    let mut copier = copier(CopierRules::default(), 10 * MIB);
    let input = CopierInput::Order {
        content,
        service: SERVICE,
        from: vec![device(1)],
        held: 2 * MIB,
    };
    copier.handle_input(Millis(0), input).unwrap();
    let (outputs, _) = drain(&mut copier);
    assert_eq!(fetch(&outputs[0]), (device(1), 2 * MIB, 3 * MIB));
    assert_eq!(copier.promised(), MIB);
}
