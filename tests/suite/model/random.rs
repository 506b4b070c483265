//! Chance that can be had again: a generator of a seed and a number.

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

/// Where every choice comes from.
pub(super) struct Random(StdRng);

impl Random {
    /// The choices of the case `number` under `seed`, whatever the cases before it chose.
    pub(super) fn of(seed: u64, number: u64) -> Self {
        Self(StdRng::seed_from_u64(seed ^ (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    /// A number below `end`, which is not 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end)
    }

    /// True in `percent` of a hundred.
    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of a list that is not empty.
    pub(super) fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }

    /// As many different ones of a list, in any order; all if there are not so many.
    pub(super) fn some<T: Copy>(&mut self, list: &[T], count: usize) -> Vec<T> {
        let mut rest = list.to_vec();
        let count = count.min(rest.len());
        (0..count).map(|_| rest.swap_remove(self.below(rest.len()))).collect()
    }
}
