//! The frames of a write-ahead log, by the format that SQLite documents: a header of 32 bytes, then
//! frames of 24 bytes and a page each.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::Result;

const HEADER: u64 = 32;
const FRAME_HEADER: u64 = 24;

/// Lengths at which a log may be cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cuts {
    /// Before the first frame, and after each.
    pub(crate) boundaries: Vec<u64>,
    /// Of the boundaries, those that end a commit.
    pub(crate) commits: BTreeSet<u64>,
    /// Within the header; and in each frame at one place, by turns in its header, between that and its
    /// page, and in its page.
    pub(crate) inside: Vec<u64>,
}

/// Where the log in a file may be cut off.
pub(crate) fn cuts(wal: &Path) -> Result<Cuts> {
    cuts_of(&fs::read(wal)?)
}

fn cuts_of(wal: &[u8]) -> Result<Cuts> {
    let size = wal.get(8..12).ok_or("the log has no header")?;
    let page = u64::from(u32::from_be_bytes(size.try_into()?));
    if !page.is_power_of_two() || page < 512 {
        return Err(format!("a page of {page} bytes can't be").into());
    }
    let frame = FRAME_HEADER + page;
    let frames = (wal.len() as u64 - HEADER.min(wal.len() as u64)) / frame;
    let within = |n| match n % 3 {
        0 => 12,
        1 => FRAME_HEADER,
        _ => FRAME_HEADER + page / 2,
    };
    // The size of the file after the commit, and 0 in all other frames.
    let ends_a_commit = |n: &u64| {
        let at = usize::try_from(HEADER + n * frame + 4).ok();
        let size = at.and_then(|at| wal.get(at..at + 4));
        size.is_some_and(|size| size != [0; 4])
    };
    Ok(Cuts {
        commits: (0..frames)
            .filter(ends_a_commit)
            .map(|n| HEADER + (n + 1) * frame)
            .collect(),
        boundaries: (0..=frames).map(|n| HEADER + n * frame).collect(),
        inside: [0, 12]
            .into_iter()
            .chain((0..frames).map(|n| HEADER + n * frame + within(n)))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_fall_on_and_between_the_frames() {
        let mut wal = vec![0; 32 + 3 * (24 + 512) + 7];
        wal[8..12].copy_from_slice(&512_u32.to_be_bytes());
        // The second frame ends a commit.
        wal[32 + 536 + 7] = 9;
        let cuts = cuts_of(&wal).unwrap();
        assert_eq!(cuts.boundaries, [32, 568, 1104, 1640]);
        assert_eq!(cuts.commits, [1104].into());
        assert_eq!(cuts.inside, [0, 12, 44, 592, 1384]);
        assert!(cuts_of(&wal[..8]).is_err());
        assert!(cuts_of(&[0; 32]).is_err());
    }
}
