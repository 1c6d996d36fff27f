//! What the orders promise.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::num::NonZeroUsize;

use proptest::prelude::*;
use row_order::{deinterleave, interleave, order};

#[test]
fn ranks_are_gathered_one_after_the_other() {
    for (n, width, expected) in [
        (0, 4, &[][..]),
        (1, 8, &[0]),
        (3, 1, &[0, 1, 2]),
        (6, 2, &[0, 2, 4, 1, 3, 5]),
        // The first two ranks hold one document more.
        (6, 4, &[0, 4, 1, 5, 2, 3]),
        // More ranks than documents.
        (3, 8, &[0, 1, 2]),
        (3, usize::MAX, &[0, 1, 2]),
    ] {
        assert_eq!(
            order(n, NonZeroUsize::new(width).unwrap()),
            expected,
            "{n} documents, {width} ranks"
        );
    }
}

/// As the crate's header says of what cannot be seen. The last document stays where it is, or the one after it would.
#[test]
fn gathering_multiplies_a_row_where_the_width_divides_the_length_or_one_more() {
    for (n, width, modulus) in [
        (256, 2, 255),
        (12_032, 8, 12_031),
        (24, 4, 23),
        (187, 4, 187),
        (15, 8, 15),
    ] {
        let documents = order(n, NonZeroUsize::new(width).unwrap());
        for (row, &document) in documents.iter().enumerate().take(modulus) {
            assert_eq!(
                document,
                row * width % modulus,
                "row {row} of {n}, {width} ranks"
            );
        }
        if modulus < n {
            assert_eq!(documents[modulus], modulus);
        }
    }
}

proptest! {
    #[test]
    fn an_order_is_a_permutation_that_deinterleaving_undoes(n in 0_usize..400, width in 1_usize..40) {
        let width = NonZeroUsize::new(width).unwrap();
        let documents: Vec<usize> = (0..n).collect();
        let mut sorted = order(n, width);
        sorted.sort_unstable();
        prop_assert_eq!(&sorted, &documents);
        prop_assert_eq!(interleave(&documents, width), order(n, width));
        prop_assert_eq!(deinterleave(&order(n, width), width), documents.clone());
        prop_assert_eq!(interleave(&deinterleave(&documents, width), width), documents);
    }
}
