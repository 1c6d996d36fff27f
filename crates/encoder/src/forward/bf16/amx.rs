//! Intel's tiles (AMX): 16 rows of a cache line each, of which one instruction multiplies two. Rust has no functions for them yet, so this is assembly.

use std::{
    arch::{
        asm,
        x86_64::{__cpuid_count, _MM_HINT_T1, _mm_prefetch},
    },
    sync::OnceLock,
};

use super::{
    lines::{Blocks, Line, SIDE, TILE},
    product::{BLOCK, PARTS_AT_ONCE, check},
};

/// Bits of what `cpuid` says in edx of leaf 7: the tiles, and their product in bfloat16.
const CPUID: u32 = 1 << 24 | 1 << 22;
/// `ARCH_REQ_XCOMP_PERM` of Linux's arch_prctl, and the state that is asked for: the tiles' data.
const REQUEST: [libc::c_ulong; 2] = [0x1023, 18];

/// What `ldtilecfg` reads: the first layout, with eight tiles of 16 rows and 64 bytes.
#[repr(C, align(64))]
struct Shapes {
    layout: u8,
    rest: [u8; 15],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

static SHAPES: Shapes = Shapes {
    layout: 1,
    rest: [0; 15],
    row_bytes: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

/// Whether this processor has tiles and the system lets this process use them.
pub(super) fn is_available() -> bool {
    static IS_AVAILABLE: OnceLock<bool> = OnceLock::new();
    *IS_AVAILABLE.get_or_init(|| {
        let is_there = __cpuid_count(0, 0).eax >= 7 && __cpuid_count(7, 0).edx & CPUID == CPUID;
        // SAFETY: a system call that takes two numbers, and grants a permission or says that it does not.
        is_there && unsafe { libc::syscall(libc::SYS_arch_prctl, REQUEST[0], REQUEST[1]) } == 0
    })
}

/// `super::product::multiply` where [`is_available`].
///
/// # Panics
/// Where it is not; when the numbers of lines and of sums do not belong together.
pub(super) fn multiply(rows: Blocks<'_>, panels: &[Line], sums: &mut [f32]) {
    assert!(is_available(), "this processor has tiles");
    check(rows, panels, sums);
    let panels = panels.chunks_exact(rows.n_parts * SIDE);
    let of_panels = sums.chunks_exact_mut(rows.n_blocks * BLOCK);
    // SAFETY: the tiles are there. Of a block, lines `(row, part)` with row < 32 and part < `n_parts` are read, which `check` has found within the
    // slice; of a panel, 32 lines for each part, as many as it has; 32 rows of 32 sums are read and written, as many as a block has. What is fetched
    // ahead may be anywhere. The compiler keeps nothing in tiles, because it is not told to compile for them; their shapes and contents last from the
    // first statement to the last, because the system keeps them for this thread.
    unsafe {
        asm!("ldtilecfg [{}]", in(reg) &raw const SHAPES, options(nostack, preserves_flags));
        for (panel, sums) in panels.zip(of_panels) {
            for first_part in (0..rows.n_parts).step_by(PARTS_AT_ONCE) {
                let n_parts = PARTS_AT_ONCE.min(rows.n_parts - first_part);
                let panel = &panel[first_part * SIDE..];
                // What follows in memory is what is multiplied next, in this call or in the one for the next panel.
                let next = panel.as_ptr().wrapping_add(n_parts * SIDE);
                // A head's keys and values are at hand.
                let n_next = match rows.n_parts < PARTS_AT_ONCE {
                    true => 0,
                    false => (n_parts * SIDE).div_ceil(rows.n_blocks),
                };
                for (block_idx, sums) in sums.chunks_exact_mut(BLOCK).enumerate() {
                    for line in block_idx * n_next..(block_idx + 1) * n_next {
                        _mm_prefetch::<_MM_HINT_T1>(next.wrapping_add(line).cast());
                    }
                    let block = &rows.lines[block_idx * SIDE * rows.stride + first_part..];
                    let upper = &block[TILE * rows.stride..];
                    asm!(
                        "test {has_sums}, {has_sums}",
                        "jnz 2f",
                        "tilezero tmm0",
                        "tilezero tmm1",
                        "tilezero tmm2",
                        "tilezero tmm3",
                        "jmp 3f",
                        "2:",
                        "tileloadd tmm0, [{sums} + {sums_row}]",
                        "tileloadd tmm1, [{sums} + {sums_row} + 64]",
                        "tileloadd tmm2, [{sums} + {sums_row} + 2048]",
                        "tileloadd tmm3, [{sums} + {sums_row} + 2112]",
                        "3:",
                        "tileloadd tmm4, [{lower} + {row}]",
                        "tileloadd tmm6, [{panel} + {line}]",
                        "tdpbf16ps tmm0, tmm4, tmm6",
                        "tileloadd tmm7, [{panel} + {line} + 1024]",
                        "tdpbf16ps tmm1, tmm4, tmm7",
                        "tileloadd tmm5, [{upper} + {row}]",
                        "tdpbf16ps tmm2, tmm5, tmm6",
                        "tdpbf16ps tmm3, tmm5, tmm7",
                        "add {lower}, 64",
                        "add {upper}, 64",
                        "add {panel}, 2048",
                        "dec {n_parts}",
                        "jnz 3b",
                        "tilestored [{sums} + {sums_row}], tmm0",
                        "tilestored [{sums} + {sums_row} + 64], tmm1",
                        "tilestored [{sums} + {sums_row} + 2048], tmm2",
                        "tilestored [{sums} + {sums_row} + 2112], tmm3",
                        has_sums = in(reg) first_part,
                        lower = inout(reg) block.as_ptr() => _,
                        upper = inout(reg) upper.as_ptr() => _,
                        panel = inout(reg) panel.as_ptr() => _,
                        n_parts = inout(reg) n_parts => _,
                        sums = in(reg) sums.as_mut_ptr(),
                        row = in(reg) rows.stride * size_of::<Line>(),
                        line = in(reg) size_of::<Line>(),
                        sums_row = in(reg) SIDE * size_of::<f32>(),
                        options(nostack),
                    );
                }
            }
        }
        asm!("tilerelease", options(nostack, preserves_flags));
    }
}
