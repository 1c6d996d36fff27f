//! Real pickles with bytes changed, moved, cut and doubled: never a panic, and never more memory than the file accounts for.
#![expect(clippy::unwrap_used, reason = "tests")]

mod goldens;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    env, fs,
};

use pickle::{Error, Pickle, Value};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

/// Inputs in an ordinary run; the variable `PICKLE_FUZZ_CASES` sets another number.
const N_CASES: u32 = 200_000;

/// What a small file may take whatever its length (the shared nodes, a message), and what each byte may add. The largest seen in a million cases
/// was 31; a vector may have twice the room that it needs.
const MEMORY_AT_REST: usize = 64 << 10;
const MEMORY_PER_BYTE: usize = 200;

thread_local! {
    static IN_USE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

fn count(change: isize) {
    // Threads that are about to end have no counter any more.
    let _ = IN_USE.try_with(|in_use| {
        in_use.set(in_use.get() + change);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(in_use.get())));
    });
}

// SAFETY: every call goes to the system's allocator with the arguments that came in.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: as required of the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as required of the caller.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Looks at everything that can be asked of a pickle, as far as a fixed number of values.
fn read_all(bytes: Vec<u8>, n_parsed: &Cell<u32>) -> Result<(), Error> {
    let pickle = Pickle::parse(bytes)?;
    n_parsed.set(n_parsed.get() + 1);
    let mut waiting = vec![pickle.value()];
    for _ in 0..100 {
        let Some(value) = waiting.pop() else { break };
        read_value(value, &mut waiting);
    }
    let frame = pickle.frame()?;
    for column_idx in 0..frame.n_columns() {
        let column = frame.column_at(column_idx).unwrap();
        let lengths = [
            column.as_f64().map(|cells| cells.len()),
            column.as_text().map(|cells| cells.len()),
            column.as_i64().map(|cells| cells.len()),
        ];
        for n_rows in lengths.into_iter().flatten() {
            assert_eq!(n_rows, frame.n_rows());
        }
        let _ = (column.kind(), frame.column(column.name()).is_ok());
    }
    Ok(())
}

fn read_value<'a>(value: Value<'a>, waiting: &mut Vec<Value<'a>>) {
    let _ = (
        value.describe(),
        value.as_str().is_ok(),
        value.as_i64().is_ok(),
        value.as_f64().is_ok(),
        value.get("a").is_ok(),
    );
    if let Ok(array) = value.array() {
        let _ = (array.to_array1_f64().is_ok(), array.to_array2_f64().is_ok());
    }
    waiting.extend(value.items().into_iter().flatten().take(10));
    waiting.extend(
        value
            .entries()
            .into_iter()
            .flatten()
            .take(10)
            .map(|(_, value)| value),
    );
}

/// One change to a file; positions are taken modulo its length.
#[derive(Clone, Copy, Debug)]
enum Change {
    Set(usize, u8),
    Flip(usize, u8),
    Insert(usize, u8),
    Remove(usize),
    Cut(usize),
    Copy {
        from: usize,
        to: usize,
        len: usize,
    },
    /// One more or one less: a length, a memo number, a small integer.
    Step(usize, bool),
    /// A length or number of four bytes.
    Word(usize, u32),
    /// Whole instructions, which leave the rest readable.
    RemoveInstruction(usize),
    CopyInstruction {
        from: usize,
        to: usize,
    },
    SwapInstructions(usize, usize),
}

/// Where each instruction of a whole pickle begins, and where the last one ends.
fn instructions(bytes: &[u8]) -> Vec<usize> {
    let (mut at, mut all) = (0, vec![0]);
    let number = |at: usize, width: usize| {
        bytes.get(at..at + width).map_or(0, |n| {
            n.iter()
                .rev()
                .fold(0, |n, &byte| n << 8 | usize::from(byte))
        })
    };
    let line = |at: usize| {
        bytes
            .get(at..)
            .and_then(|rest| rest.iter().position(|&byte| byte == b'\n'))
            .map_or(0, |len| len + 1)
    };
    while at < bytes.len() {
        at += 1 + match bytes[at] {
            0x80 | b'K' | b'h' | b'q' => 1,
            b'M' => 2,
            b'J' | b'j' | b'r' => 4,
            0x95 | b'G' => 8,
            0x8a | 0x8c | b'C' => 1 + number(at + 1, 1),
            b'X' | b'B' => 4 + number(at + 1, 4),
            0x8d | 0x8e | 0x96 => (8_usize).saturating_add(number(at + 1, 8)).min(bytes.len()),
            b'c' => {
                let module = line(at + 1);
                module + line(at + 1 + module)
            }
            _ => 0,
        };
        all.push(at.min(bytes.len()));
    }
    all
}

impl Change {
    fn apply(self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let n = bytes.len();
        match self {
            Self::Set(at, byte) => bytes[at % n] = byte,
            Self::Flip(at, bit) => bytes[at % n] ^= 1 << (bit % 8),
            Self::Step(at, up) => {
                bytes[at % n] = bytes[at % n].wrapping_add(if up { 1 } else { 255 })
            }
            Self::Insert(at, byte) => bytes.insert(at % n, byte),
            Self::Remove(at) => drop(bytes.remove(at % n)),
            Self::Cut(at) => bytes.truncate(at % n),
            Self::Copy { from, to, len } => {
                let from = from % n;
                let part = bytes[from..n.min(from + len)].to_vec();
                let to = to % n;
                bytes.splice(to..to, part);
            }
            Self::RemoveInstruction(i) => {
                let all = instructions(bytes);
                let i = i % (all.len() - 1);
                bytes.drain(all[i]..all[i + 1]);
            }
            Self::CopyInstruction { from, to } => {
                let all = instructions(bytes);
                let (from, to) = (from % (all.len() - 1), to % all.len());
                let copy = bytes[all[from]..all[from + 1]].to_vec();
                bytes.splice(all[to]..all[to], copy);
            }
            Self::SwapInstructions(i, j) => {
                let all = instructions(bytes);
                let (i, j) = (i % (all.len() - 1), j % (all.len() - 1));
                let (i, j) = (i.min(j), i.max(j));
                if i < j {
                    let swapped = [
                        &bytes[all[j]..all[j + 1]],
                        &bytes[all[i + 1]..all[j]],
                        &bytes[all[i]..all[i + 1]],
                    ]
                    .concat();
                    bytes.splice(all[i]..all[j + 1], swapped);
                }
            }
            Self::Word(at, word) => {
                for (byte, new) in bytes[at % n..].iter_mut().zip(word.to_le_bytes()) {
                    *byte = new;
                }
            }
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    // Opcodes are likelier to get somewhere than any other bytes.
    let opcodes =
        b".(01NKMJGX]})Rbcaseuthjqr\x81\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x93\x94\x95\x96CB"
            .to_vec();
    let byte = prop_oneof![any::<u8>(), proptest::sample::select(opcodes)];
    let word = prop_oneof![
        any::<u32>(),
        0_u32..16,
        Just(u32::MAX),
        Just(i32::MAX as u32)
    ];
    prop_oneof![
        3 => (any::<usize>(), byte.clone()).prop_map(|(at, byte)| Change::Set(at, byte)),
        3 => (any::<usize>(), any::<u8>()).prop_map(|(at, bit)| Change::Flip(at, bit)),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(at, up)| Change::Step(at, up)),
        2 => (any::<usize>(), byte).prop_map(|(at, byte)| Change::Insert(at, byte)),
        2 => any::<usize>().prop_map(Change::Remove),
        1 => any::<usize>().prop_map(Change::Cut),
        1 => (any::<usize>(), any::<usize>(), 0_usize..64).prop_map(|(from, to, len)| Change::Copy { from, to, len }),
        3 => any::<usize>().prop_map(Change::RemoveInstruction),
        4 => (any::<usize>(), any::<usize>()).prop_map(|(from, to)| Change::CopyInstruction { from, to }),
        4 => (any::<usize>(), any::<usize>()).prop_map(|(i, j)| Change::SwapInstructions(i, j)),
        1 => (any::<usize>(), word).prop_map(|(at, word)| Change::Word(at, word)),
    ]
}

#[test]
fn mutations_of_pickles_are_read_or_refused() {
    let originals: Vec<Vec<u8>> = goldens::paths()
        .iter()
        .map(|path| fs::read(path).unwrap())
        .collect();
    let n_parsed = Cell::new(0);
    test_support::try_mutations(&originals, |bytes| {
        let _ = read_all(bytes, &n_parsed);
    });
}

#[test]
fn changed_pickles_neither_panic_nor_take_memory() {
    let originals: Vec<Vec<u8>> = goldens::paths()
        .iter()
        .map(|path| fs::read(path).unwrap())
        .collect();

    let n_cases = env::var("PICKLE_FUZZ_CASES").map_or(N_CASES, |n_cases| n_cases.parse().unwrap());
    let seed = env::var("PICKLE_FUZZ_SEED").map_or(42, |seed| seed.parse().unwrap());
    let mut seeds = [0; 32];
    seeds[..8].copy_from_slice(&u64::to_le_bytes(seed));
    let config = Config {
        cases: n_cases,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seeds));
    let (n_parsed, n_read, n_refused) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let largest = Cell::new(0.0_f64);
    // One change gets furthest, several together find what one cannot.
    let changes = prop_oneof![2 => proptest::collection::vec(change(), 1), 1 => proptest::collection::vec(change(), 2..6)];
    let inputs = (0..originals.len(), changes, any::<bool>());
    let result = runner.run(&inputs, |(original, changes, mend)| {
        let mut bytes = originals[original].clone();
        for change in changes {
            change.apply(&mut bytes);
        }
        // Most files are one frame, whose length gives any missing byte away at once.
        if mend && bytes.get(2) == Some(&0x95) && bytes.len() >= 11 {
            let rest = bytes.len() as u64 - 11;
            bytes[3..11].copy_from_slice(&rest.to_le_bytes());
        }
        let n_bytes = bytes.len();
        let before = IN_USE.get();
        PEAK.set(before);
        let result = read_all(bytes, &n_parsed);
        let used = usize::try_from(PEAK.get() - before).unwrap();
        prop_assert!(
            used <= MEMORY_AT_REST + MEMORY_PER_BYTE * n_bytes,
            "{} bytes of memory for a file of {}",
            used,
            n_bytes
        );
        largest.set(largest.get().max(used as f64 / (n_bytes + 1024) as f64));
        match result {
            Ok(()) => n_read.set(n_read.get() + 1),
            Err(error) => {
                let message = error.to_string();
                prop_assert!(message.contains("at byte "), "{}", message);
                n_refused.set(n_refused.get() + 1);
            }
        }
        Ok(())
    });
    result.unwrap();
    // All must be common, or the changes are too rough or too gentle to find anything.
    let (n_read, n_refused) = (n_read.get(), n_refused.get());
    assert_eq!(n_read + n_refused, n_cases);
    assert!(
        n_read > n_cases / 20 && n_refused > n_cases / 5,
        "{n_read} read, {n_refused} refused"
    );
    assert!(
        largest.get() < 100.0,
        "{} bytes of memory for each byte of a file",
        largest.get()
    );
}
