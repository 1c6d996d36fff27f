//! Broken files, the same in every run: seeded changes to files that are whole.

use std::{env, panic};

use sha2::{Digest as _, Sha256};

/// Sets how many mutations a test tries of each reader; the tests' own number is small, so that they end soon.
const VARIABLE: &str = "CARROT_MUTATIONS";
const N_MUTATIONS: usize = 1_000;
/// Numbers that readers trip over, written over what is there in both byte orders.
const NUMBERS: [u64; 8] = [
    0,
    1,
    0x7f,
    0xff,
    0x7fff_ffff,
    0xffff_ffff,
    1 << 32,
    u64::MAX,
];
/// Bytes that mean something to some format.
const PIECES: [&[u8]; 14] = [
    b"\"",
    b"\\",
    b"\n",
    b"\0",
    b"{",
    b"}",
    b"[",
    b",",
    b":",
    b"-",
    b"1e999",
    b"NaN",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
];

/// Gives `read` each of 1,000 broken versions of `files` (or as many as `CARROT_MUTATIONS` says), the files in turn, and the unbroken ones
/// first. It may return whatever it likes; it must not panic.
///
/// # Panics
/// When `read` does, naming the number of the mutation, which is the same in every run.
pub fn try_mutations(files: &[Vec<u8>], mut read: impl FnMut(Vec<u8>)) {
    assert!(!files.is_empty(), "nothing to mutate");
    for file in files {
        read(file.clone());
    }
    for number in 0..n_mutations() {
        let bytes = mutated(&files[number % files.len()], number as u64);
        let outcome = panic::catch_unwind(panic::AssertUnwindSafe(|| read(bytes)));
        assert!(outcome.is_ok(), "mutation {number} made the reader panic");
    }
}

/// How many mutations to try of each reader.
///
/// # Panics
/// When `CARROT_MUTATIONS` is no number.
pub fn n_mutations() -> usize {
    match env::var(VARIABLE) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{VARIABLE} is `{text}`, expected a number")),
        Err(_) => N_MUTATIONS,
    }
}

/// The bytes with one to four changes, which the number decides: a byte set or flipped, a number written over, a piece put in, a range
/// removed, doubled or moved, the end cut off.
pub fn mutated(bytes: &[u8], number: u64) -> Vec<u8> {
    let mut random = Random { number, n_drawn: 0 };
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(4) {
        change(&mut bytes, &mut random);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, random: &mut Random) {
    let len = bytes.len();
    let at = random.below(len + 1);
    let end = (at + 1 + random.below(64)).min(len);
    match random.below(9) {
        0 if at < len => bytes[at] = random.below(256) as u8,
        1 if at < len => bytes[at] ^= 1 << random.below(8),
        2 => {
            let number = NUMBERS[random.below(NUMBERS.len())];
            let width = [1, 2, 4, 8][random.below(4)];
            let written = match random.below(2) {
                0 => number.to_le_bytes()[..width].to_vec(),
                _ => number.to_be_bytes()[8 - width..].to_vec(),
            };
            for (to, from) in bytes[at..].iter_mut().zip(written) {
                *to = from;
            }
        }
        3 => {
            let piece = PIECES[random.below(PIECES.len())];
            bytes.splice(at..at, piece.iter().copied());
        }
        4 => _ = bytes.drain(at.min(end)..end),
        5 => {
            let copy = bytes[at.min(end)..end].to_vec();
            bytes.splice(at..at, copy);
        }
        6 => {
            let moved: Vec<u8> = bytes.drain(at.min(end)..end).collect();
            let to = random.below(bytes.len() + 1);
            bytes.splice(to..to, moved);
        }
        7 => {
            // Text formats: one digit for another, so that numbers change and everything else still parses.
            if let Some(digit) = (at..len).find(|&i| bytes[i].is_ascii_digit()) {
                bytes[digit] = b'0' + random.below(10) as u8;
            }
        }
        _ => bytes.truncate(at),
    }
}

/// A stream of numbers that the number of the mutation decides. A hash, so that no generator's version changes the cases.
struct Random {
    number: u64,
    n_drawn: u64,
}

impl Random {
    /// From 0 to below `n`, which is at least 1.
    fn below(&mut self, n: usize) -> usize {
        self.n_drawn += 1;
        let mut hash = Sha256::new();
        hash.update(self.number.to_le_bytes());
        hash.update(self.n_drawn.to_le_bytes());
        let digest = hash.finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        (u64::from_le_bytes(first) % n as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutations_are_the_same_in_every_run_and_differ_from_each_other() {
        let file = br#"{"a": [1, 2, 3], "b": "text"}"#;
        let all: Vec<_> = (0..200).map(|number| mutated(file, number)).collect();
        assert_eq!(all[7], mutated(file, 7));
        let distinct: std::collections::HashSet<_> = all.iter().collect();
        assert!(distinct.len() > 150, "{}", distinct.len());
        assert!(all.iter().any(|bytes| bytes.len() < file.len() / 2));
        _ = mutated(b"", 3);
    }
}
