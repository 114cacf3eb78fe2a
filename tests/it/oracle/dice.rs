//! Random choices that are the same in every run (SplitMix64).

/// A source of random choices.
pub(crate) struct Dice {
    state: u64,
    /// Whether rare and careless choices are made, too.
    pub(crate) wild: bool,
}

impl Dice {
    /// One that begins at `seed`; the case's number keeps cases apart, so that any can be repeated.
    pub(crate) fn new(seed: u64, case: usize) -> Self {
        let case = u64::try_from(case).expect("few cases");
        let state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ case;
        let mut dice = Self { state, wild: true };
        dice.roll();
        dice
    }

    fn roll(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not zero.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("a small number");
        usize::try_from(self.roll() % bound).expect("below a usize")
    }

    /// Whether one of `n` equal chances came.
    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// One of several.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        from.get(self.below(from.len())).expect("the index is below the length")
    }

    /// One of several words: of all of them where choices are wild, else of the first `tame` ones.
    pub(crate) fn usual<'a>(&mut self, tame: usize, from: &[&'a str]) -> &'a str {
        let most = if self.wild { from.len() } else { tame };
        self.word(from.get(..most).expect("fewer than all"))
    }

    /// One of several words.
    pub(crate) fn word<'a>(&mut self, from: &[&'a str]) -> &'a str {
        self.pick::<&str>(from)
    }
}
