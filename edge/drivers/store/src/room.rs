//! Room in memory for a body that is kept.

use rustix::mm::{madvise, Advice};

/// From this length on a body lies in large pages, of 2 MiB on all systems that have them.
const LARGE: usize = 2 * 1024 * 1024;

/// An empty buffer with room for a body of this length, where that is stated; otherwise it grows.
///
/// A long one asks the system for large pages: a body in small ones costs a look-up in the page
/// table for every 4 KiB each time that it is sent. Where the system has none it stays as it is.
/// `length` is what somebody states: the caller bounds it.
pub fn room(length: Option<u64>) -> Vec<u8> {
    let length = length.and_then(|length| usize::try_from(length).ok());
    let mut buffer = Vec::new();
    // Not being able to take so much at once is no reason to refuse what may never come.
    if buffer.try_reserve_exact(length.unwrap_or_default()).is_ok() {
        ask_for_large_pages(&mut buffer);
    }
    buffer
}

fn ask_for_large_pages(buffer: &mut Vec<u8>) {
    let page = rustix::param::page_size();
    let spare = buffer.spare_capacity_mut();
    let skipped = spare.as_ptr().align_offset(page);
    let Some(length) = spare.len().checked_sub(skipped) else {
        return;
    };
    let length = length - length % page;
    if length < LARGE {
        return;
    }
    let start = spare[skipped..].as_mut_ptr().cast();
    // SAFETY: `start` and `length` are whole pages within a buffer that is borrowed here, and the
    // advice changes neither what they hold nor who may read them.
    let advised = unsafe { madvise(start, length, Advice::LinuxHugepage) };
    if let Err(error) = advised {
        tracing::trace!(%error, "no large pages");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_what_was_stated_and_for_more() {
        for length in [None, Some(0), Some(1), Some(4_097), Some(5 << 20)] {
            let mut buffer = room(length);
            assert!(buffer.is_empty());
            assert!(buffer.capacity() as u64 >= length.unwrap_or_default());
            let body: Vec<u8> = (0..6 << 20).map(|at: u32| at as u8).collect();
            buffer.extend_from_slice(&body);
            assert!(buffer == body);
        }
    }

    #[test]
    fn a_length_that_nobody_has_is_not_refused_before_it_comes() {
        let mut buffer = room(Some(u64::MAX));
        buffer.extend_from_slice(b"short");
        assert_eq!(buffer, b"short");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn long_bodies_are_marked_for_large_pages() {
        let mut buffer = room(Some(8 << 20));
        buffer.resize(8 << 20, 1);
        let middle = buffer.as_ptr() as usize + buffer.len() / 2;
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mut is_here = false;
        let flags = maps.lines().find_map(|line| {
            if let Some((from, to)) = range_of(line) {
                is_here = (from..to).contains(&middle);
            }
            (is_here && line.starts_with("VmFlags:")).then(|| line.to_owned())
        });
        let flags = flags.expect("the buffer is mapped");
        let has_large_pages = std::path::Path::new("/sys/kernel/mm/transparent_hugepage").exists();
        assert_eq!(flags.contains(" hg"), has_large_pages, "{flags}");
    }

    fn range_of(line: &str) -> Option<(usize, usize)> {
        let (from, to) = line.split(' ').next()?.split_once('-')?;
        let number = |text| usize::from_str_radix(text, 16).ok();
        Some((number(from)?, number(to)?))
    }
}
