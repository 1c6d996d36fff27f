//! Intel's tiles (AMX): 16 rows of a cache line each, of which one instruction multiplies two. Rust has no functions for them yet, so this is assembly.

use std::{
    arch::{asm, x86_64::__cpuid_count},
    sync::OnceLock,
};

use super::bf16::{Line, SIDE};

/// Bits of what `cpuid` says in edx of leaf 7: the tiles, and their product in bfloat16.
const CPUID: u32 = 1 << 24 | 1 << 22;
/// `ARCH_REQ_XCOMP_PERM` of Linux's arch_prctl, and the state that is asked for: the tiles' data.
const REQUEST: [libc::c_ulong; 2] = [0x1023, 18];

/// What `ldtilecfg` reads: the first layout, with eight tiles of 16 rows and 64 bytes.
#[repr(C, align(64))]
struct Shapes {
    layout: u8,
    start: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

static SHAPES: Shapes = {
    let (mut row_bytes, mut rows) = ([0; 16], [0; 16]);
    let mut tile = 0;
    while tile < 8 {
        (row_bytes[tile], rows[tile]) = (64, 16);
        tile += 1;
    }
    Shapes {
        layout: 1,
        start: 0,
        reserved: [0; 14],
        row_bytes,
        rows,
    }
};

/// Whether this processor has tiles and the system lets this process use them.
pub(super) fn is_available() -> bool {
    static IS_AVAILABLE: OnceLock<bool> = OnceLock::new();
    *IS_AVAILABLE.get_or_init(|| {
        let is_there = __cpuid_count(0, 0).eax >= 7 && __cpuid_count(7, 0).edx & CPUID == CPUID;
        // SAFETY: a system call that takes two numbers and grants a permission, or says that it does not.
        is_there && unsafe { libc::syscall(libc::SYS_arch_prctl, REQUEST[0], REQUEST[1]) } == 0
    })
}

/// `super::bf16::multiply` where [`is_available`], which has been asked before.
///
/// # Panics
/// When the numbers of lines and of sums do not belong together.
pub(super) fn multiply(rows: &[Line], panel: &[Line], sums: &mut [f32]) {
    let n_parts = panel.len() / SIDE;
    assert!(is_available(), "this processor has tiles");
    assert!(n_parts > 0 && panel.len() == n_parts * SIDE);
    let blocks = rows.chunks_exact(panel.len());
    assert!(blocks.remainder().is_empty() && blocks.len() * SIDE * SIDE == sums.len());
    // SAFETY: the tiles are there. Each block reads `n_parts` times 32 lines of 64 bytes from the start of slices that have as many, and writes 32 rows
    // of 32 sums from the start of one that has as many. The compiler keeps nothing in tiles, which this crate is not built for; their shapes and
    // contents last from the first statement to the last, because the system keeps them for this thread.
    unsafe {
        asm!("ldtilecfg [{}]", in(reg) &raw const SHAPES, options(nostack, preserves_flags));
        for (block, sums) in blocks.zip(sums.chunks_exact_mut(SIDE * SIDE)) {
            asm!(
                "tilezero tmm0",
                "tilezero tmm1",
                "tilezero tmm2",
                "tilezero tmm3",
                "2:",
                "tileloadd tmm4, [{rows} + {line}]",
                "tileloadd tmm6, [{panel} + {line}]",
                "tileloadd tmm7, [{panel} + {line} + 1024]",
                "tileloadd tmm5, [{rows} + {line} + 1024]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7",
                "add {rows}, 2048",
                "add {panel}, 2048",
                "dec {n_parts}",
                "jnz 2b",
                "tilestored [{sums} + {row}], tmm0",
                "tilestored [{sums} + {row} + 64], tmm1",
                "tilestored [{sums} + {row} + 2048], tmm2",
                "tilestored [{sums} + {row} + 2112], tmm3",
                rows = inout(reg) block.as_ptr() => _,
                panel = inout(reg) panel.as_ptr() => _,
                n_parts = inout(reg) n_parts => _,
                sums = in(reg) sums.as_mut_ptr(),
                line = in(reg) 64_usize,
                row = in(reg) 4 * SIDE,
                options(nostack),
            );
        }
        asm!("tilerelease", options(nostack, preserves_flags));
    }
}
